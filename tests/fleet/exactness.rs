//! In no trailing window does more than the quota pass over all Envoys, and under saturation not less.

use std::thread;
use std::time::Duration;

use crate::harness::new_key;
use crate::stage::{Record, Stage, by_path, start};

/// Floods all of these paths at once, each with a key of its own, and shows what came of it.
pub fn flood_all<const N: usize>(stage: &Stage, paths: [&str; N], lasting: Duration) -> [Record; N] {
    let floods = paths.map(|path| (path, new_key()));
    thread::scope(|scope| {
        floods
            .each_ref()
            .map(|(path, key)| scope.spawn(move || stage.flood(&format!("/{path}"), key, lasting, || ())))
            .map(|flood| flood.join().expect("a flood"))
    })
}

#[test]
fn exactly_the_quota_passes_in_the_worst_trailing_window_of_two_envoys() {
    let five = Duration::from_secs(5);
    let stage = start(by_path(&[
        ("few", "quota: 5, window: 5s", "on_outage: deny"),
        ("some", "quota: 100, window: 5s", "on_outage: deny"),
    ]));
    let records = flood_all(&stage, ["few", "some"], five * 3);
    for (record, quota) in records.iter().zip([5, 100]) {
        println!("{quota}: at the upstream {}, {:?}", record.worst_at_upstream(five), record.statuses());
        assert_eq!(record.worst(five), quota, "{:?}", record.statuses());
        // As soon as units come back, somebody gets them.
        assert!(record.passed() > 2 * quota, "{:?}", record.statuses());
    }
    stage.assert_no_trap();
}

#[test]
fn exactly_a_quota_of_thousands_passes_in_the_worst_trailing_window_of_two_envoys() {
    let ten = Duration::from_secs(10);
    let stage = start(by_path(&[("many", "quota: 2000, window: 10s", "on_outage: deny")]));
    let record = stage.flood("/many", &new_key(), ten * 5 / 2, || ());
    println!("at the upstream {}, {:?}", record.worst_at_upstream(ten), record.statuses());
    assert_eq!(record.worst(ten), 2_000, "{:?}", record.statuses());
    stage.assert_no_trap();
}
