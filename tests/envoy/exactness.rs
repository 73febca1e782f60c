//! Exactly as many as the policy says, whoever of Envoy's workers serves them.

use crate::harness::{Setup, Upstream, new_key, per_key};

#[test]
fn x_1_exactly_the_quota_passes_and_the_next_request_is_rejected() {
    for quota in [1, 2, 7, 300] {
        let gateway = Setup::yaml(per_key(quota, "1h")).start();
        let request = gateway.get("/").key(new_key());
        let quota = usize::try_from(quota).unwrap();
        assert_eq!(request.admitted_of(quota), quota);
        assert_eq!(request.send().status, 429);
    }
}

#[test]
fn x_1_only_admitted_requests_reach_the_upstream() {
    let upstream = Upstream::answering(&[]);
    let gateway = Setup::yaml(per_key(7, "1h")).upstream(upstream.address()).start();
    let request = gateway.get("/").key(new_key());
    assert_eq!(request.admitted_of(20), 7);
    assert_eq!(upstream.requests(), 7);
}

#[test]
fn x_3_all_workers_share_one_count() {
    const CONNECTIONS: usize = 40;
    const QUOTA: usize = 100;
    let gateway = Setup::yaml(per_key(100, "1h")).alone().start();
    let request = gateway.get("/").key(new_key());

    // The kernel deals connections out to the workers, so that among many each worker has some.
    let mut connections: Vec<_> = (0..CONNECTIONS).map(|_| request.connect()).collect();
    let mut admitted = 0;
    for _ in 0..5 {
        for connection in &mut connections {
            admitted += usize::from(connection.exchange(&request).status == 200);
        }
    }

    assert_eq!(admitted, QUOTA);
    for worker in [0, 1] {
        let name = format!("^listener.127.0.0.1_.*worker_{worker}.downstream_cx_total");
        let served = gateway.admin().statistics(&name);
        assert!(matches!(served.as_slice(), [(_, 1..)]), "worker {worker}: {served:?}");
    }
}
