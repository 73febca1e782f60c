//! Policies that are only tried out, or whose day has not come: they judge, count, and reject nothing.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::Duration;

use crate::harness::{Gateway, Request, Setup, Update, eventually, new_ip, new_key, unix_time};

const QUOTA: usize = 3;

/// Three an hour for each key, with these further fields, and a hundred for each address.
fn policy(fields: &str) -> String {
    format!(
        "keys: {{ api_key: {{ header: authorization, scheme: Bearer }}, ip: {{ client_ip: {{}} }} }}
policies:
  - {{ name: tried, key: api_key, limits: [{{ quota: {QUOTA}, window: 1h }}], {fields} }}
  - {{ name: address, key: ip, limits: [{{ quota: 100, window: 1h }}] }}
headers: {{ preset: ietf }}
"
    )
}

fn get(gateway: &Gateway) -> Request {
    gateway.get("/").key(new_key()).from(new_ip())
}

fn wait_for(gateway: &Gateway, metric: &str, count: u64) {
    eventually(metric, || (gateway.metric(metric) == count).then_some(()));
}

#[test]
fn a_policy_in_shadow_rejects_nothing_and_tells_nothing_but_its_counter() {
    let gateway = Setup::yaml(policy("mode: shadow")).alone().start();
    let request = get(&gateway);
    assert_eq!(request.admitted_of(10), 10);
    let response = request.send();
    assert_eq!(response.value("ratelimit-policy"), r#""address";q=100;w=3600"#);
    response.lacks("retry-after");

    wait_for(&gateway, "policy.tried.shadow_refused", 8);
    wait_for(&gateway, "policy.tried.admitted", 3);
    assert_eq!(gateway.metric("policy.tried.refused"), 0);
    wait_for(&gateway, "policy.address.admitted", 11);
    assert_eq!(gateway.metric("policy.address.shadow_refused"), 0);
}

#[test]
fn a_policy_in_shadow_takes_nothing_from_an_enforced_one_and_no_place_in_its_class() {
    let policy = "keys: { ip: { client_ip: {} } }
policies:
  - { name: tried, class: c, key: ip, mode: shadow, limits: [{ quota: 1, window: 1h }], block_for: 1h }
  - { name: enforced, class: c, key: ip, limits: [{ quota: 3, window: 1h }] }
";
    let gateway = Setup::yaml(policy).alone().start();
    let request = gateway.get("/").from(new_ip());
    assert_eq!(request.admitted_of(10), QUOTA);
    // What is rejected by others is not counted in shadow either; that it would be rejected is.
    wait_for(&gateway, "policy.enforced.refused", 7);
    wait_for(&gateway, "policy.tried.admitted", 1);
}

#[test]
fn fp_3_a_policy_is_enforced_when_its_instant_has_passed_whatever_its_offset() {
    for (instant, enforced) in [
        ("2016-05-19T00:00:00-06:00", true),
        ("2016-05-19T00:00:00Z", true),
        ("2999-05-19T00:00:00+02:00", false),
    ] {
        let gateway = Setup::yaml(policy(&format!("effective_from: '{instant}'"))).start();
        let request = get(&gateway);
        assert_eq!(request.admitted_of(10), if enforced { QUOTA } else { 10 }, "{instant}");
        let told = request.send().value("ratelimit-policy").contains("tried");
        assert_eq!(told, enforced, "{instant}");
    }
}

#[test]
fn fp_3_at_its_instant_a_policy_comes_into_force_with_what_it_has_counted() {
    let instant = unix_time() + Duration::from_secs(5);
    let text = jiff::Timestamp::from_second(instant.as_secs() as i64).unwrap();
    let instant = Duration::from_secs(instant.as_secs());
    let gateway = Setup::yaml(policy(&format!("effective_from: '{text}'"))).start();
    let request = get(&gateway);
    let before = request.admitted_of(10);
    if unix_time() < instant {
        assert_eq!(before, 10, "not yet in force");
    }
    // A worker looks at the wall clock once a second.
    std::thread::sleep(instant.saturating_sub(unix_time()) + Duration::from_millis(1_500));
    assert_eq!(request.admitted_of(10), 0);
    assert_eq!(get(&gateway).admitted_of(10), QUOTA);
}

#[test]
fn fp_2_a_policy_taken_out_of_shadow_has_counted_all_along() {
    let gateway = Setup::yaml(policy("mode: shadow")).live().start();
    let (spent, half) = (get(&gateway), get(&gateway));
    assert_eq!((spent.admitted_of(10), half.admitted_of(2)), (10, 2));
    assert_eq!(gateway.update(&policy("mode: enforce")), Update::Accepted);
    // A worker that has not changed over yet rejects nothing.
    let many_rejected = || (0..40).all(|_| spent.send().status == 429);
    eventually("both workers to enforce", || many_rejected().then_some(()));
    assert_eq!(half.admitted_of(10), 1);
}

#[test]
fn a_policy_in_shadow_counts_by_responses_and_in_flight_as_if_it_were_enforced() {
    let policy = "keys: { ip: { client_ip: {} } }
policies:
  - { name: failures, key: ip, mode: shadow, count_on: [401], limits: [{ quota: 2, window: 1h }] }
  - { name: costs, key: ip, mode: shadow, cost_header: x-cost, limits: [{ quota: 10, window: 1h }] }
  - { name: at_once, key: ip, mode: shadow, limits: [{ algorithm: concurrency, quota: 3 }] }
";
    let gateway = Setup::yaml(policy).alone().start();
    let request = gateway.get("/").from(new_ip());
    for _ in 0..4 {
        assert_eq!(request.clone().answered(401).answered_with("x-cost", "5").send().status, 401);
    }
    // The first two failed logins are counted when they are answered, and so is what they cost.
    wait_for(&gateway, "policy.failures.shadow_refused", 2);
    wait_for(&gateway, "policy.costs.shadow_refused", 2);
    wait_for(&gateway, "policy.at_once.admitted", 4);
    assert_eq!(gateway.metric("policy.at_once.shadow_refused"), 0);
}

/// An upstream that answers with the lines of the header `x-would` that it gets, joined with `|`.
fn reports_what_would_have_been() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port for the upstream");
    let address = listener.local_addr().expect("its address");
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || {
                let mut stream = BufReader::new(stream);
                loop {
                    let (mut seen, mut line) = (Vec::new(), String::new());
                    while stream.read_line(&mut line).is_ok_and(|read| read > 0) && line != "\r\n" {
                        seen.extend(line.strip_prefix("x-would:").map(|value| value.trim().to_string()));
                        line.clear();
                    }
                    let body = seen.join("|");
                    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                    if line.is_empty() || stream.get_mut().write_all(answer.as_bytes()).is_err() {
                        break;
                    }
                }
            });
        }
    });
    address
}

#[test]
fn the_upstream_is_shown_what_shadow_would_have_decided_and_nothing_that_clients_write() {
    let policy = policy("mode: shadow") + "exempt: [{ path: /healthz }]\nshadow_header: X-Would\n";
    let gateway = Setup::yaml(policy).upstream(reports_what_would_have_been()).start();
    let hostile = |request: Request| {
        request.header("x-would", "reject; policy=address").header("X-WOULD", "accept").header("x-would", "")
    };
    let request = hostile(get(&gateway));
    for _ in 0..QUOTA {
        assert_eq!(request.send().text(), "accept");
    }
    let would = request.send();
    let wait = would.text().strip_prefix("reject; policy=tried; limit=limit; retry_after=").unwrap();
    assert!((3_500..=3_600).contains(&wait.parse::<u32>().unwrap()), "{would:?}");
    // Without a key the policy does not apply, and no policy does to what is exempt.
    for path in ["/", "/healthz"] {
        assert_eq!(hostile(gateway.get(path).from(new_ip())).send().text(), "accept", "{path}");
    }
}
