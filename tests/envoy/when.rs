//! Policies that are enforced for a share of their callers, and policies that apply at certain times.

use std::thread;
use std::time::Duration;

use crate::harness::{Gateway, Setup, Update, eventually, new_key};

const CALLERS: usize = 200;

/// One request an hour for each key, enforced for a share.
fn share(percent: u32) -> String {
    format!(
        "keys: {{ key: {{ header: authorization, scheme: Bearer }} }}
policies:
  - {{ name: new, key: key, limits: [{{ quota: 1, window: 1h }}], enforce: {percent}% }}
"
    )
}

/// Which of these callers have a second request rejected.
fn rejected(gateway: &Gateway, keys: &[String]) -> Vec<bool> {
    let is_rejected = |key: &String| {
        let request = gateway.get("/").key(key);
        (0..2).fold(false, |_, _| request.send().status == 429)
    };
    keys.iter().map(is_rejected).collect()
}

#[test]
fn a_share_of_the_callers_is_enforced_in_every_worker_and_stays_when_it_grows() {
    let keys: Vec<String> = (0..CALLERS).map(|_| new_key()).collect();
    let gateway = Setup::yaml(share(25)).workers(2).live().start();
    let quarter = rejected(&gateway, &keys);
    let number = quarter.iter().filter(|rejected| **rejected).count();
    assert!((25..=75).contains(&number), "{number} of {CALLERS}");
    for _ in 0..3 {
        // Each request has a connection of its own, so both workers are asked.
        assert_eq!(rejected(&gateway, &keys), quarter);
    }
    let counted = |name| gateway.metric(&format!("policy.new.{name}")) > 0;
    eventually("both kinds are counted", || (counted("shadow_refused") && counted("refused")).then_some(()));
    let free = keys.iter().zip(&quarter).find(|(_, rejected)| !**rejected).unwrap().0.clone();
    assert_eq!(gateway.update(&share(60)), Update::Accepted);
    let more = eventually("the larger share is in force", || {
        let more = rejected(&gateway, &keys);
        (more != quarter).then_some(more)
    });
    assert!(quarter.iter().zip(&more).all(|(before, now)| *now || !before), "whoever was enforced still is");
    assert_eq!(gateway.update(&share(100)), Update::Accepted);
    eventually("all are enforced", || (gateway.get("/").key(&free).send().status == 429).then_some(()));
}

/// 2026-05-15 is a Friday. Office hours in Madrid, and a night that begins on Friday.
const SCHEDULE: &str = "
keys: { key: { header: authorization, scheme: Bearer } }
policies:
  - name: office
    key: key
    class: c
    schedule:
      - { days: [mon, tue, wed, thu, fri], from: \"09:00\", to: \"17:00\", time_zone: Europe/Madrid }
      - { days: [fri], from: \"23:00\", to: \"06:00\", time_zone: Europe/Madrid }
    limits: [{ quota: 1, window: 1h }]
  - { name: rest, key: key, class: c, limits: [{ quota: 3, window: 1h }] }
headers: { preset: ietf }
";

#[test]
fn a_policy_applies_at_the_times_of_its_schedule_and_at_no_other() {
    const MIDNIGHT: u64 = 1_778_803_200; // 2026-05-15T00:00:00Z, 02:00 in Madrid
    const HOUR: u64 = 3_600;
    let gateway = Setup::yaml(SCHEDULE).at(MIDNIGHT).start();
    for (hours, passes) in [(0, 3), (7, 1), (14, 1), (15, 3), (21, 1), (27, 1), (28, 3), (55, 3), (79, 1)] {
        gateway.set_wall_clock(MIDNIGHT + hours * HOUR);
        thread::sleep(Duration::from_millis(1_500));
        assert_eq!(
            gateway.get("/").key(new_key()).admitted_of(5),
            passes,
            "{hours} hours after midnight UTC"
        );
    }
}
