//! What an operator forgives in a run: the entries of a configuration that changes.

use super::random::Random;
use super::scenario::Scenario;
use super::worker::identity;
use crate::identity::Identity;
use crate::limiter::{Forgiven, Limit};
use crate::time::{Micros, SECOND};
use std::sync::Arc;

/// The entries of one configuration.
#[derive(Clone, Default)]
pub struct Entries {
    version: u64,
    by_caller: Vec<(Identity, Arc<[Forgiven]>)>,
}

impl Entries {
    pub fn is_newer_than(&self, other: &Entries) -> bool {
        self.version > other.version
    }

    /// The entries for a caller.
    pub fn of(&self, identity: Identity) -> Option<&Arc<[Forgiven]>> {
        self.by_caller.iter().find(|(caller, _)| *caller == identity).map(|(_, entries)| entries)
    }

    /// Writes an entry for one caller, or removes all of one, or changes nothing but the version.
    pub fn write(&mut self, random: &mut Random, scenario: &Scenario, wall: Micros) {
        self.version += 1;
        let policy = random.below(scenario.policies.len() as u64) as usize;
        let caller = identity(scenario, policy, random.below(scenario.callers));
        let before = self.of(caller).map_or(&[][..], |entries| entries).to_vec();
        self.by_caller.retain(|(other, _)| *other != caller);
        if random.chance(200) {
            return;
        }
        // Now, or not yet.
        let at = wall + random.pick(&[0, 0, 0, SECOND / 2, 3 * SECOND]);
        let limits: Vec<Limit> = scenario.policies.iter().flat_map(|policy| policy.limits.clone()).collect();
        let only = random.chance(300).then(|| random.below(limits.len() as u64));
        let of_entry = limits.iter().enumerate().filter(|(i, _)| only.is_none_or(|only| only == *i as u64));
        let mut entries: Vec<Forgiven> = of_entry.map(|(_, limit)| Forgiven::new(limit, at)).collect();
        if random.chance(500) {
            entries.extend(before);
        }
        self.by_caller.push((caller, entries.into()));
    }
}
