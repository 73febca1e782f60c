//! Counts outlive every process but Redis, and with its file on disk that, too.

use std::time::Duration;

use crate::harness::{new_key, within};
use crate::stage::{Stage, by_path, start};

fn monthly() -> Stage {
    start(by_path(&[("month", "quota: 100, window: month", "on_outage: deny")]))
}

/// How many of so many requests pass, spread over both Envoys. Every other answer must be a 429.
fn passed(stage: &Stage, key: &str, requests: usize) -> usize {
    (0..requests).map(|n| stage.get(n % 2, "/month").key(key).admitted_of(1)).sum()
}

/// Waits until the fleet decides again, without a count. A worker probes about once a second.
fn until_up(stage: &Stage) {
    for i in 0..stage.envoys() {
        let mut good = 0;
        within(Duration::from_secs(20), "each worker to be served again", || {
            let status = stage.get(i, "/month").key(new_key()).send().status;
            good = if status == 200 { good + 1 } else { 0 };
            // By as many connections as reach each worker.
            (good >= 12).then_some(())
        });
    }
}

#[test]
fn a_month_survives_a_restart_of_each_envoy() {
    let (stage, key) = (monthly(), new_key());
    assert_eq!(passed(&stage, &key, 60), 60);
    // What the workers have in hand is returned within two terms; a kill before that counts it as used.
    std::thread::sleep(Duration::from_secs(5));
    for i in [0, 1] {
        stage.kill_envoy(i);
        stage.start_envoy(i);
    }
    stage.until_joined();
    assert_eq!(passed(&stage, &key, 60), 40);
}

#[test]
fn a_month_survives_a_killed_service() {
    let (stage, key) = (monthly(), new_key());
    assert_eq!(passed(&stage, &key, 60), 60);
    stage.kill_service();
    stage.start_service();
    until_up(&stage);
    assert_eq!(passed(&stage, &key, 60), 40);
}

#[test]
fn a_month_survives_a_killed_redis() {
    let (stage, key) = (monthly(), new_key());
    assert_eq!(passed(&stage, &key, 60), 60);
    stage.kill_redis();
    stage.start_redis();
    until_up(&stage);
    assert_eq!(passed(&stage, &key, 60), 40);
}

#[test]
fn a_month_survives_a_restart_of_everything() {
    let (stage, key) = (monthly(), new_key());
    assert_eq!(passed(&stage, &key, 60), 60);
    std::thread::sleep(Duration::from_secs(5));
    (0..2).for_each(|i| stage.kill_envoy(i));
    stage.kill_service();
    stage.kill_redis();
    stage.start_redis();
    stage.start_service();
    (0..2).for_each(|i| stage.start_envoy(i));
    stage.until_joined();
    assert_eq!(passed(&stage, &key, 60), 40);
}
