//! One line about each decision, for Envoy's access logs.

use super::decimal::push_decimal;
use super::{DescribedLimit, ReplyRules, described, most_constrained, rejecting};
use crate::decision::{Decision, PolicyDecision};
use crate::limiter::Verdict;

impl ReplyRules {
    /// The line that an access log shows as `%FILTER_STATE(wasm.tollgate:PLAIN)%`, such as `decision=refused
    /// policy=ip limit=minute quota=50 remaining=0 retry_after=7 near=false`. `None`: access log lines are
    /// not configured. No value in it needs quotes, and none comes from a client.
    pub fn access_line(&self, decision: &Decision) -> Option<String> {
        self.access_log.then(|| line(self, decision))
    }

    /// Whether an admitted request has left its caller with a tenth of some quota of this policy, or less
    /// (FA-26).
    pub fn near_limit(&self, one: &PolicyDecision) -> bool {
        one.outcome.verdicts.iter().any(Verdict::near_limit)
    }
}

fn line(rules: &ReplyRules, decision: &Decision) -> String {
    const USUAL_LEN: usize = 128;
    let mut line = String::with_capacity(USUAL_LEN);
    let rejected = decision.rejecting();
    line.push_str(if rejected.is_some() { "decision=refused" } else { "decision=admitted" });
    let limit = match rejected {
        Some(one) => rejecting(&described(rules, std::slice::from_ref(one))),
        None => most_constrained(&described(rules, decision.policies())),
    };
    if let Some(DescribedLimit { policy, description, verdict, .. }) = limit {
        line.extend([" policy=", policy, " limit=", &description.name, " quota="]);
        push_decimal(&mut line, verdict.quota.into());
        line.push_str(" remaining=");
        push_decimal(&mut line, verdict.remaining);
    }
    if rejected.is_some() {
        line.push_str(" retry_after=");
        push_decimal(&mut line, rules.retry_after.seconds(decision));
    }
    let near = rejected.is_none() && decision.policies().iter().any(|one| rules.near_limit(one));
    line.push_str(if near { " near=true" } else { " near=false" });
    if decision.policies().iter().any(|one| one.outcome.overflowed) {
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
