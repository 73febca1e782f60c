//! Limits in words.

use tollgate::limiter::Limit;
use tollgate::time::in_words;

/// What a limit allows.
pub(crate) fn limit(limit: &Limit) -> String {
    limit.algorithm.in_words(limit.quota.get(), &in_words(limit.window))
}
