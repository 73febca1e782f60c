//! What the value of one limit header is. A preset is a list of such values and their headers' names.

use super::super::DescribedLimit;
use super::super::decimal::{decimal, push_decimal};
use super::ShownLimits;
use crate::config::{Field, Form, forms};
use std::borrow::Cow;

/// What the value of one header is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HeaderValue {
    /// The quota of the described limit.
    Limit,
    /// The units left of it.
    Remaining,
    /// Its reset.
    Reset,
    /// The units used of it.
    Used,
    /// The name of its policy.
    Resource,
    /// Its quota, then the quotas of all limits that apply, as Envoy's own limiters write them.
    EnvoyLimits,
    /// The quota and the window of each described limit, as the IETF's draft writes them.
    IetfPolicies,
    /// The units left of each described limit and its reset, as the IETF's draft writes them.
    IetfStates,
}

/// The digits of the usual reset: seconds since the UNIX epoch.
const EPOCH_SECONDS: usize = 10;

impl HeaderValue {
    /// The values whose headers a policy may name, and the fields for their names.
    pub const NAMED: &'static [(Field<&'static Form<String>>, HeaderValue)] = &[
        (name("limit", "for the quota"), HeaderValue::Limit),
        (name("remaining", "for the units left"), HeaderValue::Remaining),
        (name("reset", "for the reset"), HeaderValue::Reset),
        (name("used", "for the units used"), HeaderValue::Used),
        (name("resource", "for the name of the policy"), HeaderValue::Resource),
    ];

    /// These fields.
    #[allow(clippy::indexing_slicing, reason = "a constant: what is out of bounds does not compile")]
    pub const NAMES: &'static [Field] = &{
        let mut fields = [Self::NAMED[0].0.erased(); Self::NAMED.len()];
        let mut place = 0;
        while place < fields.len() {
            fields[place] = Self::NAMED[place].0.erased();
            place += 1;
        }
        fields
    };

    /// Whether it is about all described limits. Otherwise it is about one.
    pub(super) const fn is_list(self) -> bool {
        match self {
            HeaderValue::IetfPolicies | HeaderValue::IetfStates => true,
            HeaderValue::Limit
            | HeaderValue::Remaining
            | HeaderValue::Reset
            | HeaderValue::Used
            | HeaderValue::Resource
            | HeaderValue::EnvoyLimits => false,
        }
    }

    /// Whether it is the reset and nothing else.
    pub(super) fn is_reset(self) -> bool {
        self == HeaderValue::Reset
    }

    /// The value. `limit` is the first of those that are described.
    pub(super) fn render<'a>(
        self,
        limit: DescribedLimit<'a, '_>,
        shown: &ShownLimits<'a, '_, '_>,
    ) -> Cow<'a, str> {
        let quota = u64::from(limit.verdict.quota);
        let remaining = limit.verdict.remaining;
        match self {
            HeaderValue::Limit => decimal(quota),
            HeaderValue::Remaining => decimal(remaining),
            HeaderValue::Reset => {
                let mut reset = String::with_capacity(EPOCH_SECONDS);
                shown.push_reset(limit, &mut reset);
                reset.into()
            }
            HeaderValue::Used => decimal(limit.used()),
            HeaderValue::Resource => limit.policy.into(),
            HeaderValue::EnvoyLimits => envoy_limits(limit, &shown.applying()).into(),
            HeaderValue::IetfPolicies => list(shown.limits, ietf_policy).into(),
            HeaderValue::IetfStates => list(shown.limits, |limit, out| ietf_state(limit, shown, out)).into(),
        }
    }
}

const fn name(name: &'static str, about: &'static str) -> Field<&'static Form<String>> {
    Field::optional(name, &forms::HEADER, "the preset's, if it sends one", about)
}

/// `10, 10;w=1;name="per-ip", 1000;w=3600;name="per-key"` (draft-polli-ratelimit-headers-02 and -03).
fn envoy_limits(limit: DescribedLimit<'_, '_>, all: &[DescribedLimit<'_, '_>]) -> String {
    let mut quotas = String::new();
    push_decimal(&mut quotas, limit.verdict.quota.into());
    for limit in all {
        quotas.push_str(", ");
        push_decimal(&mut quotas, limit.verdict.quota.into());
        push_window(*limit, &mut quotas);
        quotas.extend([";name=\"", &limit.description.reference, "\""]);
    }
    quotas
}

/// A list of structured fields (RFC 9651), such as `"burst";q=100;w=60`: each limit's name, and what
/// `push_parameters` appends. No limit's name has a character that such a field escapes.
fn list<'a, 'd>(
    limits: &[DescribedLimit<'a, 'd>],
    push_parameters: impl Fn(DescribedLimit<'a, 'd>, &mut String),
) -> String {
    let mut list = String::new();
    for limit in limits {
        let comma = if list.is_empty() { "" } else { ", " };
        list.extend([comma, "\"", &limit.description.reference, "\""]);
        push_parameters(*limit, &mut list);
    }
    list
}

/// `;q=100;w=60` (draft-ietf-httpapi-ratelimit-headers-11).
fn ietf_policy(limit: DescribedLimit<'_, '_>, out: &mut String) {
    out.push_str(";q=");
    push_decimal(out, limit.verdict.quota.into());
    if limit.description.concurrent {
        out.push_str(";qu=\"concurrent-requests\"");
    }
    push_window(limit, out);
}

/// `;r=50;t=30`.
fn ietf_state<'a>(limit: DescribedLimit<'a, '_>, shown: &ShownLimits<'a, '_, '_>, out: &mut String) {
    out.push_str(";r=");
    push_decimal(out, limit.verdict.remaining);
    if limit.description.window.is_some() && !limit.verdict.is_excluded() {
        out.push_str(";t=");
        shown.push_reset(limit, out);
    }
}

/// Appends the window, if the limit has one.
fn push_window(limit: DescribedLimit<'_, '_>, out: &mut String) {
    if let Some(window) = limit.description.window {
        out.push_str(";w=");
        push_decimal(out, window);
    }
}
