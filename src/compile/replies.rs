//! Compiles the rules for replies: rejections, waits and limit headers.
//!
//! This is a second pass over the policies, after they are compiled: a policy's rejection depends on the
//! common one, limit headers refer to limits, and templates depend on whether limits are secret.

mod headers;
mod message;
mod rejections;
mod template;

use crate::config::{Fields, Reader};
use crate::reply::{LimitDescription, PolicyReplies, ReplyRules, RetryAfter};
use crate::rules::Policy;
use crate::time::SECOND;
use headers::header_rules;
use rejections::{CompiledRejection, rejections};
use std::sync::Arc;

/// Reads all rules for replies. Without valid policies it still reports the errors in them.
#[inline(never)]
pub(super) fn reply_rules(root: &Fields<'_>, policies: Option<&[Policy]>) -> Option<ReplyRules> {
    let preset = root.optional("headers").and_then(|headers| headers.peek("preset"));
    let secret = preset.is_some_and(|preset| preset.is_word("secret"));
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
        window: limit.algorithm.announced_window(limit.window).map(|window| window / SECOND),
        slides: limit.algorithm.slides(),
        concurrent: limit.counts_in_flight(),
        message,
    });
    let details = ["tollgate_refused_by_", &policy.name].concat();
    PolicyReplies { name: policy.name.clone(), rejection: own.rejection, details, limits: limits.collect() }
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
