//! Compiles which other spellings of a path a match is for.

use crate::config::{Fields, Reader};
use crate::http::{Purpose, RequestMatch, Spellings};
use crate::rules::Policy;

/// Every spelling that an upstream may take for the same path, so that none bypasses a policy.
pub(super) const ALL: Spellings =
    Spellings { trailing_slash: true, case: true, parameters: true, suffix: true };

/// Reads the object `paths`.
pub(super) fn spellings(reader: &Reader<'_>) -> Option<Spellings> {
    const NAMES: [&str; 4] = ["trailing_slash", "case", "parameters", "suffix"];
    let fields = reader.object(&NAMES)?;
    let (mut ignored, mut valid) = ([true; 4], true);
    for (name, ignored) in NAMES.into_iter().zip(&mut ignored) {
        match is_ignored(&fields, name, true) {
            Some(is_ignored) => *ignored = is_ignored,
            None => valid = false,
        }
    }
    let [trailing_slash, case, parameters, suffix] = ignored;
    valid.then_some(Spellings { trailing_slash, case, parameters, suffix })
}

/// Reads `ignore` or `strict`: whether a difference between two spellings is ignored.
pub(super) fn is_ignored(fields: &Fields<'_>, name: &str, default: bool) -> Option<bool> {
    either(fields, name, default, [("ignore", true), ("strict", false)])
}

/// Reads one of two words.
pub(super) fn either(
    fields: &Fields<'_>,
    name: &str,
    default: bool,
    words: [(&str, bool); 2],
) -> Option<bool> {
    fields.read_or(name, default, |word| word.word(&words))
}

/// Applies these spellings to all paths. The paths of matches protect the upstream, all others lift that
/// protection.
pub(super) fn apply(spellings: Spellings, policies: &mut [Policy], exempt: &mut [RequestMatch]) {
    read_all(exempt, spellings, Purpose::Frees);
    for policy in policies {
        read_all(&mut policy.matches, spellings, Purpose::Protects);
        read_all(&mut policy.except, spellings, Purpose::Frees);
        for (rule, _) in &mut policy.response.returns {
            read_all(std::slice::from_mut(rule), spellings, Purpose::Frees);
        }
    }
}

fn read_all(rules: &mut [RequestMatch], spellings: Spellings, purpose: Purpose) {
    for path in rules.iter_mut().filter_map(|rule| rule.path.as_mut()) {
        path.read_as(spellings, purpose);
    }
}
