//! Counts that begin at zero: `reset_on` and `after_block: restart`.

use std::thread;
use std::time::Duration;

use crate::harness::{Gateway, Setup, new_ip, new_key};

/// Failed logins by account and address.
const LOGINS: &str = "
keys:
  client_ip: { client_ip: {} }
  account: { header: x-account }
policies:
  - name: login
    key: [account, client_ip]
    count_on: [401]
    reset_on: [2xx]
    limits: [{ quota: 5, window: 1h }]
";

/// The statuses that an account gets for what the upstream answers.
fn log_in(gateway: &Gateway, account: &str, from: std::net::Ipv4Addr, statuses: &[u16]) -> Vec<u16> {
    let one = |status: &u16| {
        gateway.get("/").from(from).header("x-account", account).answered(*status).send().status
    };
    statuses.iter().map(one).collect()
}

#[test]
fn a_good_login_clears_the_failed_ones_and_nobody_elses() {
    let gateway = Setup::yaml(LOGINS).workers(2).start();
    let (ip, own, victim) = (new_ip(), new_key(), new_key());
    let mixed = [401, 401, 401, 401, 200, 401, 401, 401, 401, 200];
    assert_eq!(log_in(&gateway, &own, ip, &mixed), mixed);
    // An attacker who logs in to an account of its own in between gets no further guess at another one.
    for _ in 0..5 {
        assert_eq!(log_in(&gateway, &victim, ip, &[401]), [401]);
        assert_eq!(log_in(&gateway, &own, ip, &[200]), [200]);
    }
    assert_eq!(log_in(&gateway, &victim, ip, &[401]), [429]);
}

#[test]
fn after_a_block_that_restarts_the_counts_the_whole_quota_is_there_again() {
    let policy = |after: &str| {
        format!(
            "
keys:
  key: {{ header: authorization, scheme: Bearer }}
policies:
  - name: p
    key: key
    limits: [{{ quota: 3, window: 1h }}]
    block_for: 2s
    after_block: {after}
"
        )
    };
    for (after, wait, passes) in [("restart", 2, 3), ("resume", 3_600, 0)] {
        let gateway = Setup::yaml(policy(after)).workers(2).start();
        let request = gateway.get("/").key(new_key());
        assert_eq!(request.admitted_of(3), 3);
        let rejected = request.send();
        assert_eq!((rejected.status, rejected.retry_after()), (429, wait), "{after}");
        thread::sleep(Duration::from_millis(1_000));
        assert_eq!(request.admitted_of(4), 0, "{after}");
        thread::sleep(Duration::from_millis(1_050));
        assert_eq!(request.admitted_of(5), passes, "{after}");
    }
}
