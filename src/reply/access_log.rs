//! One line about a decision, for Envoy's access logs.

use super::decimal::Decimal;
use super::{Spoken, spoken, spoken_of, tightest, violated};
use crate::decision::{Answer, Decision};
use crate::limiter::Verdict;
use crate::policy::PolicySet;

/// What an access log shows as `%FILTER_STATE(wasm.tollgate:PLAIN)%`: words and what they are, such as
/// `decision=refused policy=ip limit=minute quota=50 remaining=0 retry_after=7 near=false`. `None`: it is not asked
/// for. No word in it needs quotes, and none is a client's.
#[inline]
pub fn access_line(set: &PolicySet, decision: &Decision) -> Option<String> {
    set.saying().access_log.then(|| line(set, decision))
}

#[inline(never)]
fn line(set: &PolicySet, decision: &Decision) -> String {
    const USUAL: usize = 128;
    let mut line = String::with_capacity(USUAL);
    let refusing = decision.violated();
    line.push_str(if refusing.is_some() { "decision=refused" } else { "decision=admitted" });
    let limit = match refusing {
        Some(answer) => violated(&spoken_of(set, answer)),
        None => tightest(&spoken(set, decision)),
    };
    if let Some(Spoken { policy, words, verdict, .. }) = limit {
        line.extend([" policy=", policy, " limit=", &words.name, " quota="]);
        line.push_str(&Decimal::new(verdict.quota.get().into()));
        line.push_str(" remaining=");
        line.push_str(&Decimal::new(verdict.remaining));
    }
    if refusing.is_some() {
        line.push_str(" retry_after=");
        line.push_str(&Decimal::new(set.saying().retry_after.seconds(decision)));
    }
    let near = refusing.is_none() && decision.answers().iter().any(|answer| near_limit(set, answer));
    line.push_str(if near { " near=true" } else { " near=false" });
    if decision.answers().iter().any(|answer| answer.outcome.overflowed) {
        line.push_str(" overflow=true");
    }
    for (word, name) in [(" consumer=", set.consumer_name(decision)), (" tier=", set.tier_name(decision))] {
        if !name.is_empty() {
            line.extend([word, name]);
        }
    }
    for (i, policy) in set.shadow_refusals(decision).enumerate() {
        line.extend([if i == 0 { " shadow=" } else { "," }, policy]);
    }
    line
}

/// Whether an admitted request has left its caller with a tenth of some quota of this policy, or less (FA-26).
pub fn near_limit(set: &PolicySet, answer: &Answer) -> bool {
    let limits = set.saying().policies.get(answer.policy).map_or(0, |saying| saying.limits.len());
    answer.outcome.verdicts.iter().take(limits).any(Verdict::near_limit)
}
