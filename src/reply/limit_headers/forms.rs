//! The forms of limit headers that clients know, to the byte.

use super::super::{DescribedLimit, Header, decimal, push_decimal};

/// The headers of Envoy's own limiters.
pub(super) const ENVOY: [&str; 3] = ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"];

/// The headers of the IETF's draft.
pub(super) const IETF: [&str; 2] = ["ratelimit-policy", "ratelimit"];

/// The lower-case names of headers that carry one value each.
#[derive(Clone, Debug, PartialEq)]
pub struct HeaderNames {
    /// The header with the quota.
    pub limit: String,
    /// The header with the units left.
    pub remaining: String,
    /// The header with the reset.
    pub reset: String,
    /// The header with the units used, if it is sent.
    pub used: Option<String>,
    /// The header with the policy's name, if it is sent.
    pub resource: Option<String>,
}

impl HeaderNames {
    /// `x-ratelimit-limit`, `-remaining` and `-reset`.
    pub fn x_ratelimit() -> HeaderNames {
        let [limit, remaining, reset] = ENVOY.map(String::from);
        HeaderNames { limit, remaining, reset, used: None, resource: None }
    }

    /// The same three, and `x-ratelimit-used` and `-resource`.
    pub fn github() -> HeaderNames {
        HeaderNames {
            used: Some("x-ratelimit-used".into()),
            resource: Some("x-ratelimit-resource".into()),
            ..HeaderNames::x_ratelimit()
        }
    }

    /// All names.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        let always = [&self.limit, &self.remaining, &self.reset];
        always.into_iter().chain(&self.used).chain(&self.resource).map(String::as_str)
    }

    pub(super) fn render<'a>(&'a self, limit: DescribedLimit<'a, '_>, reset: u64) -> Vec<Header<'a>> {
        let quota = u64::from(limit.verdict.quota.get());
        let remaining = limit.verdict.remaining;
        let mut headers = Vec::with_capacity(5);
        headers.push((self.limit.as_str(), decimal(quota)));
        headers.push((self.remaining.as_str(), decimal(remaining)));
        headers.push((self.reset.as_str(), decimal(reset)));
        headers.extend(self.used.as_deref().map(|name| {
            let used = quota.saturating_sub(remaining);
            (name, decimal(used))
        }));
        headers.extend(self.resource.as_deref().map(|name| (name, limit.policy.into())));
        headers
    }
}

/// `x-ratelimit-limit: 10, 10;w=1;name="per-ip", 1000;w=3600;name="per-key"`: the quota of the described
/// limit, then those of all limits that apply. The other headers are about the described limit.
pub(super) fn envoy<'a, 'd>(
    limit: DescribedLimit<'a, 'd>,
    reset: u64,
    all: &[DescribedLimit<'a, 'd>],
) -> Vec<Header<'a>> {
    let mut quotas = String::new();
    push_decimal(&mut quotas, limit.verdict.quota.get().into());
    for limit in all {
        quotas.push_str(", ");
        push_decimal(&mut quotas, limit.verdict.quota.get().into());
        push_window(&mut quotas, *limit);
        quotas.extend([";name=\"", &limit.description.reference, "\""]);
    }
    let [quota, remaining, at] = ENVOY;
    vec![(quota, quotas.into()), (remaining, decimal(limit.verdict.remaining)), (at, decimal(reset))]
}

/// `ratelimit-policy: "burst";q=100;w=60` and `ratelimit: "burst";r=50;t=30`, lists of structured fields (RFC
/// 9651). No limit's name has a character that such a field escapes.
pub(super) fn ietf<'a, 'd>(
    limits: &[DescribedLimit<'a, 'd>],
    reset: impl Fn(DescribedLimit<'a, 'd>) -> u64,
) -> Vec<Header<'a>> {
    if limits.is_empty() {
        // A structured field cannot be an empty list.
        return Vec::new();
    }
    let (mut policies, mut states) = (String::new(), String::new());
    for limit in limits {
        for list in [&mut policies, &mut states] {
            let comma = if list.is_empty() { "" } else { ", " };
            list.extend([comma, "\"", &limit.description.reference, "\""]);
        }
        policies.push_str(";q=");
        push_decimal(&mut policies, limit.verdict.quota.get().into());
        if limit.description.concurrent {
            policies.push_str(";qu=\"concurrent-requests\"");
        }
        push_window(&mut policies, *limit);
        states.push_str(";r=");
        push_decimal(&mut states, limit.verdict.remaining);
        if limit.description.window.is_some() {
            states.push_str(";t=");
            push_decimal(&mut states, reset(*limit));
        }
    }
    let [policy, state] = IETF;
    vec![(policy, policies.into()), (state, states.into())]
}

/// Appends the window, if the limit has one.
fn push_window(out: &mut String, limit: DescribedLimit<'_, '_>) {
    if let Some(window) = limit.description.window {
        out.push_str(";w=");
        push_decimal(out, window);
    }
}
