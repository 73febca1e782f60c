//! What never has an effect, since something else always comes before it.

use super::super::Policy;
use super::Doubt;
use crate::limiter::{Algorithm, Limit};
use crate::time::Micros;

/// A limit that no request can meet, since another one of the policy admits no more in a longer time.
pub(super) fn doubt_limits(policy: &Policy, path: &str, doubts: &mut Vec<Doubt>) {
    for (i, (limit, name)) in policy.limits.iter().zip(&policy.limit_names).enumerate() {
        let Some(shorter) = window(limit) else { continue };
        let stricter = policy.limits.iter().zip(&policy.limit_names).find(|(other, _)| {
            other.quota <= limit.quota && window(other).is_some_and(|longer| longer > shorter)
        });
        if let Some((other, other_name)) = stricter {
            doubts.push(Doubt::new(
                format!("{path}.limits[{i}]"),
                format!(
                    "{name} never refuses anything: {other_name} admits {} in a longer time, and {name} {} in a shorter one",
                    other.quota, limit.quota
                ),
            ));
        }
    }
}

/// The time in which a limit admits its quota at most, if it has one.
fn window(limit: &Limit) -> Option<Micros> {
    match limit.algorithm {
        Algorithm::SlidingWindow(_)
        | Algorithm::SlidingCounter
        | Algorithm::FixedWindow
        | Algorithm::Calendar(_) => Some(limit.window),
        // A bucket's quota comes on top of its burst; the others have no window.
        Algorithm::TokenBucket { .. } | Algorithm::Concurrency | Algorithm::Stock => None,
    }
}
