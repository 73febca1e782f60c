//! Compiles which other spellings of a path a match is for.

use crate::config::{Fields, Reader};
use crate::http::{Purpose, Spellings};
use crate::rules::{Policy, RequestMatch};

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
    apply_to(exempt, spellings, Purpose::Exempts);
    for policy in policies {
        apply_to(policy.matches.iter_mut().map(|(rule, _)| rule), spellings, Purpose::Limits);
        apply_to(&mut policy.except, spellings, Purpose::Exempts);
        apply_to(policy.response.returns.iter_mut().map(|(rule, _)| rule), spellings, Purpose::Exempts);
    }
}

fn apply_to<'a>(
    rules: impl IntoIterator<Item = &'a mut RequestMatch>,
    spellings: Spellings,
    purpose: Purpose,
) {
    for rule in rules {
        rule.set_purpose(purpose, spellings);
    }
}
