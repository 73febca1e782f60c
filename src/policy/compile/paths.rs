//! Compiles which spellings of a path are the same.

use super::super::{Match, Policy, Purpose, Spellings};
use crate::config::Reader;

/// Whatever the upstream may take for the same path, so that no spelling escapes a policy.
pub(super) const ALL: Spellings =
    Spellings { trailing_slash: true, case: true, parameters: true, suffix: true };

/// Reads which of them are the same.
#[inline(never)]
pub(super) fn spellings(reader: &Reader<'_>) -> Option<Spellings> {
    let fields = reader.object(&["trailing_slash", "case", "parameters", "suffix"])?;
    let is_ignored = |name| fields.read_or(name, true, ignored);
    let (trailing_slash, case) = (is_ignored("trailing_slash"), is_ignored("case"));
    let (parameters, suffix) = (is_ignored("parameters"), is_ignored("suffix"));
    Some(Spellings { trailing_slash: trailing_slash?, case: case?, parameters: parameters?, suffix: suffix? })
}

/// Reads whether a difference is ignored.
pub(super) fn ignored(reader: &Reader<'_>) -> Option<bool> {
    reader.word(&[("ignore", true), ("strict", false)])
}

/// Reads all paths so: those of matches protect, all others free.
#[inline(never)]
pub(super) fn read_as(spellings: Spellings, policies: &mut [Policy], exempt: &mut [Match]) {
    let read = |rule: &mut Match, purpose| {
        rule.path = rule.path.take().map(|path| path.read_as(spellings, purpose));
    };
    exempt.iter_mut().for_each(|rule| read(rule, Purpose::Frees));
    for policy in policies {
        policy.matches.iter_mut().for_each(|rule| read(rule, Purpose::Protects));
        policy.except.iter_mut().for_each(|rule| read(rule, Purpose::Frees));
        policy.response.returns.iter_mut().for_each(|(rule, _)| read(rule, Purpose::Frees));
    }
}
