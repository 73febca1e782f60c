//! Limits in words.

use tollgate::limiter::{Algorithm, Limit};
use tollgate::time::{Period, in_words};

/// What a limit allows.
pub(crate) fn limit(limit: &Limit) -> String {
    let (quota, window) = (limit.quota, in_words(limit.window));
    match limit.algorithm {
        Algorithm::SlidingWindow(_) => format!("at most {quota} in any {window}"),
        Algorithm::SlidingCounter => format!("about {quota} in any {window}"),
        Algorithm::FixedWindow => format!("at most {quota} in each {window} of the clock"),
        Algorithm::Calendar(calendar) => {
            let period = match calendar.period {
                Period::Day => "day",
                Period::Week => "week",
                Period::Month => "month",
            };
            format!("at most {quota} in each {period} of {}", calendar.zone.name())
        }
        Algorithm::TokenBucket { burst } => format!("{burst} at once, refilled by {quota} in {window}"),
        Algorithm::Concurrency => format!("at most {quota} at the same time"),
        Algorithm::Stock { .. } => format!("at most {quota} may exist"),
        Algorithm::Penalty => format!("after a rejection, everything is rejected for {window}"),
    }
}
