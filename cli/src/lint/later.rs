//! `after`: a limit that counts a request only once it has lasted for a while.

use super::Warning;
use tollgate::compile::Configuration;
use tollgate::limiter::Limit;
use tollgate::rules::{Mode, Policy};
use tollgate::time::in_words;

/// Warns if nothing limits the requests that have not lasted long enough to count.
pub(super) fn warn_later(set: &Configuration, policy: &Policy, path: &str, warnings: &mut Vec<Warning>) {
    let later = |limit: &&Limit| limit.algorithm.counted_after() > 0;
    let Some(index) = policy.limits().iter().position(|limit| later(&limit)) else { return };
    let Some(limit) = policy.limits().get(index) else { return };
    let limits_all = |other: &Policy| {
        let enforced = other.name == policy.name || other.mode != Mode::Shadow;
        enforced && other.key == policy.key && other.limits().iter().any(Limit::counts_on_arrival)
    };
    if !set.rules.policies.iter().any(limits_all) {
        let after = in_words(limit.algorithm.counted_after());
        warnings.push(Warning::new(
            format!("{path}.limits[{index}].after"),
            format!(
                "nothing limits requests of up to {after}: a client that opens thousands at once has them all in flight before the \
                 first counts; set another limit for the same key, such as one of algorithm {} without after",
                limit.algorithm.word()
            ),
        ));
    }
}
