//! Microsoft Graph.

use super::*;
use crate::harness::{HELD, Upstream, eventually, new_key};

const GRAPH: &str = concat!(
    r#"{"error":{"code":"TooManyRequests","innerError":{"code":"429","message":"Please retry after","#,
    r#""request-id":"<id>","status":"429"},"message":"Please retry again later."}}"#
);

#[test]
fn microsoft_graph_allows_3500_units_in_ten_seconds_and_shows_what_a_request_cost() {
    let api = Api::of("microsoft-graph");
    api.answers(|| {
        let (app, tenant) = (new_key(), new_key());
        let ask = |path: &str| api.get(path).metadata("app", &app).metadata("tenant", &tenant);
        let members = ask("/v1.0/groups/1/transitiveMembers");
        let over = "retry-after: 1\ncontent-type: application/json";
        vec![
            admits(1, &ask("/v1.0/users/1"), "x-ms-resource-unit: 1"),
            admits(1, &ask("/v1.0/applications"), "x-ms-resource-unit: 2"),
            // 350 units come back each second.
            overruns(699, &members, 429, over, GRAPH),
        ]
    });
}

#[test]
fn microsoft_graph_shows_sharepoints_limit_from_80_percent_on() {
    let api = Api::of("microsoft-graph");
    api.answers(|| {
        let site = api.get("/v1.0/sites/1").metadata("app", new_key()).metadata("tenant", "1");
        let over = "ratelimit-limit: 1200\nratelimit-remaining: 0\nratelimit-reset: <60>
                    retry-after: <60>\ncontent-type: application/json";
        vec![
            admits(959, &site, ""),
            admits(1, &site, "ratelimit-limit: 1200\nratelimit-remaining: 240\nratelimit-reset: <60>"),
            admits(120, &site, "ratelimit-limit: 1200\nratelimit-remaining: 120\nratelimit-reset: <60>"),
            admits(120, &site, "ratelimit-limit: 1200\nratelimit-remaining: 0\nratelimit-reset: <60>"),
            rejects(&site, 429, over, GRAPH),
        ]
    });
}

#[test]
fn microsoft_graph_allows_four_requests_at_once_to_a_mailbox() {
    let upstream = Upstream::answering(&[]);
    let api = Api::with(published("microsoft-graph").upstream(upstream.address()));
    let mail = api.get(&format!("/v1.0/users/a@example.com/messages{HELD}")).metadata("app", "1");
    let held: Vec<_> = (0..4).map(|_| mail.begin()).collect();
    eventually("four requests", || (upstream.requests() == 4).then_some(()));
    let rejected = mail.send();
    assert_eq!((rejected.status, rejected.retry_after()), (429, 10));
    for _ in &held {
        eventually("a call", || upstream.next_call()).answer(200);
    }
    assert!(held.into_iter().all(|call| call.response().status == 200));
}
