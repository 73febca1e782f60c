//! Many clients at once on one key: the count stays exact when workers race for it.

use std::thread;

use crate::harness::{Request, Setup, new_key, per_key};

const THREADS: usize = 8;
const REQUESTS_EACH: usize = 150;

#[test]
fn x_3_eight_clients_on_one_key_get_exactly_the_quota() {
    const QUOTA: usize = 300;
    let gateway = Setup::yaml(per_key(300, "1h")).start();
    let request = gateway.get("/").key(new_key());
    assert_eq!(admitted_of_all_threads(&request), QUOTA);
    assert_eq!(request.send().status, 429);
}

#[test]
fn x_3_eight_clients_on_two_policies_get_exactly_the_smaller_quota() {
    const QUOTA: usize = 200;
    for charge in ["sequential", "all_or_nothing"] {
        let gateway = Setup::yaml(two_policies(charge)).start();
        let request = gateway.get("/").key(new_key());
        assert_eq!(admitted_of_all_threads(&request), QUOTA, "{charge}");
    }
}

fn admitted_of_all_threads(request: &Request) -> usize {
    thread::scope(|scope| {
        let threads: Vec<_> =
            (0..THREADS).map(|_| scope.spawn(|| request.admitted_of(REQUESTS_EACH))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}

fn two_policies(charge: &str) -> String {
    format!(
        "keys:
  client_ip: {{ client_ip: {{}} }}
  api_key: {{ header: authorization, scheme: Bearer }}
policies:
  - {{ name: ip, key: client_ip, limits: [{{ quota: 400, window: 1h }}] }}
  - {{ name: key, key: api_key, limits: [{{ quota: 200, window: 1h }}] }}
charge: {charge}
"
    )
}
