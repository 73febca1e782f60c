//! The five systems' policies as they ship. In each container, several clients at once use up a quota, and
//! then a rejected client reads what the system's document says.
//!
//! Envoy sees all these clients under one address, that of the container's network.

use crate::container::Container;
use crate::harness::caller::new_key;
use crate::harness::clock::{Period, end_of, unix_time};
use crate::harness::crowd::Crowd;
use crate::harness::request::Request;
use crate::harness::response::Response;

/// How many clients there are, each on a connection of its own.
const CLIENTS: usize = 5;

/// Sends five requests more than the quota, from several clients at once, and checks that exactly the quota
/// is admitted. Returns the 429 of one more request.
fn rejection_after_exactly(quota: usize, request: &Request) -> Response {
    let each = (quota + 5) / CLIENTS;
    assert_eq!(Crowd(CLIENTS).admitted_of(each, request), quota);
    let rejected = request.send();
    assert_eq!(rejected.status, 429);
    rejected
}

/// Checks that the body is exactly this JSON text, and that the response must not be cached.
fn assert_body(response: &Response, text: &str) {
    assert_eq!(response.text(), text);
    assert_eq!(response.value("content-length"), text.len().to_string());
    assert_eq!(response.value("content-type"), "application/json");
    assert_eq!(response.value("cache-control"), "no-store");
}

/// The value of `retry-after`, which must be within a minute; rounding may add a second.
fn wait_within_a_minute(response: &Response) -> u64 {
    let wait = response.retry_after();
    assert!((1..=61).contains(&wait), "{wait} s");
    wait
}

/// Checks that there is no rate-limit header.
fn assert_no_limit_headers(response: &Response) {
    assert!(response.limit_headers().is_empty(), "{response:?}");
}

/// Checks the three rate-limit headers: the limit, what is left, and a reset within a minute.
fn assert_limit_headers(response: &Response, limit: u64, left: u64) {
    assert_eq!(response.limit_headers().len(), 3, "{response:?}");
    assert_eq!(response.number("x-ratelimit-limit"), limit);
    assert_eq!(response.number("x-ratelimit-remaining"), left);
    let (reset, now) = (response.number("x-ratelimit-reset"), unix_time().as_secs());
    assert!((now..=now + 62).contains(&reset), "reset {reset} at {now}");
}

#[test]
fn fp_4_fp_8_fp_9_facturapi_admits_20_heavy_writes_and_tells_the_wait_alone() {
    // In force, whatever the date is.
    let begun = ("2026-05-19T00:00:00-06:00", "2020-01-01T00:00:00-06:00");
    let container = Container::start("facturapi", &[begun]);
    let heavy = container.request("POST", "/v2/exports").header("content-length", "0");

    let rejected = rejection_after_exactly(20, &heavy);
    let wait = wait_within_a_minute(&rejected);
    assert_body(
        &rejected,
        &format!(
            r#"{{"code":"RATE_LIMIT_EXCEEDED","message":"Too many requests. Retry after {wait} seconds."}}"#
        ),
    );
    assert_no_limit_headers(&rejected);
    assert!(rejected.value("x-facturapi-log-id").len() >= 32, "{rejected:?}");
    container.assert_counted("heavy", 20, 6);

    // Another class has a quota of its own.
    let list = container.get("/v2/invoices").send();
    assert_eq!(list.status, 200);
    assert_no_limit_headers(&list);
}

#[test]
fn fa_3_fa_9_fa_14_factuarea_admits_10_a_minute_and_tells_the_minute() {
    let container = Container::start("factuarea", &[]);
    let list = container.get("/v1/invoices");

    let first = list.clone().key(new_key()).send();
    assert_eq!(first.status, 200);
    assert_limit_headers(&first, 10, 9);
    first.lacks("retry-after");

    let rejected = rejection_after_exactly(10, &list.key(new_key()));
    let json = rejected.json();
    let id = json["error"]["request_id"].as_str().expect("a request id");
    assert!(id.strip_prefix("req_").is_some_and(|id| id.len() >= 32), "{id}");
    assert_body(
        &rejected,
        &format!(
            r#"{{"error":{{"type":"rate_limit_error","code":"rate_limit_exceeded","message":"Has superado el límite de peticiones. Vuelve a intentarlo en unos segundos.","request_id":"{id}"}}}}"#
        ),
    );
    assert_limit_headers(&rejected, 10, 0);
    wait_within_a_minute(&rejected);
    container.assert_counted("api", 11, 6);
}

#[test]
fn sp_2_sp_4_sp_5_safepays_admits_1000_a_minute_and_tells_the_wait_in_the_body() {
    let container = Container::start("safepays", &[]);

    // This is a minute of the clock: if it ends during the test, the test repeats with another key. There is
    // one client only, because workers lease parts of quotas of 1,000 or more: another worker could be
    // rejected early.
    let mut turns = 0;
    let ((admitted, rejected), left) = end_of(Period::Minute, || {
        turns += 1;
        let request = container.get("/api/v2/invoice/7").key(new_key());
        (request.admitted_of(1_005), request.send())
    });
    assert_eq!((admitted, rejected.status), (1_000, 429));

    let wait = wait_within_a_minute(&rejected);
    assert!(wait.abs_diff(left) <= 2, "told {wait} s of {left} s");
    assert_body(
        &rejected,
        &format!(r#"{{"error": "Rate limit exceeded. Please retry after {wait} seconds."}}"#),
    );
    assert_no_limit_headers(&rejected);
    if turns == 1 {
        container.assert_counted("api", 1_000, 6);
    }

    // Nothing else is limited.
    assert_eq!(container.get("/health").key("any").admitted_of(50), 50);
}

const BILLIUM: &str =
    r#"{"statusCode":429,"message":"ThrottlerException: Too Many Requests","error":"Too Many Requests"}"#;

#[test]
fn bi_2_bi_7_billium_admits_50_an_address_and_says_so_as_nest_does() {
    let container = Container::start("billium", &[]);
    let rejected = rejection_after_exactly(50, &container.get("/invoices"));
    assert_body(&rejected, BILLIUM);
    wait_within_a_minute(&rejected);
    assert_no_limit_headers(&rejected);
    container.assert_counted("ip", 50, 6);
}

/// Behind a load balancer, Envoy in a container does know its clients' addresses.
#[test]
fn bi_3_bi_4_billium_admits_300_a_key_from_seven_addresses_behind_a_load_balancer() {
    let direct = "use_remote_address: true\n";
    let behind = "use_remote_address: true\n                xff_num_trusted_hops: 1\n";
    let container = Container::start("billium", &[(direct, behind)]);
    let key = new_key();
    let from = |last: usize| {
        container.get("/invoices").key(&key).header("x-forwarded-for", format!("203.0.113.{last}"))
    };
    let admitted: usize = (1..=6).map(|last| from(last).admitted_of(50)).sum();
    assert_eq!(admitted, 300);
    let rejected = from(7).send();
    assert_eq!(rejected.status, 429);
    assert_body(&rejected, BILLIUM);
    container.assert_counted("key", 300, 1);
}

#[test]
fn pa_1_pa_3_pa_8_parseo_admits_600_a_key_and_20_an_address_and_tells_both() {
    let container = Container::start("parseo", &[]);
    let list = container.get("/external/v1/invoices");
    let shop = list.clone().key("parseo_shop");
    for (request, quota) in [(shop, 600), (list, 20)] {
        let rejected = rejection_after_exactly(quota, &request);
        let wait = wait_within_a_minute(&rejected);
        let message = format!("Too many requests. Retry after {wait} seconds.");
        assert_body(&rejected, &format!(r#"{{"error":"rate_limited","message":"{message}"}}"#));
        assert_limit_headers(&rejected, quota as u64, 0);
        let reset = rejected.number("x-ratelimit-reset");
        assert!(reset + 1 >= unix_time().as_secs() + wait, "reset {reset}, wait {wait}");
    }
    container.assert_counted("key", 600, 6);
    container.assert_counted("anonymous", 20, 6);
}
