//! Which policies are new, gone, renamed or changed.

use super::limits::{self, Pair};
use super::{Changes, Fate, Severity, Side, counts, field, fields, named};
use crate::describe::{PolicySummary, summary};
use tollgate::config::Value;
use tollgate::language::{configuration, policy};
use tollgate::rules::{Mode, Policy};
use tollgate::table::ChargeMode;

/// What is told here, not by the words of a declaration.
const TOLD: [&str; 8] = [
    policy::NAME.name,
    policy::KEY.name,
    policy::MATCH.name,
    policy::EXCEPT.name,
    policy::LIMITS.name,
    policy::MODE.name,
    policy::EFFECTIVE_FROM.name,
    policy::ENFORCE.name,
];

/// A policy: compiled, as written, and in words.
struct One<'a> {
    rules: &'a Policy,
    value: &'a Value,
    words: PolicySummary,
}

fn all(side: Side<'_>) -> Vec<One<'_>> {
    let values = named(field(side, configuration::POLICIES.name));
    let words = summary(side.set).policies;
    let of = |((rules, words), (_, value))| One { rules, value, words };
    side.set.rules.policies.iter().zip(words).zip(values).map(of).collect()
}

pub(super) fn compare(old: Side<'_>, new: Side<'_>, changes: &mut Changes) {
    let (before, after) = (all(old), all(new));
    let fates = counts::counts(old, new);
    let fate = |limit: &str| fates.iter().find(|one| one.limit == limit).map(|one| one.fate.clone());
    let mut gone: Vec<&One<'_>> =
        before.iter().filter(|one| !after.iter().any(|other| other.rules.name == one.rules.name)).collect();
    for one in &after {
        let name = &one.rules.name;
        if let Some(was) = before.iter().find(|other| other.rules.name == *name) {
            changed((old, was), (new, one), &fate, changes);
        } else if let Some(place) = gone.iter().position(|was| is_renamed(was, one)) {
            let was = gone.remove(place);
            changes.add(
                Severity::Anew,
                name,
                format!("looks renamed: it was {}", was.rules.name),
                "its counts begin anew. Keep the old name to keep them",
            );
            changed((old, was), (new, one), &|_| Some(Fate::New), changes);
        } else {
            added(one, changes);
        }
    }
    for one in gone {
        let what = format!("is gone: {}; {}", one.words.applies, one.words.limits.join(", "));
        changes.add(Severity::Looser, &one.rules.name, what, "what it has counted no longer matters");
    }
    order(new, (&before, &after), changes);
}

/// Whether a policy that is gone is one that is new, under another name.
fn is_renamed(was: &One<'_>, one: &One<'_>) -> bool {
    let parts = |one: &One<'_>| {
        [policy::MATCH.name, policy::KEY.name, policy::LIMITS.name].map(|name| one.value.get(name).cloned())
    };
    let ([paths, key, limits], [other_paths, other_key, other_limits]) = (parts(was), parts(one));
    let shapes = |one: &One<'_>| -> Vec<_> {
        one.rules.limits().iter().map(|limit| (limit.algorithm.kind(), limit.window)).collect()
    };
    key == other_key && (limits == other_limits || paths == other_paths && shapes(was) == shapes(one))
}

fn added(one: &One<'_>, changes: &mut Changes) {
    let in_shadow = matches!(one.rules.mode, Mode::Shadow);
    let severity = if in_shadow { Severity::Operators } else { Severity::Stricter };
    let what = format!("is new: {}; {}", one.words.applies, one.words.limits.join(", "));
    let follows = if in_shadow { "in shadow: it rejects nobody" } else { "its counts begin at zero" };
    changes.add(severity, &one.rules.name, what, follows);
}

fn changed(
    (old, was): (Side<'_>, &One<'_>),
    (new, one): (Side<'_>, &One<'_>),
    fate: &dyn Fn(&str) -> Option<Fate>,
    changes: &mut Changes,
) {
    let name = &one.rules.name;
    let pair = Pair { old: (old, was.rules, was.value), new: (new, one.rules, one.value) };
    key(was, one, changes);
    requests(was, one, changes);
    enforcement(was, one, changes);
    limits::compare(pair, fate, changes);
    let severity = |field: &str| match field {
        _ if field == policy::REJECT.name => Severity::Clients,
        _ if field == policy::SCOPE.name => Severity::Anew,
        _ => Severity::Other,
    };
    fields::compare(
        &policy::OBJECT,
        (Some(was.value), Some(one.value)),
        (name, ""),
        &TOLD,
        &severity,
        changes,
    );
}

fn key(was: &One<'_>, one: &One<'_>, changes: &mut Changes) {
    let of = |one: &One<'_>| {
        let names = super::entries(one.value.get(policy::KEY.name));
        names.into_iter().filter_map(Value::text).collect::<Vec<_>>().join(" and ")
    };
    let (from, to) = (of(was), of(one));
    if from != to {
        let what = format!("callers are counted by {to}; before: by {from}");
        changes.add(
            Severity::Anew,
            &one.rules.name,
            what,
            "its counts begin anew, unless both read a caller under the same name",
        );
    }
}

/// Which requests it is about.
fn requests(was: &One<'_>, one: &One<'_>, changes: &mut Changes) {
    let name = &one.rules.name;
    let of = |one: &One<'_>, field: &str| -> Vec<Value> {
        super::entries(one.value.get(field)).into_iter().cloned().collect()
    };
    let (from, to) = (of(was, policy::MATCH.name), of(one, policy::MATCH.name));
    if from != to {
        let words = |one: &One<'_>| {
            one.words
                .applies
                .rsplit_once(", counted by")
                .map_or(String::new(), |(requests, _)| requests.to_owned())
        };
        let what = format!("applies to {}; before: {}", words(one), words(was));
        let severity = match (from.is_empty(), to.is_empty()) {
            (false, true) => Severity::Stricter,
            (true, false) => Severity::Looser,
            (_, _) => widened(&from, &to),
        };
        changes.add(severity, name, what, "");
    }
    let (from, to) = (of(was, policy::EXCEPT.name), of(one, policy::EXCEPT.name));
    if from != to {
        let list = |all: &[Value]| {
            let all: Vec<String> = all.iter().map(fields::shown).collect();
            if all.is_empty() { "nothing".into() } else { all.join(", ") }
        };
        // The more it excepts, the less it rejects.
        let severity = widened(&to, &from);
        changes.add(severity, name, format!("excepts {}; before: {}", list(&to), list(&from)), "");
    }
}

/// Whether more requests fit, as far as whole entries show it.
fn widened(from: &[Value], to: &[Value]) -> Severity {
    match (from.iter().all(|one| to.contains(one)), to.iter().all(|one| from.contains(one))) {
        (true, false) => Severity::Stricter,
        (false, true) => Severity::Looser,
        (_, _) => Severity::Other,
    }
}

/// Whether, since when and for whom it rejects.
fn enforcement(was: &One<'_>, one: &One<'_>, changes: &mut Changes) {
    let name = &one.rules.name;
    let words = |mode: Mode| match mode {
        Mode::Enforce => "is enforced".to_owned(),
        Mode::Shadow => "is in shadow, and rejects nobody".to_owned(),
        Mode::EnforceFrom(instant) => {
            format!("is in shadow until {}, then enforced", crate::cases::compare::instant_text(instant))
        }
    };
    let rank = |mode: Mode| match mode {
        Mode::Enforce => u64::MAX,
        Mode::EnforceFrom(instant) => u64::MAX - 1 - instant.min(u64::MAX - 2),
        Mode::Shadow => 0,
    };
    let (from, to) = (was.rules.mode, one.rules.mode);
    if rank(from) != rank(to) {
        let (severity, follows) = if rank(from) < rank(to) {
            (
                Severity::Stricter,
                "callers who are above a limit then are rejected at once: it has counted in shadow, too",
            )
        } else {
            (Severity::Looser, "it goes on counting")
        };
        changes.add(severity, name, format!("{}; before: {}", words(to), words(from)), follows);
    }
    let (from, to) = (was.rules.enforced.0, one.rules.enforced.0);
    if from != to {
        let severity = if from < to { Severity::Stricter } else { Severity::Looser };
        let what = format!("is enforced for {to} % of its callers; before: {from} %");
        changes.add(severity, name, what, "it counts for all of them");
    }
}

/// The order of those that are in both.
fn order(new: Side<'_>, (before, after): (&[One<'_>], &[One<'_>]), changes: &mut Changes) {
    let common = |all: &[One<'_>], other: &[One<'_>]| -> Vec<String> {
        let names = all.iter().map(|one| one.rules.name.clone());
        names.filter(|name| other.iter().any(|one| one.rules.name == *name)).collect()
    };
    let (from, to) = (common(before, after), common(after, before));
    if from == to {
        return;
    }
    let matters =
        new.set.rules.charging == ChargeMode::Sequential || after.iter().any(|one| one.rules.class != 0);
    let severity = if matters { Severity::Other } else { Severity::Operators };
    let what = format!("their order is {}; before: {}", to.join(", "), from.join(", "));
    let follows = if matters {
        "of a class the first that applies is used, and sequential charging asks in this order"
    } else {
        ""
    };
    changes.add(severity, "policies", what, follows);
}
