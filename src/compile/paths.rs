//! Compiles which other spellings of a path a match is for.

use crate::config::Fields;
use crate::http::{Purpose, Spellings};
use crate::language::{configuration, paths};
use crate::rules::{Key, Policy, RequestMatch};

/// Reads the object `paths`.
pub(super) fn spellings(root: &Fields<'_>) -> Option<Spellings> {
    let fields = root.object_or_empty(&configuration::PATHS, &paths::OBJECT)?;
    let (trailing_slash, case) = (fields.get(&paths::TRAILING_SLASH), fields.get(&paths::CASE));
    let (parameters, suffix) = (fields.get(&paths::PARAMETERS), fields.get(&paths::SUFFIX));
    Some(Spellings { trailing_slash: trailing_slash?, case: case?, parameters: parameters?, suffix: suffix? })
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

/// Applies these spellings to the keys: values of which case does not matter are in lower case.
pub(super) fn apply_to_keys(spellings: Spellings, keys: &mut [Key]) {
    for key in keys {
        key.source.set_spellings(spellings);
        let folds_case = key.source.folds_case(key);
        key.cut.iter_mut().filter(|_| folds_case).for_each(|cut| cut.ignore_case());
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
