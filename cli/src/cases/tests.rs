//! Cases, run: what no test file of the repository has.

use super::run::Runner;
use super::*;
use crate::document::{Document, Syntax};
use tollgate::compile::compile;

/// The differences of the only case of a test file, each with what, expected, found.
fn differences(policy: &str, requests: &str) -> Vec<(String, String, String)> {
    let read = |text: &str| Document::read(text, Syntax::Yaml).unwrap().value;
    let set = compile(&read(policy)).unwrap_or_else(|errors| panic!("{errors}"));
    let text = format!("cases: [{{ name: one, requests: [{requests}] }}]");
    let file = TestFile::read(&read(&text), &set).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
    let ran = run(&Runner::new(&set), &file.cases[0]);
    ran.differences.into_iter().map(|one| (one.what, one.expected, one.actual)).collect()
}

#[track_caller]
fn passes(policy: &str, requests: &str) {
    assert_eq!(differences(policy, requests), []);
}

fn policy(more: &str, limit: &str) -> String {
    format!(
        "keys: {{ k: {{ header: k }} }}\npolicies: [{{ name: p, key: k, {more} limits: [{{ {limit} }}] }}]\n"
    )
}

const ASK: &str = "request: /, headers: { k: a }";

#[test]
fn requests_are_in_flight_as_long_as_they_take() {
    let policy = policy("", "algorithm: concurrency, quota: 2");
    passes(
        &policy,
        &format!(
            "{{ {ASK}, times: 3, every: 1s, answer: {{ after: 2s }}, expect: {{ status: 200 }} }},
             {{ {ASK}, at: 500ms, expect: {{ status: 200 }} }},
             {{ {ASK}, at: 1500ms, expect: {{ status: 429 }} }},
             {{ {ASK}, at: 2s, answer: {{ after: 1h }}, expect: {{ status: 429 }} }},
             {{ {ASK}, at: 4s, answer: {{ after: 100d }}, expect: {{ status: 200 }} }},
             {{ {ASK}, at: 50d, times: 2, answer: {{ after: 1s }}, admitted: 1 }}"
        ),
    );
}

#[test]
fn what_a_body_or_a_trailer_reports_is_what_a_request_costs() {
    let of_body = policy("cost_body: { json: /usage/total },", "quota: 100, window: 1h");
    let answer = r#"answer: { body: '{"usage":{"total":60}}' }"#;
    passes(&of_body, &format!("{{ {ASK}, {answer} }}, {{ {ASK}, expect: {{ left: {{ p: 39 }} }} }}"));
    let not_json = r#"answer: { headers: { content-type: image/png }, body: '{"usage":{"total":60}}' }"#;
    passes(&of_body, &format!("{{ {ASK}, {not_json} }}, {{ {ASK}, expect: {{ left: {{ p: 98 }} }} }}"));
    let of_trailer = policy("cost_header: { name: x-cost, in: trailers },", "quota: 100, window: 1h");
    let answer = "answer: { trailers: { x-cost: 60 }, headers: { x-cost: 7 } }";
    passes(&of_trailer, &format!("{{ {ASK}, {answer} }}, {{ {ASK}, expect: {{ left: {{ p: 39 }} }} }}"));
}

#[test]
fn a_request_without_an_answer_is_settled_when_it_ends() {
    let kept = policy("count_on: [401],", "quota: 5, window: 1h");
    let policy = policy("count_on: [401], unanswered: refund,", "quota: 5, window: 1h");
    let three = format!("{{ {ASK}, answer: none, times: 3 }}, {{ {ASK}, expect: {{ left: {{ p: 2 }} }} }}");
    passes(&kept, &three);
    passes(
        &policy,
        &format!(
            "{{ {ASK}, answer: {{ status: none, after: 5s }}, times: 3 }},
             {{ {ASK}, at: 5s, expect: {{ decision: admitted, left: {{ p: 5 }} }} }}"
        ),
    );
    let status = differences(&policy, &format!("{{ {ASK}, answer: none, expect: {{ status: 200 }} }}"));
    assert_eq!(status, [("status".into(), "200".into(), "no answer".into())]);
}

#[test]
fn requests_are_sent_in_the_order_of_their_instants_not_of_the_file() {
    let policy = policy("", "quota: 1, window: 1h");
    passes(
        &policy,
        &format!(
            "{{ {ASK}, at: 2s, expect: {{ status: 429 }} }}, {{ {ASK}, at: 1s, expect: {{ status: 200 }} }},
             {{ {ASK}, wait: 1h, expect: {{ status: 200 }} }}"
        ),
    );
}

#[test]
fn zones_and_schedules_follow_the_clock_of_the_case() {
    // On 25 October 2026 the clocks of Madrid go back at 03:00, which is 01:00 UTC.
    let policy = "
keys: { k: { header: k } }
policies:
  - name: p
    key: k
    schedule: [{ days: [sun], from: '02:00', to: '04:00', time_zone: Europe/Madrid }]
    limits: [{ quota: 1, window: day, time_zone: Europe/Madrid }]
";
    let at = |instant: &str, status: u16| {
        format!("{{ {ASK}, at: '2026-10-25T{instant}', times: 2, last: {{ status: {status} }} }}")
    };
    let requests = [
        at("01:59:59+02:00", 200),
        at("02:00:00+02:00", 429),
        at("03:59:59+01:00", 429),
        at("04:00:00+01:00", 200),
    ];
    let text = requests.join(", ");
    passes(policy, &text);
}

#[test]
fn of_an_entry_the_first_request_that_differs_is_told_and_how_many_more() {
    let read = |text: &str| Document::read(text, Syntax::Yaml).unwrap().value;
    let set = compile(&read(&policy("", "quota: 2, window: 1h"))).unwrap();
    let text =
        format!("cases: [{{ name: one, requests: [{{ {ASK}, times: 10, expect: {{ status: 200 }} }}] }}]");
    let file = TestFile::read(&read(&text), &set).unwrap();
    let ran = run(&Runner::new(&set), &file.cases[0]);
    assert_eq!(ran.requests, 10);
    let [one] = ran.differences.as_slice() else { panic!("{ran:?}") };
    assert_eq!((one.number, one.times, one.more), (3, 10, 7));
    assert_eq!(one.path, "cases[0].requests[0].expect.status");
}

#[test]
fn many_requests_at_once_end() {
    let policy = policy("", "algorithm: concurrency, quota: 1000");
    passes(&policy, &format!("{{ {ASK}, times: 20000, answer: {{ after: 1h }}, admitted: 1000 }}"));
}
