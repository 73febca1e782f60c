//! The forms of limit headers that clients know, byte by byte.

use super::super::decimal::Decimal;
use super::super::{DescribedLimit, Header};

/// The names of headers with one number each, in lower case.
#[derive(Clone, Debug, PartialEq)]
pub struct HeaderNames {
    /// The quota.
    pub limit: String,
    /// What is left.
    pub remaining: String,
    /// When it is more again.
    pub reset: String,
    /// What is used, if it is told.
    pub used: Option<String>,
    /// The name of the policy, if it is told.
    pub resource: Option<String>,
}

impl HeaderNames {
    /// `x-ratelimit-limit`, `-remaining` and `-reset`.
    pub fn x_ratelimit() -> HeaderNames {
        let name = |last: &str| ["x-ratelimit-", last].concat();
        HeaderNames {
            limit: name("limit"),
            remaining: name("remaining"),
            reset: name("reset"),
            used: None,
            resource: None,
        }
    }

    /// The same, `-used` and `-resource`.
    pub fn github() -> HeaderNames {
        HeaderNames {
            used: Some("x-ratelimit-used".into()),
            resource: Some("x-ratelimit-resource".into()),
            ..HeaderNames::x_ratelimit()
        }
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        let always = [&self.limit, &self.remaining, &self.reset];
        always.into_iter().chain(&self.used).chain(&self.resource).map(String::as_str)
    }

    pub(super) fn render<'a>(&'a self, limit: DescribedLimit<'a, '_>, reset: u64) -> Vec<Header<'a>> {
        let quota = u64::from(limit.verdict.quota.get());
        let remaining = limit.verdict.remaining;
        let mut headers = Vec::with_capacity(5);
        headers.push((self.limit.as_str(), Decimal::new(quota).into()));
        headers.push((self.remaining.as_str(), Decimal::new(remaining).into()));
        headers.push((self.reset.as_str(), Decimal::new(reset).into()));
        headers.extend(self.used.as_deref().map(|name| {
            let used = quota.saturating_sub(remaining);
            (name, Decimal::new(used).into())
        }));
        headers.extend(self.resource.as_deref().map(|name| (name, limit.policy.into())));
        headers
    }
}

/// `x-ratelimit-limit: 10, 10;w=1;name="per-ip", 1000;w=3600;name="per-key"`: the quota that is told of, then all that
/// apply. What is left and the reset are of the one that is told of.
#[inline(never)]
pub(super) fn envoy<'a, 'd>(
    limit: DescribedLimit<'a, 'd>,
    reset: u64,
    all: &[DescribedLimit<'a, 'd>],
) -> Vec<Header<'a>> {
    let mut quotas = Decimal::new(limit.verdict.quota.get().into()).to_string();
    for limit in all {
        quotas.push_str(", ");
        quotas.push_str(&Decimal::new(limit.verdict.quota.get().into()));
        push_window(&mut quotas, *limit);
        quotas.extend([";name=\"", &limit.description.reference, "\""]);
    }
    vec![
        ("x-ratelimit-limit", quotas.into()),
        ("x-ratelimit-remaining", Decimal::new(limit.verdict.remaining).into()),
        ("x-ratelimit-reset", Decimal::new(reset).into()),
    ]
}

/// `ratelimit-policy: "burst";q=100;w=60` and `ratelimit: "burst";r=50;t=30`, lists of structured fields (RFC 9651).
/// HeaderNames have no character that such a field would escape.
#[inline(never)]
pub(super) fn ietf<'a, 'd>(
    limits: &[DescribedLimit<'a, 'd>],
    reset: impl Fn(DescribedLimit<'a, 'd>) -> u64,
) -> Vec<Header<'a>> {
    if limits.is_empty() {
        // An empty list is no field at all.
        return Vec::new();
    }
    let (mut policies, mut states) = (String::new(), String::new());
    for limit in limits {
        for list in [&mut policies, &mut states] {
            let comma = if list.is_empty() { "" } else { ", " };
            list.extend([comma, "\"", &limit.description.reference, "\""]);
        }
        policies.push_str(";q=");
        policies.push_str(&Decimal::new(limit.verdict.quota.get().into()));
        if limit.description.concurrent {
            policies.push_str(";qu=\"concurrent-requests\"");
        }
        push_window(&mut policies, *limit);
        states.push_str(";r=");
        states.push_str(&Decimal::new(limit.verdict.remaining));
        if limit.description.window.is_some() {
            states.push_str(";t=");
            states.push_str(&Decimal::new(reset(*limit)));
        }
    }
    vec![("ratelimit-policy", policies.into()), ("ratelimit", states.into())]
}

/// The window, if the limit has one.
fn push_window(out: &mut String, limit: DescribedLimit<'_, '_>) {
    if let Some(window) = limit.description.window {
        out.push_str(";w=");
        out.push_str(&Decimal::new(window));
    }
}
