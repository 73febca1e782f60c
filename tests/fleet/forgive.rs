//! A caller of a fleet gets a fresh start, once over all Envoys.

use std::thread;
use std::time::Duration;

use crate::harness::unix_time;
use crate::stage::{Stage, by_path, start};

/// The digest of the key `shop`.
const SHOP: &str = "8d9001d32c6a703d95921a77115050f33dd823d3f1730bd35215dcbecad6dc20";

/// How many of so many requests pass, spread over both Envoys.
fn passed(stage: &Stage, key: &str, requests: usize) -> usize {
    (0..requests).map(|n| stage.get(n % 2, "/month").key(key).admitted_of(1)).sum()
}

#[test]
fn a_forgiven_caller_has_its_quota_once_more_over_all_envoys() {
    let instant = unix_time().as_secs() + 30;
    let mut before = String::new();
    tollgate::time::push_instant(&mut before, instant);
    let policy = by_path(&[("month", "quota: 20, window: month", "on_outage: deny")]);
    let entry = format!("\nforgive: [{{ key: api_key, sha256: {SHOP}, before: \"{before}\" }}]\n");
    let stage = start(policy + &entry);
    assert_eq!((passed(&stage, "shop", 60), passed(&stage, "bank", 60)), (20, 20));
    assert!(unix_time().as_secs() < instant, "the machine is too slow for this test");
    assert_eq!(passed(&stage, "shop", 20), 0);

    thread::sleep(Duration::from_secs(instant + 1).saturating_sub(unix_time()));
    assert_eq!((passed(&stage, "shop", 60), passed(&stage, "bank", 60)), (20, 0));

    // What the service knows outlives the Envoys, whose policy still has the entry.
    for i in [0, 1] {
        stage.kill_envoy(i);
        stage.start_envoy(i);
    }
    stage.until_joined();
    assert_eq!(passed(&stage, "shop", 60), 0);
    stage.assert_no_trap();
}
