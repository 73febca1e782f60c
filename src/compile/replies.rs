//! Compiles the rules for replies: rejections, waits and limit headers.
//!
//! This is a second pass over the policies, after they are compiled: a policy's rejection depends on the
//! common one, limit headers refer to limits, and templates depend on whether limits are secret.

mod headers;
mod message;
mod rejections;
mod template;

use crate::config::{Fields, Reader};
use crate::limiter::{Algorithm, Limit};
use crate::reply::{LimitDescription, PRESETS, PolicyReplies, ReplyRules, RetryAfter};
use crate::rules::Policy;
use crate::time::{Period, SECOND};
use headers::header_rules;
use rejections::{CompiledRejection, rejections};
use std::sync::Arc;

/// Reads all rules for replies. Without valid policies it still reports the errors in them.
#[inline(never)]
pub(super) fn reply_rules(root: &Fields<'_>, policies: Option<&[Policy]>) -> Option<ReplyRules> {
    let preset = root.optional("headers").and_then(|headers| headers.peek("preset"));
    let secret =
        preset.and_then(|word| PRESETS.iter().find(|preset| preset.is_secret() && word.is_word(preset.word)));
    let rejections = rejections(root, secret);
    let retry_after = root.read_or("retry_after", RetryAfter::default(), retry_after);
    let headers = root.read("headers", |headers| header_rules(headers, policies));
    let access_log = root.read_or("access_log", false, Reader::flag);
    let (rejection, own) = rejections?;
    let policies = policies?.iter().zip(own).map(|(policy, own)| policy_replies(policy, own));
    Some(ReplyRules {
        retry_after: retry_after?,
        headers: headers?,
        access_log: access_log?,
        rejection,
        policies: policies.collect(),
        consumers: Arc::default(),
        tiers: Vec::new(),
    })
}

fn policy_replies(policy: &Policy, own: CompiledRejection) -> PolicyReplies {
    let several = policy.limit_names.len() > 1;
    let messages = own.messages.into_iter().chain(std::iter::repeat(None));
    let limits = policy.limit_names.iter().zip(policy.limits()).zip(messages);
    let limits = limits.map(|((name, limit), message)| LimitDescription {
        name: name.clone(),
        reference: if several { [&policy.name, "/", name].concat() } else { policy.name.clone() },
        window: window(limit),
        slides: slides(limit),
        concurrent: limit.algorithm == Algorithm::Concurrency,
        message,
    });
    let details = ["tollgate_refused_by_", &policy.name].concat();
    PolicyReplies { name: policy.name.clone(), rejection: own.rejection, details, limits: limits.collect() }
}

/// The window of a quota, in seconds: for a calendar month, 31 days.
fn window(limit: &Limit) -> Option<u64> {
    const DAY: u64 = 86_400;
    match limit.algorithm {
        Algorithm::Calendar(calendar) => Some(match calendar.period {
            Period::Day => DAY,
            Period::Week => 7 * DAY,
            Period::Month => 31 * DAY,
        }),
        Algorithm::SlidingWindow(_)
        | Algorithm::SlidingCounter
        | Algorithm::FixedWindow
        | Algorithm::TokenBucket { .. } => Some(limit.window / SECOND),
        Algorithm::Concurrency | Algorithm::Stock { .. } | Algorithm::Penalty => None,
    }
}

fn slides(limit: &Limit) -> bool {
    match limit.algorithm {
        Algorithm::SlidingWindow(_) | Algorithm::SlidingCounter | Algorithm::TokenBucket { .. } => true,
        Algorithm::FixedWindow
        | Algorithm::Calendar(_)
        | Algorithm::Concurrency
        | Algorithm::Stock { .. }
        | Algorithm::Penalty => false,
    }
}

/// Reads the object `retry_after`.
fn retry_after(reader: &Reader<'_>) -> Option<RetryAfter> {
    let fields = reader.object(&["show", "min", "max", "jitter"])?;
    let default = RetryAfter::default();
    let shown =
        fields.read_or("show", default.shown, |word| word.word(&[("on_429", true), ("never", false)]));
    let min = fields.read_or("min", default.min, |n| n.whole_number(1..=86_400));
    let max = fields.read_or("max", default.max, |n| n.whole_number(1..=366 * 86_400));
    let jitter = fields.read_or("jitter", default.jitter, |n| n.whole_number(0..=3_600));
    let (min, max) = (min?, max?);
    if min > max {
        reader.field("min").error_found::<()>(&min.to_string(), &format!("at most max ({max})"))?;
    }
    Some(RetryAfter { shown: shown?, min, max, jitter: jitter? })
}

#[cfg(test)]
mod tests;
