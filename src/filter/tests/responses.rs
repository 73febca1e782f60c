//! What responses report in headers and trailers.

use super::*;

const COSTS: &str = r#"{
    "keys": {"client": {"header": "x-client"}},
    "exempt": [{"headers": {"x-free": true}}],
    "policies": [
        {"name": "units", "key": "client", "cost": 10, "limits": [{"quota": 103, "window": "60s"}],
         "cost_header": {"name": "X-Cost", "remove": true, "without": 3}},
        {"name": "items", "key": "client", "limits": [{"algorithm": "stock", "quota": 50}],
         "stock_header": {"name": "x-items", "remove": true}, "refund_on": [409]}
    ]
}"#;

impl Worker {
    /// What is left of a response with these headers after it has passed the filter.
    fn answered(&self, client: &str, response: &[(&str, &str)]) -> Vec<(String, String)> {
        let (_, mut stream) = self.request(client);
        let response = response.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        let status = (":status".to_string(), "200".to_string());
        host(|knows| knows.response = [status].into_iter().chain(response).collect());
        stream.response(STREAM);
        host(|knows| knows.response[1..].to_vec())
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn b_responses_without_a_number_that_can_be_read_are_counted_and_cost_what_is_stated() {
    let worker = Worker::start(COSTS);
    for (i, cost) in ["12.5", "-3", "abc", ""].into_iter().enumerate() {
        let client = format!("client-{i}");
        worker.answered(&client, &[("x-cost", cost), ("x-items", "1")]);
        // 3 units are spent, and 100 are left for requests that hold 10 each.
        let held: Vec<_> = (0..20).map(|_| worker.request(&client)).collect();
        assert_eq!(held.iter().filter(|(flow, _)| *flow == Flow::Continue).count(), 10, "{cost:?}");
    }
    worker.answered("other", &[("x-items", "many")]);
    worker.answered("another", &[("x-cost", "4294967296"), ("x-items", "1")]);
    assert_eq!(worker.request("another").0, Flow::Answered);
    worker.root.tick();
    let counters = ["cost_missing", "cost_unreadable", "stock_missing", "stock_unreadable"];
    let [a, b] = ["units", "items"].map(|policy| {
        let known = |what: &&str| {
            host(|knows| {
                let name = format!("tollgate.policy.{policy}.{what}");
                knows.counters.iter().find(|(own, _)| *own == name).map(|(_, count)| *count)
            })
        };
        counters.each_ref().map(known)
    });
    assert_eq!(a, [Some(1), Some(4), None, None]);
    assert_eq!(b, [None, None, Some(0), Some(1)]);
}

#[wasm_bindgen_test(unsupported = test)]
fn b_a_header_that_is_not_for_clients_is_removed_from_every_response() {
    let worker = Worker::start(COSTS);
    let kept = [("x-other".to_string(), "7".to_string())];
    let response = [("x-cost", "7"), ("x-other", "7"), ("x-items", "1"), ("x-cost", "8")];
    assert_eq!(worker.answered("acme", &response), kept);
    // The policies do not apply to a request without a client.
    host(|knows| knows.request = vec![]);
    let mut stream = worker.root.create_stream(STREAM);
    assert_eq!(stream.request(STREAM), Flow::Continue);
    host(|knows| knows.response = vec![("x-cost".into(), "7".into()), kept[0].clone()]);
    stream.response(STREAM);
    assert_eq!(host(|knows| knows.response.clone()), kept);
    // Nor has the filter seen a request that another filter has answered before it.
    host(|knows| knows.response = vec![("x-cost".into(), "7".into()), kept[0].clone()]);
    worker.root.create_stream(STREAM).response(STREAM);
    assert_eq!(host(|knows| knows.response.clone()), kept);
}

const IN_TRAILERS: &str = r#"{
    "keys": {"client": {"header": "x-client"}},
    "policies": [{"name": "units", "key": "client", "cost": 10, "limits": [{"quota": 100, "window": "60s"}],
                  "match": [{"headers": {"x-other": true}, "cost": 1}, {}],
                  "cost_header": {"name": "x-cost", "remove": true, "in": "trailers"}}]
}"#;

#[wasm_bindgen_test(unsupported = test)]
fn a_cost_in_trailers_is_counted_when_they_come_and_removed() {
    let worker = Worker::start(IN_TRAILERS);
    let open = || {
        let (flow, mut stream) = worker.request("acme");
        assert_eq!(flow, Flow::Continue);
        host(|knows| {
            knows.response = vec![(":status".into(), "200".into()), ("x-cost".into(), "1".into())];
            knows.trailers = vec![("x-cost".into(), "70".into()), ("grpc-status".into(), "0".into())];
        });
        stream.response(STREAM);
        stream
    };
    let mut answered = open();
    assert_eq!(response_header("x-cost").as_deref(), Some("1"), "only the trailer is not for clients");
    answered.trailers(STREAM);
    assert_eq!(host(|knows| knows.trailers.clone()), [("grpc-status".to_string(), "0".to_string())]);
    drop(answered);
    // 70 are spent; those without a cost keep the 10 that they hold, however they end.
    let mut complete = open();
    complete.ends_without_trailers();
    drop(complete);
    drop(open());
    assert_eq!(worker.passed("acme", 5), 1);
    worker.root.tick();
    assert_eq!(counter("policy.units.cost_missing"), 2);
    // Nor has the filter decided about a request that another filter has answered before it.
    host(|knows| knows.trailers = vec![("x-cost".into(), "7".into())]);
    worker.root.create_stream(STREAM).trailers(STREAM);
    assert!(host(|knows| knows.trailers.is_empty()));
}
