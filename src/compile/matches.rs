//! Compiles matches: which requests a policy applies to, and which are excluded or exempt.

use crate::config::{Reader, all};
use crate::rules::{KnownKeys, RequestMatch};

/// Units that one request may cost: as many as a quota can have.
const COSTS: std::ops::RangeInclusive<u64> = 1..=u32::MAX as u64;

/// The matches of `except` and `exempt`, which have no cost.
pub(super) fn exceptions(list: &Reader<'_>, known: KnownKeys<'_>) -> Option<Vec<RequestMatch>> {
    let entries = list.list("a list of matches")?;
    let one = |entry: &Reader<'_>| RequestMatch::read(&entry.object(RequestMatch::FIELDS)?, known);
    all(entries.iter().map(one))
}

/// The matches of a policy, each with its own cost.
pub(super) fn matches(list: &Reader<'_>, known: KnownKeys<'_>) -> Option<Vec<(RequestMatch, Option<u32>)>> {
    let one = |entry: &Reader<'_>| {
        let fields = entry.object(&fields_of_match("cost"))?;
        let (rule, cost) = (RequestMatch::read(&fields, known), fields.read("cost", cost));
        Some((rule?, cost?))
    };
    all(list.non_empty_list("a list of at least one match")?.iter().map(one))
}

/// The fields of a match with one more.
pub(super) fn fields_of_match(further: &'static str) -> Vec<&'static str> {
    [RequestMatch::FIELDS, &[further]].concat()
}

/// What a request costs, in units.
pub(super) fn cost(reader: &Reader<'_>) -> Option<u32> {
    u32::try_from(reader.whole_number(COSTS)?).ok()
}
