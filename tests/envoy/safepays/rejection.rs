//! What a rejected client reads: SP-4, SP-5.

use super::*;
use crate::harness::Response;

/// A new key's first request beyond what it may, and the seconds that were left of the period.
fn rejection(period: Period, gateway: &Gateway) -> (Response, u64) {
    let (responses, left) = end_of(period, || {
        let request = ask(gateway, &new_key());
        (0..6).map(|_| request.send()).collect::<Vec<_>>()
    });
    let statuses: Vec<_> = responses.iter().map(|response| response.status).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 429]);
    (responses.into_iter().next_back().unwrap(), left)
}

#[test]
fn sp_4_the_body_is_the_documents_with_the_wait_until_the_minute_or_the_hour_ends() {
    let five_an_hour = file().replacing("quota: 10000,", "quota: 5,");
    for (setup, period) in [(five_a_minute(), Period::Minute), (five_an_hour, Period::Hour)] {
        let (rejected, left) = rejection(period, &setup.start());
        let wait = rejected.retry_after();
        assert!(wait.abs_diff(left) <= 2, "told {wait} s of {left} s");
        let body = format!(r#"{{"error": "Rate limit exceeded. Please retry after {wait} seconds."}}"#);
        assert_eq!(rejected.text(), body);
        assert!(rejected.json()["error"].is_string());
        assert_eq!(rejected.value("content-type"), "application/json");
        assert_eq!(rejected.number("content-length"), body.len() as u64);
    }
}

#[test]
fn sp_5_no_response_has_limit_headers() {
    let gateway = five_a_minute().start();
    let admitted = ask(&gateway, &new_key()).send();
    assert_eq!(admitted.status, 200);
    admitted.lacks("retry-after");
    for response in [admitted, rejection(Period::Minute, &gateway).0] {
        assert!(response.limit_headers().is_empty(), "{response:?}");
    }
}

#[test]
fn sp_5_the_wait_may_be_in_the_body_alone() {
    let setup = five_a_minute().replacing("reject:", "retry_after: { show: never }\nreject:");
    let (rejected, left) = rejection(Period::Minute, &setup.start());
    rejected.lacks("retry-after");
    let told = rejected.text().split(' ').find_map(|word| word.parse::<u64>().ok()).expect("a number");
    assert!(told.abs_diff(left) <= 2, "told {told} s of {left} s");
}
