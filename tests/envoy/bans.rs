//! Bans that grow: policies that count what others reject.

use std::thread;
use std::time::Duration;

use crate::harness::{Gateway, Setup, new_key};

/// One request a second; a ban of 4 s after 3 rejections in 4 s, and one of an hour after 8 in an hour.
const POLICY: &str = "
keys:
  key: { header: authorization, scheme: Bearer }
policies:
  - name: ban_long
    key: key
    count: rejected
    limits: [{ quota: 8, window: 1h }]
    block_for: 1h
  - name: ban
    key: key
    count: rejected
    limits: [{ quota: 3, window: 4s }]
    block_for: 4s
  - name: api
    key: key
    limits: [{ quota: 1, window: 1s }]
";

/// The waits that these requests are told; 0 for one that passes.
fn waits(gateway: &Gateway, key: &str, times: usize) -> Vec<u64> {
    let request = gateway.get("/").key(key);
    let wait = |_| {
        let response = request.send();
        if response.status == 200 { 0 } else { response.retry_after() }
    };
    (0..times).map(wait).collect()
}

#[test]
fn a_caller_that_does_not_stop_is_banned_for_longer_each_time() {
    let gateway = Setup::yaml(POLICY).workers(2).start();
    let key = new_key();
    assert_eq!(waits(&gateway, &key, 5), [0, 1, 1, 4, 4], "the third rejection announces the ban");
    // What is tried meanwhile does not prolong the ban, but brings the next one nearer.
    thread::sleep(Duration::from_secs(1));
    assert!(waits(&gateway, &key, 1)[0] <= 3);
    thread::sleep(Duration::from_millis(3_100));
    assert_eq!(waits(&gateway, &key, 1), [0], "the ban is over");
    // Five rejections so far. The third one from here announces the long ban, and the next one begins it.
    let told = waits(&gateway, &key, 4);
    assert!(told[..2] == [1, 1] && told[2] > 3_500 && told[3] == 3_600, "{told:?}");
    thread::sleep(Duration::from_secs(5));
    let wait = waits(&gateway, &key, 1)[0];
    assert!((3_590..3_600).contains(&wait), "{wait}");
    assert_eq!(waits(&gateway, &new_key(), 1), [0], "nobody else is banned");
}

#[test]
fn a_429_of_the_upstream_is_no_rejection() {
    let gateway = Setup::yaml(POLICY.replace("quota: 1, window: 1s", "quota: 100, window: 1s")).start();
    let request = gateway.get("/").key(new_key()).answered(429);
    for _ in 0..20 {
        request.send().lacks("retry-after");
    }
}
