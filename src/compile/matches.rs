//! Compiles matches: which requests a policy applies to, and which are excluded or exempt.

use crate::config::{Reader, all};
use crate::language::{configuration, exception, policy, request_match};
use crate::rules::{KnownKeys, RequestMatch};

/// The matches of `except` and `exempt`, which have no cost.
pub(super) fn exceptions(list: &Reader<'_>, known: KnownKeys<'_>) -> Option<Vec<RequestMatch>> {
    let entries = list.list(configuration::EXEMPT.kind.allowed)?;
    let one = |entry: &Reader<'_>| RequestMatch::read(&entry.fields(&exception::OBJECT)?, known);
    all(entries.iter().map(one))
}

/// The matches of a policy, each with its own cost.
pub(super) fn matches(list: &Reader<'_>, known: KnownKeys<'_>) -> Option<Vec<(RequestMatch, Option<u32>)>> {
    let one = |entry: &Reader<'_>| {
        let fields = entry.fields(&request_match::OBJECT)?;
        let (rule, cost) = (RequestMatch::read(&fields, known), fields.get_optional(&request_match::COST));
        let name = fields.get_optional(&request_match::NAME);
        let mut rule = rule?;
        rule.set_name(name?);
        Some((rule, cost?))
    };
    all(list.non_empty_list(policy::MATCH.kind.allowed)?.iter().map(one))
}
