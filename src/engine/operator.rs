//! A caller as an operator names it, without a request: by the values of its keys, or by the pseudonym that the access
//! log has of it.

use super::Engine;
use crate::identity::{Encoder, Identity, Seeds};
use crate::limiter::{Forgiven, FreshStart, Limit, LimitId, can_be_forgiven};
use crate::rules::{Digest, Key, LimitSet, Policy, PolicySet};
use crate::table::Charge;
use crate::time::Micros;
use std::sync::Arc;

/// Why no caller is meant.
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
    /// There is no such consumer.
    UnknownConsumer,
    /// There is no such tier.
    UnknownTier,
}

/// A caller that an operator asks about.
pub struct KnownCaller<'e> {
    rules: &'e PolicySet,
    by: KnownBy<'e>,
    /// The consumer, by index.
    consumer: Option<usize>,
    /// By index; 0 if there are no tiers.
    tier: usize,
}

enum KnownBy<'e> {
    /// One or more keys.
    Values(Vec<KnownValue<'e>>),
    /// A record that was found.
    Record(FoundRecord),
}

/// The value of one key.
struct KnownValue<'e> {
    key: &'e Key,
    index: usize,
    /// As requests have it, before a key's `prefix` shortens it.
    value: Vec<u8>,
}

/// A record that a pseudonym has led to.
pub struct FoundRecord {
    /// Where it is.
    pub identity: Identity,
    /// The record of the caller's other credentials ([`Identity::provisional`]), if it was found, too.
    pub other: Option<Identity>,
    /// What it counts.
    pub counts: FoundCounts,
}

/// What a found record counts.
pub enum FoundCounts {
    /// These limits, in the table.
    Limits(Vec<LimitId>),
    /// The policy of this name, in the fleet.
    InFleet(String),
}

/// How a policy counts the caller.
pub enum Counting<'e> {
    /// In one record.
    Known(CountedCaller<'e>),
    /// By further keys, so that the caller has many records.
    WithOthers,
}

/// A caller that a policy counts in one record.
pub struct CountedCaller<'e> {
    /// The record and its limits, without cost.
    pub charge: Charge<'e>,
    /// The caller's limits.
    pub limits: &'e LimitSet,
    /// The record of the caller's credentials that no response has proved yet, if there may be one.
    pub other: Option<Identity>,
}

impl Engine {
    /// The caller whose keys have these values, each by the key's name. No key is there twice.
    ///
    /// # Errors
    /// If there can be none.
    pub fn caller_by(&self, named: &[(String, Vec<u8>)]) -> Result<KnownCaller<'_>, NoCaller> {
        let (rules, callers) = (self.rules(), &self.rules().callers);
        let values = named.iter().map(|(name, value)| known_value(&callers.keys, name, value));
        let values: Vec<KnownValue<'_>> = values.collect::<Result<_, _>>()?;
        let owner = |listed| {
            let known = values.iter().find(|known| known.index == listed)?;
            callers.consumers.find(listed, &Digest::of(&known.value))
        };
        let consumer = callers.consumers.keys().find_map(owner);
        let tier = tier_of(rules, consumer, None);
        Ok(KnownCaller { rules, by: KnownBy::Values(values), consumer, tier })
    }

    /// The caller whose record this is. Its consumer and its tier are not in it, so whoever knows them names them.
    ///
    /// # Errors
    /// If there is no such consumer or tier.
    pub fn caller_of(
        &self,
        record: FoundRecord,
        consumer: Option<&str>,
        tier: Option<&str>,
    ) -> Result<KnownCaller<'_>, NoCaller> {
        let (rules, callers) = (self.rules(), &self.rules().callers);
        let number_of = |name| {
            let mut all = callers.consumers.list().iter();
            all.position(|own| own.name == name).ok_or(NoCaller::UnknownConsumer)
        };
        let tier_number = |name| {
            let names = callers.tiers.as_ref().map_or(&[][..], |tiers| &tiers.names);
            names.iter().position(|own| own == name).ok_or(NoCaller::UnknownTier)
        };
        let (consumer, tier) = (consumer.map(number_of).transpose()?, tier.map(tier_number).transpose()?);
        let tier = tier_of(rules, consumer, tier);
        Ok(KnownCaller { rules, by: KnownBy::Record(record), consumer, tier })
    }
}

fn known_value<'e>(keys: &'e [Key], name: &str, value: &[u8]) -> Result<KnownValue<'e>, NoCaller> {
    let mut all = keys.iter().enumerate();
    let (index, key) = all.find(|(_, key)| key.name == name).ok_or(NoCaller::UnknownKey)?;
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
    Ok(KnownValue { key, index, value })
}

/// A tier, by index: the one that is named, else the consumer's, else the default.
fn tier_of(rules: &PolicySet, consumer: Option<usize>, named: Option<usize>) -> usize {
    let callers = &rules.callers;
    let own = || callers.consumers.list().get(consumer?)?.tier;
    named.or_else(own).unwrap_or_else(|| callers.tiers.as_ref().map_or(0, |tiers| tiers.default))
}

impl<'e> KnownCaller<'e> {
    /// The consumer's name. `None`: it is not a known one, as far as the operator has told.
    pub fn consumer(&self) -> Option<&'e str> {
        Some(&self.rules.callers.consumers.list().get(self.consumer?)?.name)
    }

    /// The tier's name, as far as the operator has told.
    pub fn tier(&self) -> Option<&'e str> {
        Some(self.rules.callers.tiers.as_ref()?.names.get(self.tier)?)
    }

    /// The policies that count the caller, and how.
    pub fn policies(&self, seeds: &Seeds) -> Vec<(&'e Policy, Counting<'e>)> {
        let counting = |policy| Some((policy, self.counting(policy, seeds)?));
        self.rules.policies.iter().filter_map(counting).collect()
    }

    fn counting(&self, policy: &'e Policy, seeds: &Seeds) -> Option<Counting<'e>> {
        match &self.by {
            KnownBy::Values(values) => self.counting_by(values, policy, seeds),
            KnownBy::Record(record) => {
                let counts = match &record.counts {
                    FoundCounts::Limits(found) => {
                        // Of what was forgiven, only the fresh start may be left.
                        let has = |limit: &Limit| {
                            found.contains(&limit.id) || found.contains(&FreshStart::id_of(limit.id))
                        };
                        policy.limits().iter().any(has) && !policy.scope.is_fleet()
                    }
                    FoundCounts::InFleet(name) => policy.scope.is_fleet() && policy.name == *name,
                };
                counts.then(|| self.counted(policy, record.identity, record.other))
            }
        }
    }

    fn counting_by(
        &self,
        values: &[KnownValue<'e>],
        policy: &'e Policy,
        seeds: &Seeds,
    ) -> Option<Counting<'e>> {
        let parts: Option<Vec<NamedPart<'_, '_>>> = self.parts(values, policy)?.into_iter().collect();
        let Some(parts) = parts else { return Some(Counting::WithOthers) };
        let seed = seeds.fleet.as_ref().filter(|_| policy.scope.is_fleet()).unwrap_or(&seeds.table);
        let mut encoder = Encoder::new(seed);
        if let Some(record) = policy.record_name() {
            encoder.add("", record.as_bytes());
        }
        let mut proven = true;
        for (key, value) in parts {
            // As `Caller::identity` has it of a request.
            let value = key.prefix.and_then(|prefix| value.get(..prefix)).unwrap_or(value);
            encoder.add(&key.kind, value);
            proven &= key.proven && !key.source.is_cheap(value);
        }
        let identity = encoder.finish().known(proven);
        let other = self.rules.checks_credentials().then(|| identity.provisional());
        Some(self.counted(policy, identity, other))
    }

    fn counted(&self, policy: &'e Policy, identity: Identity, other: Option<Identity>) -> Counting<'e> {
        let limit_set = policy.limit_sets.number_for(self.consumer, || self.tier);
        let charge = policy.charge(identity, limit_set, 0);
        Counting::Known(CountedCaller { charge, limits: policy.limit_sets.get(limit_set), other })
    }

    /// The parts of a policy's key; `None` for those that are not named. Each named value is one part, by its key or else
    /// by another of the same kind. `None`: some value is no part.
    fn parts<'s>(
        &self,
        values: &'s [KnownValue<'e>],
        policy: &'e Policy,
    ) -> Option<Vec<Option<NamedPart<'e, 's>>>> {
        let keys = &self.rules.callers.keys;
        let own = |part: &usize, known: &KnownValue<'e>| {
            Key::origins(keys, part).contains(&known.index).then_some(known.key)
        };
        let of_kind = |part: &usize, known: &KnownValue<'e>| {
            let mut origins = Key::origins(keys, part).iter().filter_map(|index| keys.get(*index));
            origins.find(|key| key.kind == known.key.kind)
        };
        let mut parts = vec![None; policy.key.len()];
        let mut left: Vec<&'s KnownValue<'e>> = values.iter().collect();
        for key_of in [&own as &KeyOfPart<'_, 'e>, &of_kind] {
            for (index, part) in policy.key.iter().zip(&mut parts).filter(|(_, part)| part.is_none()) {
                let fits = left.iter().position(|known| key_of(index, known).is_some());
                let known = fits.map(|at| left.remove(at));
                *part = known.and_then(|known| Some((key_of(index, known)?, known.value.as_slice())));
            }
        }
        left.is_empty().then_some(parts)
    }
}

/// A part of a policy's key, and its value.
type NamedPart<'e, 's> = (&'e Key, &'s [u8]);

/// The key by which a named value is this part of a policy's key, by index.
type KeyOfPart<'a, 'e> = dyn Fn(&usize, &KnownValue<'e>) -> Option<&'e Key> + 'a;

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
