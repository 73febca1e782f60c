//! Requests that cost more than a unit: by their policy, by their match, by what the response says.

use crate::harness::{Gateway, Request, Setup, Upstream, new_key, per_algorithm, per_key};

const ALGORITHMS: [&str; 4] = ["sliding_window", "sliding_counter", "fixed_window", "token_bucket"];

/// Twenty units an hour for each key, with these further fields of the policy.
fn twenty(fields: &str) -> Gateway {
    let headers = "headers: { preset: x-ratelimit }\n";
    Setup::yaml(per_key(20, "1h") + &format!("    {fields}\n") + headers).start()
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
    for much in ["99999999999999999999999999", "4294967296", "1000001"] {
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
