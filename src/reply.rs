//! What is said about a decision, to clients and to operators' logs: plain values, which the glue sends.
//!
//! ```text
//! Decision ──rejection──▶ Reply           what a rejected caller gets    template, message, wait
//!          ──headers────▶ limit headers   with every response
//!          ──access─────▶ a line          for access logs
//! ```
//!
//! Whatever of it does not depend on the request is prepared at load: a [`ReplyRules`].

mod access_log;
mod decimal;
mod limit_headers;
mod local_reply;
mod message;
mod retry_after;
mod template;
mod value;

pub use limit_headers::{
    Describes, HeaderNames, HeaderRules, Preset, Reset, ResetFormat, Show, UpstreamHeaders,
};
pub use local_reply::{Body, Rejection, Reply};
pub use message::Message;
pub use retry_after::RetryAfter;
pub use template::{Rendered, Template, TemplateError, TextKind, Variable, VariableSource};
pub use value::HeaderValue;

use crate::decision::{Decision, PolicyDecision};
use crate::limiter::Verdict;
use crate::rules::Consumer;
use std::cmp::Reverse;
use std::sync::Arc;

/// A header's name, lower-case, and its value.
pub type Header<'a> = (&'a str, HeaderValue<'a>);

/// All that one configuration has to say.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplyRules {
    /// How rejected callers are told to wait.
    pub retry_after: RetryAfter,
    /// Which limit headers responses carry, if any.
    pub headers: Option<HeaderRules>,
    /// Whether access logs get a line.
    pub access_log: bool,
    /// What is common to all rejections.
    pub rejection: Rejection,
    /// One for each policy.
    pub policies: Vec<PolicyReplies>,
    /// The known clients, by index.
    pub consumers: Arc<[Consumer]>,
    /// The names of the tiers, by index.
    pub tiers: Vec<String>,
}

/// What is said about one policy.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyReplies {
    /// Its name.
    pub name: String,
    /// Its rejections.
    pub rejection: Rejection,
    /// For access logs: that it is this policy which has rejected.
    pub details: String,
    /// One for each of its limits that has a name.
    pub limits: Vec<LimitDescription>,
}

/// What is said about one limit, as far as it is the same for all callers.
#[derive(Clone, Debug, PartialEq)]
pub struct LimitDescription {
    /// Its name.
    pub name: String,
    /// What tells it from all others: `policy`, or `policy/limit` if there are several.
    pub reference: String,
    /// The length that its quota is for, in seconds. `None`: it has no window.
    pub window: Option<u64>,
    /// Whether its window moves with the clock, and has no edge of its own.
    pub slides: bool,
    /// Whether it counts requests in flight, and not requests.
    pub concurrent: bool,
    /// Its own message.
    pub message: Option<Message>,
}

impl ReplyRules {
    /// The headers that every response to this request carries, the filter's own and the upstream's alike.
    pub fn limit_headers(&self, decision: &Decision) -> Vec<Header<'_>> {
        self.headers.as_ref().map(|rules| rules.render(self, decision)).unwrap_or_default()
    }

    /// The name of the known client that asked; empty if it is none.
    pub(crate) fn consumer_name(&self, decision: &Decision) -> &str {
        let consumer = decision.consumer().and_then(|index| self.consumers.get(index));
        consumer.map_or("", |consumer| &consumer.name)
    }

    /// The tier of the client that asked; empty if there are none.
    fn tier_name(&self, decision: &Decision) -> &str {
        decision.tier().and_then(|tier| self.tiers.get(tier)).map_or("", String::as_str)
    }

    /// The names of the policies that would have rejected if they were in force.
    fn shadow_rejections<'a>(&'a self, decision: &'a Decision) -> impl Iterator<Item = &'a str> {
        let rejections = decision.shadows().iter().filter(|answer| answer.rejected());
        rejections.filter_map(|answer| self.policies.get(answer.policy)).map(|policy| policy.name.as_str())
    }

    /// What becomes of limit headers that the upstream has sent, as far as all of them go: whether none may stay.
    pub fn removes_limit_headers(&self) -> bool {
        self.headers
            .as_ref()
            .is_some_and(|rules| rules.secret() && rules.upstream == UpstreamHeaders::Replace)
    }

    /// Whether the upstream's limit headers stay in the place of ours.
    pub fn keeps_limit_headers(&self) -> bool {
        self.headers.as_ref().is_some_and(|rules| rules.upstream == UpstreamHeaders::Keep)
    }
}

/// Whether headers of this lower-case name tell limits, in any of the spellings that APIs have.
pub fn is_limit_header(name: &[u8]) -> bool {
    let rest = name.strip_prefix(b"x-").unwrap_or(name);
    rest.starts_with(b"ratelimit") || rest.starts_with(b"rate-limit")
}

/// One limit and its verdict, to be spoken about.
#[derive(Clone, Copy)]
struct DescribedLimit<'a, 'd> {
    /// The policy's name.
    policy: &'a str,
    description: &'a LimitDescription,
    verdict: &'d Verdict,
}

/// All limits that a decision may speak about, in the order of the configuration.
fn described<'a, 'd>(rules: &'a ReplyRules, decision: &'d Decision) -> Vec<DescribedLimit<'a, 'd>> {
    let mut all = Vec::new();
    decision.answers().iter().for_each(|answer| add_described(&mut all, rules, answer));
    all
}

/// Those of one policy.
fn described_of<'a, 'd>(rules: &'a ReplyRules, answer: &'d PolicyDecision) -> Vec<DescribedLimit<'a, 'd>> {
    let mut all = Vec::new();
    add_described(&mut all, rules, answer);
    all
}

/// A limit without a name is not spoken about.
#[inline(never)]
fn add_described<'a, 'd>(
    all: &mut Vec<DescribedLimit<'a, 'd>>,
    rules: &'a ReplyRules,
    answer: &'d PolicyDecision,
) {
    let Some(policy) = rules.policies.get(answer.policy) else { return };
    for (description, verdict) in policy.limits.iter().zip(&answer.outcome.verdicts) {
        all.push(DescribedLimit { policy: &policy.name, description, verdict });
    }
}

/// The limit at a place, as indexes of a policy and of its limit, if it applies.
#[inline]
fn described_at<'a, 'd>(
    rules: &'a ReplyRules,
    decision: &'d Decision,
    place: (usize, usize),
) -> Option<DescribedLimit<'a, 'd>> {
    let (policy, limit) = place;
    let verdict = decision.verdict(policy, limit)?;
    let policy = rules.policies.get(policy)?;
    Some(DescribedLimit { policy: &policy.name, description: policy.limits.get(limit)?, verdict })
}

/// The limit that has the least left; one that rejects before one that does not, and the longer wait first.
fn most_constrained<'a, 'd>(limits: &[DescribedLimit<'a, 'd>]) -> Option<DescribedLimit<'a, 'd>> {
    first_by(limits, |verdict| (verdict.admitted, verdict.remaining, Reverse(verdict.retry_after)))
}

/// The limit that rejects for longest (BI-12); if none does, the most_constrained.
fn violated<'a, 'd>(limits: &[DescribedLimit<'a, 'd>]) -> Option<DescribedLimit<'a, 'd>> {
    first_by(limits, |verdict| (verdict.admitted, Reverse(verdict.retry_after), verdict.remaining))
}

fn first_by<'a, 'd, T: Ord>(
    limits: &[DescribedLimit<'a, 'd>],
    order: impl Fn(&Verdict) -> T,
) -> Option<DescribedLimit<'a, 'd>> {
    limits.iter().min_by_key(|limit| order(limit.verdict)).copied()
}
