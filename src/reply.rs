//! What is said about a decision, to clients and to operators' logs: plain values, which the glue sends.
//!
//! ```text
//! Decision ──rejection──▶ Reply           what a refused caller gets    template, message, wait
//!          ──headers────▶ limit headers   with every response
//!          ──access─────▶ a line          for access logs
//! ```
//!
//! Whatever of it does not depend on the request is prepared at load: a [`Saying`].

mod access_log;
mod decimal;
mod limit_headers;
mod local_reply;
mod message;
mod retry_after;
mod template;
mod value;

pub use limit_headers::{Describes, Format, HeaderRules, Names, Preset, Reset, Show, Upstream};
pub use local_reply::{Body, Rejection, Reply};
pub use message::Message;
pub use retry_after::RetryAfter;
pub use template::{Facts, Flaw, Place, Said, Template, Variable};
pub use value::Value;

use crate::decision::{Answer, Decision};
use crate::limiter::Verdict;
use crate::rules::Consumer;
use std::cmp::Reverse;
use std::sync::Arc;

/// A header's name, lower-case, and its value.
pub type Header<'a> = (&'a str, Value<'a>);

/// All that one configuration has to say.
#[derive(Clone, Debug, PartialEq)]
pub struct Saying {
    /// How refused callers are told to wait.
    pub retry_after: RetryAfter,
    /// Which limit headers responses carry, if any.
    pub headers: Option<HeaderRules>,
    /// Whether access logs get a line.
    pub access_log: bool,
    /// What is common to all refusals.
    pub rejection: Rejection,
    /// One for each policy.
    pub policies: Vec<PolicySaying>,
    /// The known clients, by index.
    pub consumers: Arc<[Consumer]>,
    /// The names of the tiers, by index.
    pub tiers: Vec<String>,
}

/// What is said about one policy.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicySaying {
    /// Its name.
    pub name: String,
    /// Its refusals.
    pub rejection: Rejection,
    /// For access logs: that it is this policy which has refused.
    pub details: String,
    /// One for each of its limits that has a name.
    pub limits: Vec<Words>,
}

/// What is said about one limit, as far as it is the same for all callers.
#[derive(Clone, Debug, PartialEq)]
pub struct Words {
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

impl Saying {
    /// The headers that every response to this request carries, the filter's own and the upstream's alike.
    pub fn limit_headers(&self, decision: &Decision) -> Vec<Header<'_>> {
        self.headers.as_ref().map(|rules| rules.say(self, decision)).unwrap_or_default()
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

    /// The names of the policies that would have refused if they were in force.
    fn shadow_refusals<'a>(&'a self, decision: &'a Decision) -> impl Iterator<Item = &'a str> {
        let refusals = decision.shadows().iter().filter(|answer| answer.refused());
        refusals.filter_map(|answer| self.policies.get(answer.policy)).map(|policy| policy.name.as_str())
    }

    /// What becomes of limit headers that the upstream has sent, as far as all of them go: whether none may stay.
    pub fn removes_limit_headers(&self) -> bool {
        self.headers.as_ref().is_some_and(|rules| rules.secret() && rules.upstream == Upstream::Replace)
    }

    /// Whether the upstream's limit headers stay in the place of ours.
    pub fn keeps_limit_headers(&self) -> bool {
        self.headers.as_ref().is_some_and(|rules| rules.upstream == Upstream::Keep)
    }
}

/// Whether headers of this lower-case name tell limits, in any of the spellings that APIs have.
pub fn tells_limits(name: &[u8]) -> bool {
    let rest = name.strip_prefix(b"x-").unwrap_or(name);
    rest.starts_with(b"ratelimit") || rest.starts_with(b"rate-limit")
}

/// One limit and its verdict, to be spoken about.
#[derive(Clone, Copy)]
struct Spoken<'a, 'd> {
    /// The policy's name.
    policy: &'a str,
    words: &'a Words,
    verdict: &'d Verdict,
}

/// All limits that a decision may speak about, in the order of the configuration.
fn spoken<'a, 'd>(rules: &'a Saying, decision: &'d Decision) -> Vec<Spoken<'a, 'd>> {
    let mut all = Vec::new();
    decision.answers().iter().for_each(|answer| add_spoken(&mut all, rules, answer));
    all
}

/// Those of one policy.
fn spoken_of<'a, 'd>(rules: &'a Saying, answer: &'d Answer) -> Vec<Spoken<'a, 'd>> {
    let mut all = Vec::new();
    add_spoken(&mut all, rules, answer);
    all
}

/// A limit without a name is not spoken about.
#[inline(never)]
fn add_spoken<'a, 'd>(all: &mut Vec<Spoken<'a, 'd>>, rules: &'a Saying, answer: &'d Answer) {
    let Some(policy) = rules.policies.get(answer.policy) else { return };
    for (words, verdict) in policy.limits.iter().zip(&answer.outcome.verdicts) {
        all.push(Spoken { policy: &policy.name, words, verdict });
    }
}

/// The limit at a place, as indexes of a policy and of its limit, if it applies.
#[inline]
fn spoken_at<'a, 'd>(
    rules: &'a Saying,
    decision: &'d Decision,
    place: (usize, usize),
) -> Option<Spoken<'a, 'd>> {
    let (policy, limit) = place;
    let verdict = decision.verdict(policy, limit)?;
    let policy = rules.policies.get(policy)?;
    Some(Spoken { policy: &policy.name, words: policy.limits.get(limit)?, verdict })
}

/// The limit that has the least left; one that refuses before one that does not, and the longer wait first.
fn tightest<'a, 'd>(limits: &[Spoken<'a, 'd>]) -> Option<Spoken<'a, 'd>> {
    first_by(limits, |verdict| (verdict.admitted, verdict.remaining, Reverse(verdict.retry_after)))
}

/// The limit that refuses for longest (BI-12); if none does, the tightest.
fn violated<'a, 'd>(limits: &[Spoken<'a, 'd>]) -> Option<Spoken<'a, 'd>> {
    first_by(limits, |verdict| (verdict.admitted, Reverse(verdict.retry_after), verdict.remaining))
}

fn first_by<'a, 'd, T: Ord>(
    limits: &[Spoken<'a, 'd>],
    order: impl Fn(&Verdict) -> T,
) -> Option<Spoken<'a, 'd>> {
    limits.iter().min_by_key(|limit| order(limit.verdict)).copied()
}
