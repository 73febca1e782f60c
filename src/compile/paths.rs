//! Compiles which spellings of a path are the same.

use crate::config::{Fields, Reader};
use crate::http::{Purpose, RequestMatch, Spellings};
use crate::rules::Policy;

/// Whatever the upstream may take for the same path, so that no spelling escapes a policy.
pub(super) const ALL: Spellings =
    Spellings { trailing_slash: true, case: true, parameters: true, suffix: true };

/// Reads which of them are the same.
#[inline(never)]
pub(super) fn spellings(reader: &Reader<'_>) -> Option<Spellings> {
    const NAMES: [&str; 4] = ["trailing_slash", "case", "parameters", "suffix"];
    let fields = reader.object(&NAMES)?;
    let (mut ignored, mut sound) = ([true; 4], true);
    for (name, ignored) in NAMES.into_iter().zip(&mut ignored) {
        match is_ignored(&fields, name, true) {
            Some(is_ignored) => *ignored = is_ignored,
            None => sound = false,
        }
    }
    let [trailing_slash, case, parameters, suffix] = ignored;
    sound.then_some(Spellings { trailing_slash, case, parameters, suffix })
}

/// Reads whether a difference is ignored.
pub(super) fn is_ignored(fields: &Fields<'_>, name: &str, default: bool) -> Option<bool> {
    either(fields, name, default, [("ignore", true), ("strict", false)])
}

/// Reads one of two words.
#[inline(never)]
pub(super) fn either(
    fields: &Fields<'_>,
    name: &str,
    default: bool,
    words: [(&str, bool); 2],
) -> Option<bool> {
    fields.read_or(name, default, |word| word.word(&words))
}

/// Reads all paths so: those of matches protect, all others free.
pub(super) fn set_spellings(spellings: Spellings, policies: &mut [Policy], exempt: &mut [RequestMatch]) {
    set_all(exempt, spellings, Purpose::Exempts);
    for policy in policies {
        set_all(policy.matches.iter_mut().map(|(rule, _)| rule), spellings, Purpose::Limits);
        set_all(&mut policy.except, spellings, Purpose::Exempts);
        set_all(policy.response.returns.iter_mut().map(|(rule, _)| rule), spellings, Purpose::Exempts);
    }
}

fn set_all<'a>(
    rules: impl IntoIterator<Item = &'a mut RequestMatch>,
    spellings: Spellings,
    purpose: Purpose,
) {
    for path in rules.into_iter().filter_map(|rule| rule.path.as_mut()) {
        path.set_spellings(spellings, purpose);
    }
}
