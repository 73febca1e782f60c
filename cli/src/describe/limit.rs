//! Limits in words.

use super::key::length;
use tollgate::limiter::Limit;

/// What a limit allows.
pub(crate) fn limit(limit: &Limit) -> String {
    limit.algorithm.in_words(limit.quota.get(), &length(limit.window))
}
