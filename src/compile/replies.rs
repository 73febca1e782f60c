//! Compiles the rules for replies: rejections, waits and limit headers.
//!
//! This is a second pass over the policies, after they are compiled: a policy's rejection depends on the
//! common one, limit headers refer to limits, and templates depend on whether limits are secret.

mod header_fields;
mod header_names;
mod headers;
mod message;
mod rejections;
mod template;

use crate::config::{Fields, Reader};
use crate::language::{access_log, configuration, forms, retry_after};
use crate::limiter::Limit;
use crate::reply::{AccessLog, LimitDescription, PolicyReplies, ReplyRules, RetryAfter, rate};
use crate::rules::{LimitSet, LimitsByCaller, Policy};
use crate::time::SECOND;
use header_names::{SentHeaders, is_reserved};
use headers::{header_sets, secret_preset};
use rejections::{CompiledRejection, check_limit_headers, rejections};
use std::sync::Arc;

/// Reads all rules for replies. Without valid policies it still reports the errors in them.
#[inline(never)]
pub(super) fn reply_rules(root: &Fields<'_>, policies: Option<&[Policy]>) -> Option<ReplyRules> {
    let secret = root.present(&configuration::HEADERS).and_then(secret_preset);
    let rejections = rejections(root, secret);
    let retry_after = retry_after(root);
    let mut sent = SentHeaders::default();
    let headers =
        root.get_optional_with(&configuration::HEADERS, |headers| header_sets(headers, policies, &mut sent));
    if let Some(Some(_)) = headers {
        check_limit_headers(root, &sent);
    }
    let access_log = root.get_optional_with(&configuration::ACCESS_LOG, access_log);
    let shadow_header = root.get_optional_with(&configuration::SHADOW_HEADER, shadow_header);
    let (rejection, own) = rejections?;
    let policies = policies?.iter().zip(own).map(|(policy, own)| policy_replies(policy, own));
    Some(ReplyRules {
        retry_after: retry_after?,
        headers: headers?.unwrap_or_default(),
        access_log: access_log?.flatten(),
        shadow_header: shadow_header?,
        rejection,
        policies: policies.collect(),
        consumers: Arc::default(),
        tiers: Vec::new(),
    })
}

/// What access logs are told: a flag, or an object.
#[inline(never)]
fn access_log(at: &Reader<'_>) -> Option<Option<AccessLog>> {
    if at.is_flag() {
        return Some(at.flag()?.then(AccessLog::default));
    }
    if !at.is_object() {
        return at.error(configuration::ACCESS_LOG.kind.allowed);
    }
    let fields = at.fields(&access_log::OBJECT)?;
    let (format, caller) = (fields.get(&access_log::FORMAT), fields.get(&access_log::CALLER));
    Some(Some(AccessLog { format: format?, caller: caller? }))
}

/// The name of a request header that the filter sets.
fn shadow_header(at: &Reader<'_>) -> Option<String> {
    let name = at.read(&forms::HEADER)?;
    if is_reserved(&name) {
        return at.error("a header that neither HTTP nor Envoy sets");
    }
    Some(name)
}

fn policy_replies(policy: &Policy, own: CompiledRejection) -> PolicyReplies {
    let several = policy.limit_names.len() > 1;
    let messages = own.messages.into_iter().chain(std::iter::repeat(None));
    let limits = policy.limit_names.iter().zip(policy.limits()).zip(messages).enumerate();
    let limits = limits.map(|(index, ((name, limit), message))| LimitDescription {
        name: name.clone(),
        reference: if several { [&policy.name, "/", name].concat() } else { policy.name.clone() },
        window: limit.algorithm.announced_window(limit.window).map(|window| window / SECOND),
        rates: rates(&policy.limit_sets, index),
        slides: limit.algorithm.slides(),
        concurrent: limit.counts_in_flight(),
        message,
    });
    let details = ["tollgate_refused_by_", &policy.name].concat();
    let judging = match policy.limit_sets.are_partial() {
        true => policy.limit_sets.all().map(LimitSet::judging).collect(),
        false => Vec::new(),
    };
    PolicyReplies {
        name: policy.name.clone(),
        rejection: own.rejection,
        details,
        limits: limits.collect(),
        judging,
    }
}

/// How fast units of a limit come back, for each limit set. `None`: verdicts show its quota, and that is enough
/// to know.
fn rates(sets: &LimitsByCaller, limit: usize) -> Option<Box<[u64]>> {
    let own = || sets.all().map(|set| set.limit(limit));
    let is_shown = own().flatten().all(|limit| limit.max_at_once() == limit.quota.get());
    let rate =
        |limit: Option<&Limit>| limit.map_or(0, |limit| rate(limit.quota.get(), limit.window / SECOND));
    (!is_shown).then(|| own().map(rate).collect())
}

/// Reads the object `retry_after`.
fn retry_after(root: &Fields<'_>) -> Option<RetryAfter> {
    let fields = root.object_or_empty(&configuration::RETRY_AFTER, &retry_after::OBJECT)?;
    let shown = fields.get(&retry_after::SHOW);
    let (min, max) = (fields.get(&retry_after::MIN), fields.get(&retry_after::MAX));
    let jitter = fields.get(&retry_after::JITTER);
    let (min, max) = (min?, max?);
    if min > max {
        let at = fields.about(&retry_after::MIN);
        at.error_found::<()>(&min.to_string(), &format!("at most max ({max})"))?;
    }
    Some(RetryAfter { shown: shown?, min, max, jitter: jitter? })
}

#[cfg(test)]
mod tests;
