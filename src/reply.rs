//! Turns a decision into what clients and operators see. Everything that does not depend on the request is
//! compiled at load, into [`ReplyRules`].
//!
//! ```text
//! Decision ──reply──────────▶ Reply             for a rejected request
//!          ──limit_headers──▶ limit headers     for every response
//!          ──access_line────▶ a line of text    for Envoy's access logs
//!          ──shadow_line────▶ a request header  for the upstream
//! ```

mod access_log;
mod decimal;
mod limit_headers;
mod local_reply;
mod message;
mod retry_after;
mod shadow;
mod template;
mod variable;

pub use access_log::{AccessLog, LogFormat};
pub use limit_headers::{
    Describes, HeaderForm, HeaderRules, HeaderValue, LimitChoice, LimitField, PRESETS, Preset, PresetFields,
    Reset, ResetFormat, ResetOnRejection, Show, UpstreamHeaders, is_limit_header,
};
pub use local_reply::{Body, ENVOY_RATELIMITED, Rejection, Reply};
pub use message::Message;
pub use retry_after::{MAX_TIMER_SECONDS, RetryAfter};
pub use template::{Template, TemplateError, TextKind, VariableSource};
pub use variable::{Rendered, Variable};

use crate::decision::{Decision, PolicyDecision, of_each_policy};
use crate::limiter::Verdict;
use crate::rules::Consumer;
use crate::time::SECOND;
use std::borrow::Cow;
use std::cmp::Reverse;
use std::sync::Arc;

/// A header's name, in lower case, and its value.
pub type Header<'a> = (&'a str, Cow<'a, str>);

/// One configuration's replies, limit headers and access log lines, compiled.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplyRules {
    /// How the wait in `retry-after` is computed.
    pub retry_after: RetryAfter,
    /// The sets of limit headers that responses carry, in the order of the configuration.
    pub headers: Vec<HeaderRules>,
    /// The request header that shows the upstream what policies in shadow would have decided, if there is one.
    pub shadow_header: Option<String>,
    /// What access logs are told of each request. `None`: nothing.
    pub access_log: Option<AccessLog>,
    /// The rejection used if a policy's own cannot be found.
    pub rejection: Rejection,
    /// One entry for each policy, in the order of the configuration.
    pub policies: Vec<PolicyReplies>,
    /// The consumers, in the order of the configuration.
    pub consumers: Arc<[Consumer]>,
    /// The tiers' names, in the order of the configuration.
    pub tiers: Vec<String>,
}

/// What replies show of one policy.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyReplies {
    /// The policy's name.
    pub name: String,
    /// How it rejects requests.
    pub rejection: Rejection,
    /// Envoy's response code details of its rejections, which access logs show.
    pub details: String,
    /// One entry for each limit that has a name, in the order of the configuration.
    pub limits: Vec<LimitDescription>,
    /// By the number of a caller's limit set: the limits, by index, that verdicts are about, in order. `None`:
    /// all. Empty if they are about all limits for all callers.
    pub judging: Vec<Option<Vec<usize>>>,
}

impl PolicyReplies {
    /// The limit that a verdict is about, and its index, by the verdict's place in a decision.
    fn limit_at(&self, limit_set: usize, place: usize) -> Option<(usize, &LimitDescription)> {
        let index = match self.judging.get(limit_set) {
            Some(Some(judging)) => *judging.get(place)?,
            Some(None) | None => place,
        };
        Some((index, self.limits.get(index)?))
    }

    /// The place of the verdict on a limit, by its index. `None`: there is none.
    fn place_of(&self, limit_set: usize, limit: usize) -> Option<usize> {
        match self.judging.get(limit_set) {
            Some(Some(judging)) => judging.iter().position(|judged| *judged == limit),
            Some(None) | None => Some(limit),
        }
    }
}

/// What replies show of one limit, as far as it is the same for all callers.
#[derive(Clone, Debug, PartialEq)]
pub struct LimitDescription {
    /// The limit's own name.
    pub name: String,
    /// Its name among the limits of all policies: `policy`, or `policy/limit` if the policy has several.
    pub reference: String,
    /// The length of its window in seconds. `None`: it has none.
    pub window: Option<u64>,
    /// Whether its window slides, rather than ending at fixed instants.
    pub slides: bool,
    /// How fast units come back, in millionths of a unit per second, by the number of the caller's limit set.
    /// `None`: it is the quota that verdicts show, per window.
    pub rates: Option<Box<[u64]>>,
    /// Whether it counts requests in flight.
    pub concurrent: bool,
    /// The limit's own message, if it has one.
    pub message: Option<Message>,
}

impl LimitDescription {
    /// Whether its window ends at an edge of the clock.
    fn is_aligned(&self) -> bool {
        self.window.is_some() && !self.slides
    }
}

impl ReplyRules {
    /// The limit headers that the response to this request carries, whether it is a rejection or the
    /// upstream's.
    pub fn limit_headers(&self, decision: &Decision) -> Vec<Header<'_>> {
        self.added_limit_headers(decision, &|_| false)
    }

    /// The same for the upstream's response, of which `has` says whether it has a header. What the upstream
    /// says in the headers of a set is one statement: if any of them is kept, that set is left out, because it
    /// would contradict it.
    pub fn added_limit_headers(&self, decision: &Decision, has: &dyn Fn(&str) -> bool) -> Vec<Header<'_>> {
        let mut headers = Vec::new();
        for set in &self.headers {
            let before = headers.len();
            set.render(self, decision, &mut headers);
            let mut added = headers.get(before..).unwrap_or_default().iter();
            if set.upstream == UpstreamHeaders::Keep && added.any(|(name, _)| has(name)) {
                headers.truncate(before);
            }
        }
        headers
    }

    /// The limit, by index, that a verdict of a policy is about, by the verdict's place. `None`: the policy has no
    /// such limit.
    pub fn limit_index(&self, one: &PolicyDecision, place: usize) -> Option<usize> {
        self.policies.get(one.policy)?.limit_at(one.limit_set, place).map(|(index, _)| index)
    }

    /// The consumer's name, or what names a caller that is none; empty if the caller is not known.
    pub(crate) fn consumer_name<'a>(&'a self, decision: &'a Decision) -> &'a str {
        let consumer = decision.consumer().and_then(|index| self.consumers.get(index));
        consumer.map_or_else(|| decision.unlisted_name(), |consumer| &consumer.name)
    }

    /// The name of the caller's tier; empty if there are no tiers.
    fn tier_name(&self, decision: &Decision) -> &str {
        decision.tier().and_then(|tier| self.tiers.get(tier)).map_or("", String::as_str)
    }

    /// The names of the policies in shadow mode that would have rejected the request.
    fn shadow_rejections<'a>(&'a self, decision: &'a Decision) -> impl Iterator<Item = &'a str> {
        let rejections = of_each_policy(decision.shadows()).filter(|one| one.rejected());
        rejections.filter_map(|one| self.policies.get(one.policy)).map(|policy| policy.name.as_str())
    }

    /// Whether all limit headers of the upstream are removed, since limits are secret.
    pub fn removes_limit_headers(&self) -> bool {
        self.headers.iter().any(|set| set.is_secret() && set.upstream == UpstreamHeaders::Replace)
    }

    /// Whether the limit headers count seconds from now. The upstream may have taken some.
    pub fn counts_from_now(&self) -> bool {
        self.headers.iter().any(HeaderRules::counts_from_now)
    }
}

/// One limit that replies may show, and its verdict.
#[derive(Clone, Copy)]
struct DescribedLimit<'a, 'd> {
    /// The name of the limit's policy.
    policy: &'a str,
    description: &'a LimitDescription,
    verdict: &'d Verdict,
    /// The decision of its policy.
    decision: &'d PolicyDecision,
    /// Its index among the limits of its policy.
    index: usize,
}

impl DescribedLimit<'_, '_> {
    /// The indexes of its policy and of itself.
    fn indexes(&self) -> (usize, usize) {
        (self.decision.policy, self.index)
    }

    /// The units used, at most the quota.
    fn used(&self) -> u64 {
        u64::from(self.verdict.quota).saturating_sub(self.verdict.remaining)
    }

    /// The share of the quota that is used, in whole percent.
    fn percent_used(&self) -> u64 {
        self.used().saturating_mul(100).checked_div(self.verdict.quota.into()).unwrap_or_default()
    }

    /// How fast units come back, in millionths of a unit per second; 0 if there is no window.
    fn rate(&self) -> u64 {
        let LimitDescription { window, rates, .. } = self.description;
        let own = rates.as_ref().and_then(|rates| match &self.decision.own_limits {
            None => rates.get(self.decision.limit_set).copied(),
            Some(own) => own.limit(self.index).map(|limit| rate(limit.quota.get(), limit.window / SECOND)),
        });
        own.unwrap_or_else(|| window.map_or(0, |window| rate(self.verdict.quota, window)))
    }
}

/// A quota per window in seconds, in millionths of a unit per second.
pub fn rate(quota: u32, window: u64) -> u64 {
    const MILLION: u64 = 1_000_000;
    u64::from(quota).saturating_mul(MILLION).checked_div(window).unwrap_or_default()
}

/// The named limits of these policies, in the order of the configuration. A limit without a name is never
/// shown.
fn described<'a, 'd>(rules: &'a ReplyRules, policies: &'d [PolicyDecision]) -> Vec<DescribedLimit<'a, 'd>> {
    let mut all = Vec::new();
    for one in of_each_policy(policies) {
        let Some(policy) = rules.policies.get(one.policy) else { continue };
        for (place, verdict) in one.outcome.verdicts.iter().enumerate() {
            let Some((index, description)) = policy.limit_at(one.limit_set, place) else { continue };
            all.push(DescribedLimit { policy: &policy.name, description, verdict, decision: one, index });
        }
    }
    all
}

/// The limit with these indexes of its policy and of itself. `None`: it does not apply.
#[inline]
fn described_at<'a, 'd>(
    rules: &'a ReplyRules,
    decision: &'d Decision,
    (policy, limit): (usize, usize),
) -> Option<DescribedLimit<'a, 'd>> {
    let decision = decision.of_policy(policy)?;
    let policy = rules.policies.get(policy)?;
    let verdict = decision.outcome.verdicts.get(policy.place_of(decision.limit_set, limit)?)?;
    let description = policy.limits.get(limit)?;
    Some(DescribedLimit { policy: &policy.name, description, verdict, decision, index: limit })
}

/// The limit with the least left. Of several, one that rejects, and the one with the longest wait.
fn most_constrained<'a, 'd>(limits: &[DescribedLimit<'a, 'd>]) -> Option<DescribedLimit<'a, 'd>> {
    first_by(limits, |verdict| (verdict.admitted, verdict.remaining, Reverse(verdict.retry_after)))
}

/// The limit that rejects for longest (BI-12). If none rejects, the one with the least left.
fn rejecting<'a, 'd>(limits: &[DescribedLimit<'a, 'd>]) -> Option<DescribedLimit<'a, 'd>> {
    first_by(limits, |verdict| (verdict.admitted, Reverse(verdict.retry_after), verdict.remaining))
}

fn first_by<'a, 'd, T: Ord>(
    limits: &[DescribedLimit<'a, 'd>],
    order: impl Fn(&Verdict) -> T,
) -> Option<DescribedLimit<'a, 'd>> {
    limits.iter().min_by_key(|limit| order(limit.verdict)).copied()
}
