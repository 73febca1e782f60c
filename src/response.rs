//! What is said to the client: the reply to a refused request, and limit headers. Plain values.

mod headers;

pub use headers::{HeaderRules, Reset, Upstream};

use crate::decision::Decision;
use crate::policy::PolicySet;
use crate::time::{Micros, seconds_up};

/// A header's name, lower-case, and its value.
pub type Header = (&'static str, String);

/// What a refused request is answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejection {
    /// 400 to 599.
    pub status: u32,
    /// As it is sent.
    pub body: String,
    /// A media type.
    pub content_type: String,
    /// `retry-after` is never more, in seconds.
    pub longest_wait: u64,
}

impl Default for Rejection {
    fn default() -> Self {
        Rejection::new(429, "Too many requests\n".into(), None)
    }
}

impl Rejection {
    /// Without a content type the body's first character decides: `{` and `[` begin JSON.
    pub fn new(status: u32, body: String, content_type: Option<String>) -> Rejection {
        let json = body.starts_with(['{', '[']);
        let fitting = if json { "application/json" } else { "text/plain; charset=utf-8" };
        let content_type = content_type.unwrap_or_else(|| fitting.into());
        Rejection { status, body, content_type, longest_wait: u64::MAX }
    }
}

/// A whole answer in the place of the upstream's.
#[derive(Debug, PartialEq)]
pub struct Reply<'a> {
    /// The HTTP status.
    pub status: u32,
    /// Without `content-length`, which Envoy adds.
    pub headers: Vec<(&'static str, String)>,
    /// For a HEAD request Envoy leaves it out.
    pub body: &'a str,
    /// For access logs: which policy refused.
    pub details: String,
}

/// The reply to a refused request; none to one that may pass.
pub fn reply<'a>(set: &'a PolicySet, decision: &Decision) -> Option<Reply<'a>> {
    let refusing = decision.answers().iter().find(|answer| answer.refused())?;
    let rejection = set.rejection();
    let wait = retry_after(decision.retry_after()).min(rejection.longest_wait);
    let policy = set.policies().get(refusing.policy).map_or("", |policy| policy.name());
    Some(Reply {
        status: rejection.status,
        headers: vec![
            ("content-type", rejection.content_type.clone()),
            ("cache-control", "no-store".into()),
            ("retry-after", wait.to_string()),
        ],
        body: &rejection.body,
        details: format!("tollgate_refused_by_{policy}"),
    })
}

/// The headers that every response to this request carries, the filter's own and the upstream's alike.
pub fn limit_headers(set: &PolicySet, decision: &Decision) -> Vec<Header> {
    set.headers().map(|rules| rules.say(decision)).unwrap_or_default()
}

/// Whole seconds, rounded up, at least 1: a 0 makes clients retry at once.
fn retry_after(wait: Micros) -> u64 {
    seconds_up(wait).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test(unsupported = test)]
    fn x_9_retry_after_is_rounded_up_and_at_least_1() {
        for (wait, seconds) in
            [(0, 1), (1, 1), (999_999, 1), (1_000_000, 1), (1_000_001, 2), (59_000_001, 60)]
        {
            assert_eq!(retry_after(wait), seconds, "{wait} µs");
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn x_4_a_content_type_fits_its_body() {
        assert_eq!(Rejection::new(429, "{}".into(), None).content_type, "application/json");
        assert_eq!(Rejection::new(429, "no".into(), None).content_type, "text/plain; charset=utf-8");
        assert_eq!(Rejection::new(429, "{}".into(), Some("a/b".into())).content_type, "a/b");
    }
}
