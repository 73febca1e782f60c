//! Factuarea's document, clause by clause, on the policy file that ships.
//!
//! One Envoy serves the tests whose callers nobody else knows: a key that is no consumer's is one of the free
//! tier.

mod administrative;
mod auth_failures;
mod headers;
mod month;
mod near;
mod rejections;
mod tiers;
mod window;

use std::net::Ipv4Addr;
use std::sync::LazyLock;
use std::time::Duration;

use crate::harness::{Gateway, Request, Response, Setup, Shared, new_ip, new_key, unix_time};

/// What the free tier has a minute.
const FREE: usize = 10;

/// Times are kept by the millisecond, rounded up: a wait that is told at once may be a second longer than its
/// window.
const SLOT: u64 = 1;

/// The keys of one company, of the tiers pro and starter, and one of another company, with numbers of its
/// own.
const DASHBOARD: &str = "fact_dashboard";
const EXPORT: &str = "fact_export";
const LARGE: &str = "fact_large";

static GATEWAY: LazyLock<Gateway> = LazyLock::new(|| file().start());

fn gateway() -> Shared {
    Shared(&GATEWAY)
}

fn file() -> Setup {
    Setup::file("factuarea.yaml")
}

/// The same with limit headers that tell of the month.
fn telling_the_month() -> Setup {
    file().replacing("describes: api/minute", "describes: api/month")
}

/// A request of any method, without a body, from an address of its own.
fn ask(gateway: &Gateway, method: &str, path: &str) -> Request {
    gateway.request(method, path).header("content-length", "0").from(new_ip())
}

fn list(gateway: &Gateway, key: &str) -> Request {
    ask(gateway, "GET", "/v1/invoices").key(key)
}

fn limit(response: &Response) -> u64 {
    response.number("x-ratelimit-limit")
}

fn remaining(response: &Response) -> u64 {
    response.number("x-ratelimit-remaining")
}

fn reset(response: &Response) -> u64 {
    response.number("x-ratelimit-reset")
}

/// A response and the wall clock before it was asked for and after it came: somewhere between it was decided.
struct Timed {
    asked: Duration,
    response: Response,
    came: Duration,
}

fn timed(request: &Request) -> Timed {
    let asked = unix_time();
    let response = request.send();
    Timed { asked, response, came: unix_time() }
}

impl Timed {
    /// That these UNIX seconds, rounded up, are so long after the decision.
    fn assert_after(&self, told: u64, length: Duration) {
        self.assert_within(told, length, 0);
    }

    /// The same, or one second later: what a rejection's reset may be, since its wait is rounded up by
    /// itself.
    fn assert_at_most_a_second_after(&self, told: u64, length: Duration) {
        self.assert_within(told, length, 1);
    }

    fn assert_within(&self, told: u64, length: Duration, later: u64) {
        /// Workers look at the wall clock once a second.
        const READING: Duration = Duration::from_millis(100);
        let earliest = (self.asked + length - READING).as_secs_f64().ceil() as u64;
        let latest = (self.came + length + READING).as_secs_f64().ceil() as u64 + later;
        assert!((earliest..=latest).contains(&told), "{told} is not in {earliest}..={latest}");
    }
}

/// That it is a 429 whose body is the document's to the byte, with this code and this message.
fn assert_rejected(response: &Response, code: &str, message: &str) {
    assert_eq!(response.status, 429, "{response:?}");
    let id = request_id(response);
    let body = format!(
        r#"{{"error":{{"type":"rate_limit_error","code":"{code}","message":"{message}","request_id":"{id}"}}}}"#
    );
    assert_eq!(response.text(), body);
    assert_eq!(response.number("content-length"), body.len() as u64);
    assert_eq!(response.value("content-type"), "application/json");
}

/// The id in the body of a rejection.
fn request_id(rejected: &Response) -> String {
    let id = rejected.json()["error"]["request_id"].as_str().expect("a request id").to_owned();
    assert!(id.strip_prefix("req_").is_some_and(|id| id.len() >= 32), "{id}");
    id
}

/// Answered with 401 until the address is rejected. Answers how often that took.
fn failures_before_rejection(gateway: &Gateway, from: Ipv4Addr) -> usize {
    let attempt = |_: &usize| list(gateway, &new_key()).from(from).answered(401).send().status == 401;
    (0..50).take_while(attempt).count()
}
