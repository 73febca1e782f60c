//! Requests that cost more than a unit: by their policy, by their match, by what the response says.

use crate::harness::{
    Gateway, HELD, Period, Request, Setup, Upstream, end_of, eventually, new_key, per_algorithm, per_key,
};

const ALGORITHMS: [&str; 4] = ["sliding_window", "sliding_counter", "fixed_window", "token_bucket"];

/// Twenty units an hour for each key, with these further fields of the policy.
fn twenty(fields: &str) -> Gateway {
    twenty_of(fields).start()
}

fn twenty_of(fields: &str) -> Setup {
    let headers = "headers: { preset: x-ratelimit }\n";
    Setup::yaml(per_key(20, "1h") + &format!("    {fields}\n") + headers)
}

/// What a request leaves of the quota.
fn left(request: &Request) -> u64 {
    request.send().number("x-ratelimit-remaining")
}

#[test]
fn a_policy_can_cost_more_than_a_unit_and_a_match_something_else() {
    let gateway = twenty("cost: 3\n    match: [{ path: /export, cost: 10 }, { path: /ping, cost: 1 }, {}]");
    let key = new_key();
    let get = |target| gateway.get(target).key(&key);
    assert_eq!(left(&get("/")), 17);
    assert_eq!(left(&get("/export")), 7);
    // Ten are too many, three are not: who is rejected for one thing may still do another.
    let rejected = get("/export").send();
    assert_eq!((rejected.status, rejected.number("x-ratelimit-remaining")), (429, 7));
    assert_eq!(left(&get("/")), 4);
    assert_eq!(left(&get("/ping")), 3);
    assert_eq!(left(&get("/")), 0);
    assert_eq!(get("/ping").send().status, 429);
}

#[test]
fn what_costs_more_than_the_whole_quota_is_never_admitted() {
    let gateway = twenty("cost: 21");
    let request = gateway.get("/").key(new_key());
    for _ in 0..3 {
        let rejected = request.send();
        assert_eq!((rejected.status, rejected.number("x-ratelimit-remaining")), (429, 20));
        rejected.retry_after();
    }
}

#[test]
fn a_response_can_say_that_its_request_has_cost_more_or_less() {
    let gateway =
        Setup::yaml(per_algorithm(&ALGORITHMS, "quota: 20, window: 7d", "cost: 5\n    cost_header: X-Cost"))
            .start();
    for algorithm in ALGORITHMS {
        let path = format!("/{algorithm}");
        // One request that has said so, and others that are what their policy says.
        let others = |cost: &str| {
            let request = gateway.get(&path).key(new_key());
            let first = request.clone().answered_with("x-cost", cost).send();
            assert_eq!((first.status, first.value("x-cost")), (200, cost));
            request.admitted_of(10)
        };
        for (cost, expected) in
            [("5", 3), ("7", 2), ("11", 1), ("16", 0), ("20", 0), ("1000", 0), ("2", 3), ("0", 4)]
        {
            assert_eq!(others(cost), expected, "{algorithm} {cost}");
        }
    }
}

#[test]
fn a_response_that_says_nothing_or_nonsense_costs_what_was_charged() {
    let gateway = twenty("cost: 5\n    cost_header: x-cost");
    for nonsense in ["", "-1", "+7", "1.5", "0x7", "7 units", "1e3", "7,8", "\u{ff}", "NaN"] {
        let request = gateway.get("/").key(new_key());
        assert_eq!(request.clone().answered_with("x-cost", nonsense).send().status, 200);
        assert_eq!(left(&request), 10, "{nonsense:?}");
    }
    for much in ["99999999999999999999999999", "4294967296", "4294967295", "1000001"] {
        let request = gateway.get("/").key(new_key());
        assert_eq!(request.clone().answered_with("x-cost", much).send().status, 200);
        let rejected = request.send();
        assert_eq!((rejected.status, rejected.number("x-ratelimit-remaining")), (429, 0), "{much}");
    }
    let silent = gateway.get("/").key(new_key());
    assert_eq!((left(&silent), left(&silent)), (15, 10));
}

#[test]
fn of_repeated_cost_headers_the_first_counts() {
    let upstream = Upstream::answering(&[("x-cost", "2"), ("X-Cost", "9")]);
    let policy = per_key(20, "1h") + "    cost_header: x-cost\nheaders: { preset: x-ratelimit }\n";
    let gateway = Setup::yaml(policy).upstream(upstream.address()).start();
    let request = gateway.get("/").key(new_key());
    assert_eq!((left(&request), left(&request)), (18, 16));
}

#[test]
fn a_caller_can_not_say_what_its_request_costs() {
    let gateway = twenty("cost: 5\n    cost_header: x-cost");
    let request = gateway.get("/").key(new_key()).header("x-cost", "0");
    assert_eq!((left(&request), left(&request)), (15, 10));
    // A rejection has no response of the upstream.
    assert_eq!(request.admitted_of(3), 2);
    assert_eq!(request.admitted_of(3), 0);
}

#[test]
fn each_limit_of_a_policy_is_charged_the_cost_and_other_policies_are_not() {
    let policy = "keys: { api_key: { header: authorization, scheme: Bearer } }
policies:
  - name: units
    key: api_key
    cost: 4
    cost_header: x-cost
    limits: [{ name: hour, quota: 20, window: 1h }, { name: day, quota: 100, window: 1d }]
  - { name: requests, key: api_key, limits: [{ quota: 9, window: 1h }] }
headers: { preset: ietf }
";
    let gateway = Setup::yaml(policy).start();
    let request = gateway.get("/").key(new_key());
    let told = |request: &Request| {
        let response = request.send();
        let items = response.value("ratelimit").split(", ").map(|item| {
            let (_, left) = item.split_once(";r=").expect("what is left");
            left.split(';').next().and_then(|left| left.parse::<u64>().ok()).expect("a number")
        });
        items.collect::<Vec<_>>()
    };
    assert_eq!(told(&request.clone().answered_with("x-cost", "7")), [13, 93, 8]);
    assert_eq!(told(&request.clone().answered_with("x-cost", "1")), [12, 92, 7]);
    assert_eq!(told(&request), [8, 88, 6]);
}

#[test]
fn what_is_counted_by_its_response_costs_what_that_says() {
    let gateway = twenty("count_on: [2xx]\n    cost_header: x-cost");
    let request = gateway.get("/").key(new_key());
    let costs = |status, cost| request.clone().answered(status).answered_with("x-cost", cost).send();
    for status in [404, 500, 301] {
        assert_eq!(costs(status, "7").number("x-ratelimit-remaining"), 20, "{status}");
    }
    assert_eq!(costs(201, "7").number("x-ratelimit-remaining"), 13);
    assert_eq!(left(&request), 12);
}

#[test]
fn a_refund_gives_back_all_that_was_charged() {
    let gateway = twenty("cost: 5\n    cost_header: x-cost\n    refund_on: [5xx]");
    let request = gateway.get("/").key(new_key());
    for _ in 0..6 {
        let failed = request.clone().answered(503).answered_with("x-cost", "7").send();
        assert_eq!((failed.status, failed.number("x-ratelimit-remaining")), (503, 20));
    }
    assert_eq!(left(&request), 15);
}

#[test]
fn a_cost_of_millions_is_charged_in_full() {
    let policy =
        per_algorithm(&ALGORITHMS, "quota: 150000000, window: 300s", "cost: 1000\n    cost_header: x-cost")
            + "headers: { preset: x-ratelimit }\n";
    let gateway = Setup::yaml(policy.replace("preset: x-ratelimit", &described(&ALGORITHMS))).start();
    for algorithm in ALGORITHMS {
        let ((after, least, last), _) = end_of(Period::Minute, || {
            let request = gateway.get(&format!("/{algorithm}")).key(new_key());
            let left_after = |cost: &str| {
                request.clone().answered_with("x-cost", cost).send().number("x-ratelimit-remaining")
            };
            (left_after("149999000"), left_after("4294967295"), request.send().status)
        });
        // A bucket gets some back, half a unit a microsecond.
        let back = if algorithm == "token_bucket" { 150_000_000 } else { 1_000 };
        assert!((1_000..=back).contains(&after), "{algorithm}: {after}");
        assert_eq!((least, last), (0, 429), "{algorithm}");
    }
}

fn described(policies: &[&str]) -> String {
    format!("preset: x-ratelimit, describes: [{}]", policies.join(", "))
}

/// 50 units a second, and a burst of 100, written in two ways.
#[test]
fn the_told_wait_of_a_bucket_that_owes_is_the_true_one_however_its_rate_is_written() {
    for rate in ["quota: 50, window: 1s", "quota: 3000, window: 60s", "quota: 180000, window: 1h"] {
        let limit = format!("algorithm: token_bucket, {rate}, burst: 100");
        let policy = crate::harness::per_key_limit(&limit) + "    cost: 10\n    cost_header: x-cost\n";
        let served = Setup::yaml(policy).start_served();
        let new = || served.gateway.get(HELD).key(new_key()).answered_with("x-cost", "1000");
        let request = new();
        // One answer of 1,000 is 900 more than there are, and 10 for the next one: 18.2 s.
        assert_eq!(served.at_once(std::slice::from_ref(&request), 200), [200]);
        let rejected = request.send();
        assert_eq!(rejected.status, 429);
        assert!((18..=19).contains(&rejected.retry_after()), "{rate}: {}", rejected.retry_after());
        // Ten at once are 9,900 more: 198.2 s.
        let ten = new();
        assert_eq!(served.at_once(&vec![ten.clone(); 10], 200), [200; 10]);
        let rejected = ten.send();
        assert!((195..=199).contains(&rejected.retry_after()), "{rate}: {}", rejected.retry_after());
    }
}

#[test]
fn responses_without_a_readable_cost_are_counted() {
    let gateway = twenty_of("cost: 5\n    cost_header: { name: x-cost, without: 2 }").alone().start();
    let request = gateway.get("/").key(new_key());
    for (i, nonsense) in ["12.5", "-3", "abc", ""].into_iter().enumerate() {
        let left = left(&request.clone().answered_with("x-cost", nonsense));
        assert_eq!(left, 20 - 2 * (i as u64 + 1), "{nonsense:?}");
    }
    assert_eq!(left(&request), 10);
    assert_eq!(left(&request.clone().answered_with("x-cost", "0")), 10);
    for (counter, expected) in [("unreadable", 4), ("missing", 1)] {
        let count = || gateway.metric(&format!("policy.key.cost_{counter}"));
        eventually("the counters", || (count() >= expected).then_some(()));
        assert_eq!(count(), expected, "{counter}");
    }
}

#[test]
fn a_cost_header_that_is_not_for_clients_reaches_none_of_them() {
    let upstream = Upstream::answering(&[("x-cost", "7"), ("x-cost", "8"), ("x-other", "1")]);
    let policy = per_key(20, "1h")
        + "    cost: 2\n    match: [{ path: /api }]\n    cost_header: { name: X-Cost, remove: true }\n"
        + "exempt: [{ path: /free }]\nheaders: { preset: x-ratelimit }\n";
    let gateway = Setup::yaml(policy).upstream(upstream.address()).start();
    for (path, remaining) in [("/api", Some(13)), ("/api", Some(6)), ("/free", None), ("/elsewhere", None)] {
        let response = gateway.get(path).key("key").send();
        response.lacks("x-cost");
        assert_eq!(response.value("x-other"), "1");
        match remaining {
            Some(remaining) => assert_eq!(response.number("x-ratelimit-remaining"), remaining),
            None => response.lacks("x-ratelimit-remaining"),
        }
    }
    let keyless = gateway.get("/api").send();
    assert_eq!(keyless.status, 200);
    keyless.lacks("x-cost");
}

/// A policy of 1,500 tokens whose requests hold as many as this.
fn tokens(hold: u32, algorithm: &str) -> String {
    crate::harness::per_key_limit(&format!("algorithm: {algorithm}, quota: 1500, window: 1h"))
        + &format!("    cost: {hold}\n    cost_header: x-tokens\nheaders: {{ preset: x-ratelimit }}\n")
}

#[test]
fn of_requests_that_come_at_once_as_many_reach_the_upstream_as_their_holds_leave_room_for() {
    for algorithm in ALGORITHMS {
        let served = Setup::yaml(tokens(750, algorithm)).start_served();
        let costs = |tokens: &str| {
            vec![served.gateway.get(HELD).key(new_key()).answered_with("x-tokens", tokens); 20]
        };
        // Held as they cost in the end: exactly the quota.
        let arrived = served.arrivals(|| drop(served.at_once(&costs("750"), 200)));
        assert_eq!(arrived, 2, "{algorithm}");
        // What was held too much comes back, and can be held by others.
        let less = costs("150");
        let rounds = [(); 3].map(|()| served.arrivals(|| drop(served.at_once(&less, 200))));
        assert_eq!(rounds, [2, 1, 1], "{algorithm}: 150 each");
        // More than is held passes the quota by in flight × (real − hold), and no more.
        let more = costs("1000");
        let rounds = [(); 3].map(|()| served.arrivals(|| drop(served.at_once(&more, 200))));
        assert_eq!(rounds, [2, 0, 0], "{algorithm}: 500 more than 1,500");
    }
}

#[test]
fn a_client_that_hangs_up_pays_what_it_held() {
    let served = Setup::yaml(tokens(500, "sliding_window")).start_served();
    let request = [served.gateway.get("/").key(new_key()).answered_with("x-tokens", "1")];
    let reached: usize = (0..10).map(|_| served.hung_up(&request)).sum();
    assert_eq!(reached, 3);
}
