//! What becomes of the counts of each limit.
//!
//! A count is kept in a record of its caller, under the names of the policy and the limit, as a state of its
//! algorithm. What is said here follows from those: the caller's record, the name, and whether the new limit
//! can go on from the old one's state, which is tried.

use super::Side;
use tollgate::compile::Configuration;
use tollgate::limiter::concurrency::WorkerId;
use tollgate::limiter::{Counter, Limit};
use tollgate::rules::{Key, Policy};
use tollgate::time::{Now, SECOND};

/// What becomes of the counts of a limit.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// They are kept.
    Kept,
    /// They are kept for some callers; for which others they are not.
    Partly(String),
    /// They begin anew, for this reason.
    Anew(String),
    /// There were none.
    New,
}

/// A limit of the new policy, as `policy/limit`, and what becomes of its counts.
#[derive(Clone, Debug, PartialEq)]
pub struct LimitCounts {
    /// Its name.
    pub limit: String,
    /// What becomes of them.
    pub fate: Fate,
}

/// For each limit of the new policy.
pub(super) fn counts(old: Side<'_>, new: Side<'_>) -> Vec<LimitCounts> {
    let of = |policy: &Policy| {
        let before = old.set.rules.policies.iter().find(|one| one.name == policy.name);
        let limits: Vec<LimitCounts> = policy
            .limit_names
            .iter()
            .enumerate()
            .map(|(index, name)| {
                let limit = format!("{}/{name}", policy.name);
                let fate = before
                    .map_or(Fate::New, |before| fate((old.set, before), (new.set, policy), index, name));
                LimitCounts { limit, fate }
            })
            .collect();
        limits
    };
    new.set.rules.policies.iter().flat_map(of).collect()
}

fn fate(
    (old, before): (&Configuration, &Policy),
    (new, policy): (&Configuration, &Policy),
    index: usize,
    name: &str,
) -> Fate {
    let Some(old_index) = before.limit_names.iter().position(|one| one == name) else { return Fate::New };
    if let Some(reason) = of_record((old, before), (new, policy)) {
        return Fate::Anew(reason);
    }
    let limits = before.limits().get(old_index).zip(policy.limits().get(index));
    match limits {
        Some((one, other)) if one.algorithm.kind() != other.algorithm.kind() => {
            Fate::Anew("another algorithm".into())
        }
        Some((one, other)) if !goes_on(one, other) => Fate::Anew("another window".into()),
        Some(_) | None => callers((old, before), (new, policy)),
    }
}

/// Why no caller's record is found again.
fn of_record(
    (old, before): (&Configuration, &Policy),
    (new, policy): (&Configuration, &Policy),
) -> Option<String> {
    if before.scope.is_fleet() != policy.scope.is_fleet() {
        return Some("counted in another place: scope".into());
    }
    if before.own_record != policy.own_record {
        return Some(
            "callers have other records: the number of limits by this key has crossed what one record holds"
                .into(),
        );
    }
    let (one, other) = (kinds(old, before), kinds(new, policy));
    let is_other = one.len() != other.len()
        || one.iter().zip(&other).any(|(one, other)| !one.iter().any(|kind| other.contains(kind)));
    is_other.then(|| "counted by another key".into())
}

/// The names under which values of a policy's keys are hashed: for each key, those that it can stand for.
fn kinds(set: &Configuration, policy: &Policy) -> Vec<Vec<String>> {
    let keys = &set.rules.callers.keys;
    let of = |key: &usize| {
        Key::origins(keys, key).iter().filter_map(|one| Some(keys.get(*one)?.kind.clone())).collect()
    };
    policy.key.iter().map(of).collect()
}

/// For which callers counts are kept.
fn callers((old, before): (&Configuration, &Policy), (new, policy): (&Configuration, &Policy)) -> Fate {
    let (one, other) = (kinds(old, before), kinds(new, policy));
    let gone: Vec<String> = one
        .iter()
        .zip(&other)
        .flat_map(|(one, other)| one.iter().filter(|kind| !other.contains(kind)).cloned())
        .collect();
    let changed: Vec<String> = policy
        .key
        .iter()
        .flat_map(|key| {
            Key::origins(&new.rules.callers.keys, key).iter().filter_map(|index| {
                let key = new.rules.callers.keys.get(*index)?;
                let before = old.rules.callers.keys.iter().find(|one| one.name == key.name)?;
                let same = describe(old, before) == describe(new, key);
                (!same).then(|| key.name.clone())
            })
        })
        .collect();
    if !gone.is_empty() {
        return Fate::Partly(format!("callers who were known by {} are counted anew", gone.join(", ")));
    }
    if !changed.is_empty() {
        let keys = changed.join(", ");
        return Fate::Partly(format!(
            "{keys} is read differently: callers whose value is another one now are counted anew"
        ));
    }
    if policy.counts_by_match && format!("{:?}", before.matches) != format!("{:?}", policy.matches) {
        return Fate::Partly("callers are told apart by the match: those of a match with another name or path are counted anew".into());
    }
    Fate::Kept
}

/// How a key is read, without the number of its place.
fn describe(set: &Configuration, key: &Key) -> String {
    crate::describe::key(key, &set.rules.callers)
}

/// Whether the new limit finds in the old one's state what was used.
fn goes_on(one: &Limit, other: &Limit) -> bool {
    const WORKER: WorkerId = WorkerId(1);
    // In the middle of a window and of a month.
    let now = Now { mono: 864_017 * SECOND, wall: 1_768_478_417 * SECOND };
    let mut counter = Counter::empty(one, now);
    counter.charge(now, 1);
    let mut state = Vec::new();
    counter.write(&mut state);
    let fresh = Counter::empty(other, now).judge(now, 1);
    // What is in flight or in stock is written elsewhere, or has no window that could differ.
    !one.has_window()
        || Counter::open(other, &state, now, WORKER).is_some_and(|opened| opened.judge(now, 1) != fresh)
}
