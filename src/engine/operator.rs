//! A caller as an operator names it: by the value of one key, without a request.

use super::Engine;
use crate::identity::{Encoder, Identity, Seed};
use crate::limiter::{Forgiven, can_be_forgiven};
use crate::rules::{Digest, Key, LimitSet, Policy, PolicySet};
use crate::table::Charge;
use crate::time::Micros;
use std::sync::Arc;

/// Why no caller has this value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NoCaller {
    /// There is no such key.
    UnknownKey,
    /// The key's value comes from others.
    HasAlternatives,
    /// The value is empty.
    Empty,
    /// The key's values are addresses, and this is none.
    NoAddress,
}

/// A caller by one key.
pub struct KnownCaller<'e> {
    rules: &'e PolicySet,
    key: &'e Key,
    index: usize,
    /// As requests have it, before a key's `prefix` shortens it.
    value: Vec<u8>,
    /// The consumer, by index, whose credential it is.
    consumer: Option<usize>,
    /// By index; 0 if there are no tiers.
    tier: usize,
}

/// How a policy counts by the caller's key.
pub enum Counting<'e> {
    /// By it alone, in this proxy.
    Alone(CountedCaller<'e>),
    /// In the fleet.
    InFleet,
    /// By other keys as well, so that the caller has many records.
    WithOthers,
}

/// A policy that counts by the caller's key alone.
pub struct CountedCaller<'e> {
    /// The record and its limits, without cost.
    pub charge: Charge<'e>,
    /// The caller's limits.
    pub limits: &'e LimitSet,
}

impl Engine {
    /// The caller whose key of this name has this value.
    ///
    /// # Errors
    /// If there can be none.
    pub fn caller_by(&self, name: &str, value: &[u8]) -> Result<KnownCaller<'_>, NoCaller> {
        let (rules, callers) = (self.rules(), &self.rules().callers);
        let mut keys = callers.keys.iter().enumerate();
        let (index, key) = keys.find(|(_, key)| key.name == name).ok_or(NoCaller::UnknownKey)?;
        if !key.source.alternatives().is_empty() {
            return Err(NoCaller::HasAlternatives);
        }
        if value.is_empty() {
            return Err(NoCaller::Empty);
        }
        let value = match std::str::from_utf8(value) {
            Ok(text) => key.value_of(text).ok_or(NoCaller::NoAddress)?,
            Err(_) if key.source.kind().identifies_by_range => return Err(NoCaller::NoAddress),
            Err(_) if key.source.folds_case(key) => value.to_ascii_lowercase(),
            Err(_) => value.to_vec(),
        };
        let listed = callers.consumers.keys().any(|listed| listed == index);
        let consumer = listed.then(|| callers.consumers.find(index, &Digest::of(&value))).flatten();
        let own = consumer.and_then(|consumer| callers.consumers.list().get(consumer)?.tier);
        let tier = own.unwrap_or_else(|| callers.tiers.as_ref().map_or(0, |tiers| tiers.default));
        Ok(KnownCaller { rules, key, index, value, consumer, tier })
    }
}

impl<'e> KnownCaller<'e> {
    /// The consumer's name. `None`: it is not a known one, as far as this key tells.
    pub fn consumer(&self) -> Option<&'e str> {
        Some(&self.rules.callers.consumers.list().get(self.consumer?)?.name)
    }

    /// The tier's name, as far as this key tells.
    pub fn tier(&self) -> Option<&'e str> {
        Some(self.rules.callers.tiers.as_ref()?.names.get(self.tier)?)
    }

    /// The policies that count by the caller's key, and how.
    pub fn policies(&self, seed: &Seed) -> Vec<(&'e Policy, Counting<'e>)> {
        let counting = |policy| Some((policy, self.counting(policy, seed)?));
        self.rules.policies.iter().filter_map(counting).collect()
    }

    fn counting(&self, policy: &'e Policy, seed: &Seed) -> Option<Counting<'e>> {
        let key = policy.key.iter().find_map(|index| self.origin(index))?;
        if policy.key.len() > 1 {
            return Some(Counting::WithOthers);
        }
        if policy.scope.is_fleet() {
            return Some(Counting::InFleet);
        }
        let limit_set = policy.limit_sets.number_for(self.consumer, || self.tier);
        let charge = policy.charge(self.identity(policy, key, seed), limit_set, 0);
        Some(Counting::Alone(CountedCaller { charge, limits: policy.limit_sets.get(limit_set) }))
    }

    /// Of the keys that a policy's key comes from, the one that has the caller's value: itself, or another of the
    /// same kind.
    fn origin(&self, index: &usize) -> Option<&'e Key> {
        let keys = &self.rules.callers.keys;
        let origins = Key::origins(keys, index);
        let own = origins.contains(&self.index).then_some(self.key);
        let of_kind = |index: &usize| keys.get(*index).filter(|key| key.kind == self.key.kind);
        own.or_else(|| origins.iter().find_map(of_kind))
    }

    /// As [`super::Caller::identity`] has it of a request.
    fn identity(&self, policy: &Policy, key: &Key, seed: &Seed) -> Identity {
        let mut encoder = Encoder::new(seed);
        if let Some(record) = policy.record_name() {
            encoder.add("", record.as_bytes());
        }
        let value = key.prefix.and_then(|prefix| self.value.get(..prefix)).unwrap_or(&self.value);
        encoder.add(&key.kind, value);
        encoder.finish().known(key.proven && !key.source.is_cheap(value))
    }
}

impl CountedCaller<'_> {
    /// What forgives one of the policy's limits, by index, or all that can be: what was counted before this instant
    /// of the wall clock does not count, and a block ends. Empty: none can be.
    pub fn forgiven(&self, only: Option<usize>, before: Micros) -> Arc<[Forgiven]> {
        let id = only.map(|index| self.limits.limit(index).map(|limit| limit.id));
        let is_meant = |own| id.is_none_or(|id| id == Some(own));
        let limits = self.charge.limits.iter().filter(|limit| can_be_forgiven(limit));
        let meant: Arc<[Forgiven]> = limits
            .filter(|limit| limit.is_penalty() || is_meant(limit.id))
            .map(|limit| Forgiven::new(limit, before))
            .collect();
        let penalty = self.charge.limits.iter().find(|limit| limit.is_penalty());
        let only_the_block = meant.iter().all(|one| penalty.is_some_and(|penalty| penalty.id == one.limit));
        if only_the_block { Arc::default() } else { meant }
    }
}
