//! Numbers that requests state, or an earlier filter: quotas, costs, and costs of nothing.

use crate::harness::{METADATA, Setup, new_key};

#[test]
fn a_request_that_costs_nothing_shows_what_is_left_and_is_never_rejected() {
    let policy = "keys: { key: { header: authorization, scheme: Bearer } }
headers: { preset: github }
policies:
  - name: api
    key: key
    match: [{ path: /rate_limit, cost: 0 }, {}]
    block_for: 1h
    limits: [{ quota: 3, window: 1h }]
";
    let gateway = Setup::yaml(policy).start();
    let key = new_key();
    let get = |target| gateway.get(target).key(&key).send();
    let left = || {
        let peek = get("/rate_limit");
        assert_eq!(peek.status, 200);
        (peek.number("x-ratelimit-remaining"), peek.number("x-ratelimit-used"))
    };
    assert_eq!(left(), (3, 0));
    for i in 1..=3 {
        assert_eq!(get("/").status, 200);
        assert_eq!(left(), (3 - i, i));
    }
    assert_eq!(get("/").status, 429);
    assert_eq!(left().0, 0, "a block does not reject it");
    // A path that only some servers read as this one is not free.
    assert_eq!(get("/rate_limit;x").status, 429);
}

#[test]
fn the_length_of_a_body_is_its_cost() {
    let policy = "keys: { key: { header: authorization, scheme: Bearer }, size: { header: content-length } }
headers: { preset: x-ratelimit }
policies:
  - name: uploads
    key: key
    cost: 50
    cost_from: { key: size, divide_by: 10, max: 50 }
    limits: [{ quota: 100, window: 1h }]
";
    let gateway = Setup::yaml(policy).start();
    let key = new_key();
    let put = |length: &str| gateway.request("PUT", "/").key(&key).header("content-length", length);
    let empty = put("0").send();
    assert_eq!((empty.status, empty.number("x-ratelimit-remaining")), (200, 100));
    let without = gateway.get("/").key(&key).send();
    assert_eq!(
        (without.status, without.number("x-ratelimit-remaining")),
        (200, 50),
        "without a length, cost"
    );
    assert_eq!(
        gateway
            .request("PUT", "/")
            .key(&key)
            .header("content-length", "5")
            .header("content-length", "7")
            .send()
            .status,
        400,
        "Envoy takes no two lengths"
    );
}

#[test]
fn an_earlier_filter_states_quota_and_cost_within_bounds() {
    let policy = format!(
        "keys:
  key: {{ header: authorization, scheme: Bearer }}
  rpm: {{ metadata: [{METADATA}, rpm] }}
  units: {{ metadata: [{METADATA}, units] }}
headers: {{ preset: x-ratelimit }}
policies:
  - name: api
    key: key
    cost_from: {{ key: units, min: 1, max: 20 }}
    limits: [{{ quota: 5, window: 1h, quota_from: {{ key: rpm, max: 1000 }} }}]
"
    );
    let gateway = Setup::yaml(policy).metadata_from_headers().start();
    let sent = |quota: &str, cost: &str| {
        let request = gateway.get("/").key(new_key()).metadata("rpm", quota).metadata("units", cost);
        let response = request.send();
        (response.status, response.number("x-ratelimit-limit"), response.number("x-ratelimit-remaining"))
    };
    assert_eq!(sent("40", "7"), (200, 40, 33));
    assert_eq!(sent("99999999999999999999", "99999999999999999999"), (200, 1000, 980));
    assert_eq!(sent("-1", "1.5"), (200, 5, 4), "what is no whole number is not believed");
    assert_eq!(sent("3", "9"), (429, 3, 3));
    assert_eq!(gateway.get("/").key(new_key()).send().number("x-ratelimit-limit"), 5);
}

#[test]
fn a_client_gains_nothing_by_a_second_number_that_its_server_may_read() {
    let policy = "keys: { key: { header: authorization, scheme: Bearer }, stated: { header: x-n } }
headers: { preset: x-ratelimit }
policies:
  - name: api
    key: key
    cost_from: { key: stated, max: 50 }
    limits: [{ quota: 100, window: 1h }]
";
    let gateway = Setup::yaml(policy).start();
    let left = |values: &[&str]| {
        let request = gateway.get("/").key(new_key());
        let request = values.iter().fold(request, |request, value| request.header("x-n", value));
        request.send().number("x-ratelimit-remaining")
    };
    assert_eq!((left(&["7"]), left(&["7", "40"]), left(&["", "40"]), left(&["7, 40"])), (93, 50, 50, 50));
    assert_eq!((left(&["0x28"]), left(&["+40"]), left(&["4e1"])), (50, 50, 50));
}
