//! A request without an answer is not free: of clients that hang up, of routes that time out, of upstreams
//! that break off.

use std::slice;
use std::time::Duration;

use crate::harness::{Crowd, Request, Served, Setup, free_address, new_key};

const QUOTA: usize = 10;
const TRIES: usize = 40;

const STOCK: &str = "limits: [{ algorithm: stock, quota: 10 }], refund_unless: [201]";
const RATE: &str = "limits: [{ quota: 10, window: 1h }], refund_on: [5xx]";
const LATE: &str = "limits: [{ quota: 10, window: 1h }], count_on: [401]";
const WAYS: [&str; 3] = [STOCK, RATE, LATE];

/// A filter that rejects every login.
const REFUSES: &str = r#"- name: later
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua
    default_source_code:
      inline_string: |
        function envoy_on_request(request)
          request:respond({ [":status"] = "401" }, "")
        end"#;

/// A policy with these fields for each caller.
fn setup(fields: &str) -> Setup {
    Setup::yaml(format!(
        "keys: {{ caller: {{ header: x-caller }} }}\npolicies: [{{ name: p, key: caller, {fields} }}]\n"
    ))
}

fn request(served: &Served) -> Request {
    served.gateway.request("POST", "/").header("x-caller", new_key()).header("content-length", "0")
}

/// One caller hangs up again and again: how often has it reached the upstream?
fn hang_ups(fields: &str) -> usize {
    let served = setup(fields).start_served();
    let request = request(&served);
    (0..TRIES).map(|_| served.hung_up(slice::from_ref(&request))).sum()
}

/// One caller is answered by Envoy, with this status, or rejected: how often has it reached the upstream?
fn unanswered(served: &Served, request: &Request, status: u16) -> usize {
    let attempt = || {
        let answered = request.send().status;
        assert!([status, 429].contains(&answered), "{answered}");
        usize::from(answered == status)
    };
    served.arrivals(|| {
        Crowd(4).sum_of(|| (0..TRIES / 4).map(|_| attempt()).sum());
    })
}

#[test]
fn a_client_that_hangs_up_has_spent_its_unit() {
    let reached = WAYS.map(hang_ups);
    assert_eq!(reached, [QUOTA; 3], "of {TRIES} by {WAYS:?}");
}

#[test]
fn clients_that_all_hang_up_at_once_have_spent_their_units() {
    let reached = WAYS.map(|fields| {
        let served = setup(fields).start_served();
        let requests = vec![request(&served); TRIES];
        (0..3).map(|_| served.hung_up(&requests)).sum::<usize>()
    });
    assert_eq!(reached, [QUOTA; 3], "of {} by {WAYS:?}", 3 * TRIES);
}

#[test]
fn a_timeout_of_the_route_gives_nothing_back() {
    let reached = WAYS.map(|fields| {
        let served = setup(fields).route("timeout: 0.2s").start_served();
        let request = request(&served).answered_after(Duration::from_secs(5));
        unanswered(&served, &request, 504)
    });
    assert_eq!(reached, [QUOTA; 3], "of {TRIES} by {WAYS:?}");
}

/// It is told of with 200, and in trailers or a header that no policy reads.
#[test]
fn a_timeout_of_the_route_gives_nothing_back_to_a_grpc_client() {
    let served = setup(STOCK).route("timeout: 0.2s").start_served();
    let request = request(&served).answered_after(Duration::from_secs(5));
    let request = request.header("content-type", "application/grpc").header("te", "trailers");
    let reached = served.arrivals(|| {
        Crowd(4).sum_of(|| (0..TRIES / 4).filter(|_| request.send().number("grpc-status") == 4).count());
    });
    assert_eq!(reached, QUOTA, "of {TRIES}");
}

#[test]
fn an_upstream_that_breaks_off_gives_nothing_back() {
    let reached = WAYS.map(|fields| {
        let served = setup(fields).start_served();
        unanswered(&served, &request(&served).reset_by_upstream(), 503)
    });
    assert_eq!(reached, [QUOTA; 3], "of {TRIES} by {WAYS:?}");
}

#[test]
fn an_upstream_that_can_not_be_reached_gives_nothing_back() {
    let nobody = free_address();
    let admitted = WAYS.map(|fields| {
        let gateway = setup(fields).upstream(nobody).start();
        let request = gateway.get("/").header("x-caller", new_key());
        (0..TRIES).filter(|_| request.send().status == 503).count()
    });
    assert_eq!(admitted, [QUOTA; 3], "of {TRIES} by {WAYS:?}");
}

/// The client's own doing: it announces a body that does not come.
#[test]
fn a_request_that_never_ends_gives_nothing_back() {
    const REFUSED: &str = "limits: [{ quota: 10, window: 1h }], refund_on: [4xx]";
    let ways = [STOCK, REFUSED, LATE];
    let reached = ways.map(|fields| {
        let served = setup(fields).manager("request_timeout: 0.2s").start_served();
        let request = served.gateway.request("POST", "/").header("x-caller", new_key());
        let request = request.header("content-length", "5").answered_after(Duration::from_secs(5));
        unanswered(&served, &request, 408)
    });
    assert_eq!(reached, [QUOTA; 3], "of {TRIES} by {ways:?}");
}

/// As of one that authenticates behind this one: only timeouts and failures are no answer.
#[test]
fn what_a_later_filter_answers_is_an_answer() {
    const REFUNDS: &str = "limits: [{ quota: 10, window: 1h }], refund_on: [401]";
    let admitted = [LATE, REFUNDS].map(|fields| {
        let gateway = setup(fields).later_filter(REFUSES).start();
        let request = gateway.get("/").header("x-caller", new_key());
        (0..TRIES).filter(|_| request.send().status == 401).count()
    });
    assert_eq!(admitted, [QUOTA, TRIES]);
}

/// Else the tests above would pass if nothing were ever given back.
#[test]
fn an_answer_of_the_upstream_gives_back_whatever_the_policy_says() {
    for (fields, status) in [(STOCK, 503), (STOCK, 504), (RATE, 503), (RATE, 504), (LATE, 503), (LATE, 200)] {
        let served = setup(fields).start_served();
        let request = request(&served).answered(status);
        let reached = served.arrivals(|| {
            for _ in 0..TRIES {
                assert_eq!(request.send().status, status, "{fields}");
            }
        });
        assert_eq!(reached, TRIES, "{fields}");
    }
}

#[test]
fn a_policy_can_say_that_no_answer_costs_nothing() {
    let ways = WAYS.map(|fields| format!("{fields}, unanswered: refund"));
    assert_eq!(ways.map(|fields| hang_ups(&fields)), [TRIES; 3]);
}

#[test]
fn a_policy_can_say_what_no_answer_costs() {
    // Three each, of ten: the fourth is the last that finds room for its one unit.
    assert_eq!(hang_ups(&format!("{RATE}, unanswered: 3")), 4);
    // Two each in the end, and five at first: the fourth would find 6 of 11.
    assert_eq!(hang_ups("limits: [{ quota: 11, window: 1h }], cost: 5, refund_on: [5xx], unanswered: 2"), 4);
    assert_eq!(hang_ups(&format!("{RATE}, unanswered: keep")), QUOTA);
}

/// What has not been said is what was held, or what the policy says instead.
#[test]
fn who_hangs_up_before_the_upstream_says_what_it_costs_pays_what_the_policy_says() {
    let costs = "limits: [{ quota: 100, window: 1h }], cost: 10, cost_header: x-cost";
    assert_eq!(hang_ups(costs), 10);
    assert_eq!(hang_ups(&format!("{costs}, unanswered: 50")), 2);
}
