//! Matches in words.

use tollgate::rules::{Callers, RequestMatch};

/// A match, such as `POST api.example.com/v1/**`.
pub(crate) fn request_match(rule: &RequestMatch, callers: &Callers) -> String {
    rule.describe(&callers.keys)
}
