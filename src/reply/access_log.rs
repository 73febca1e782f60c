//! One line about a decision, for Envoy's access logs.

use super::decimal::Decimal;
use super::{DescribedLimit, ReplyRules, described, described_of, most_constrained, violated};
use crate::decision::{Decision, PolicyDecision};
use crate::limiter::Verdict;

/// What an access log shows as `%FILTER_STATE(wasm.tollgate:PLAIN)%`: words and what they are, such as
/// `decision=refused policy=ip limit=minute quota=50 remaining=0 retry_after=7 near=false`. `None`: it is not asked
/// for. No word in it needs quotes, and none is a client's.
impl ReplyRules {
    pub fn access_line(&self, decision: &Decision) -> Option<String> {
        self.access_log.then(|| line(self, decision))
    }
}

#[inline(never)]
fn line(rules: &ReplyRules, decision: &Decision) -> String {
    const USUAL: usize = 128;
    let mut line = String::with_capacity(USUAL);
    let rejecting = decision.violated();
    line.push_str(if rejecting.is_some() { "decision=refused" } else { "decision=admitted" });
    let limit = match rejecting {
        Some(answer) => violated(&described_of(rules, answer)),
        None => most_constrained(&described(rules, decision)),
    };
    if let Some(DescribedLimit { policy, description, verdict, .. }) = limit {
        line.extend([" policy=", policy, " limit=", &description.name, " quota="]);
        line.push_str(&Decimal::new(verdict.quota.get().into()));
        line.push_str(" remaining=");
        line.push_str(&Decimal::new(verdict.remaining));
    }
    if rejecting.is_some() {
        line.push_str(" retry_after=");
        line.push_str(&Decimal::new(rules.retry_after.seconds(decision)));
    }
    let near = rejecting.is_none() && decision.answers().iter().any(|answer| rules.near_limit(answer));
    line.push_str(if near { " near=true" } else { " near=false" });
    if decision.answers().iter().any(|answer| answer.outcome.overflowed) {
        line.push_str(" overflow=true");
    }
    for (word, name) in [(" consumer=", rules.consumer_name(decision)), (" tier=", rules.tier_name(decision))]
    {
        if !name.is_empty() {
            line.extend([word, name]);
        }
    }
    for (i, policy) in rules.shadow_rejections(decision).enumerate() {
        line.extend([if i == 0 { " shadow=" } else { "," }, policy]);
    }
    line
}

/// Whether an admitted request has left its caller with a tenth of some quota of this policy, or less (FA-26).
impl ReplyRules {
    pub fn near_limit(&self, answer: &PolicyDecision) -> bool {
        let limits = self.policies.get(answer.policy).map_or(0, |policy| policy.limits.len());
        answer.outcome.verdicts.iter().take(limits).any(Verdict::near_limit)
    }
}
