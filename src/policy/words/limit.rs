//! Limits and lengths of time in words.

use crate::limiter::{Algorithm, Limit};
use crate::time::{Micros, Period, SECOND};

/// What a limit promises.
pub(crate) fn limit(limit: &Limit) -> String {
    let (quota, window) = (limit.quota, length(limit.window));
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
        Algorithm::Stock => format!("at most {quota} that exist"),
    }
}

/// In the largest unit that leaves no rest; up to two of a unit in the smaller one.
fn length(length: Micros) -> String {
    let seconds = length / SECOND;
    let units = [(86_400, "days"), (3_600, "h"), (60, "min")];
    match units.into_iter().find(|(unit, _)| seconds.is_multiple_of(*unit) && seconds / unit > 1) {
        Some((unit, name)) => format!("{} {name}", seconds / unit),
        None => format!("{seconds} s"),
    }
}
