//! One policy's limits for each kind of caller: the default ones, a tier's, or a consumer's own.
//!
//! All of them count in the same record under the same limit ids, so a change of tier changes the quota and
//! keeps the counts (FA-24).
//!
//! A limit that a caller's quota makes `unlimited` is not in the caller's set: nothing asks it, and no reply
//! shows it. A quota of 0 rejects every request before anything is asked.

use crate::config::Names;
use crate::limiter::Limit;
use std::num::NonZeroU32;

/// How many units of a limit a caller may use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Quota {
    /// At most this many.
    Units(NonZeroU32),
    /// Any number. For this caller the limit does not exist.
    Unlimited,
    /// None, so every request is rejected.
    Nothing,
}

impl Quota {
    /// The units, if there are any and they are limited.
    pub fn units(self) -> Option<NonZeroU32> {
        match self {
            Quota::Units(units) => Some(units),
            Quota::Unlimited | Quota::Nothing => None,
        }
    }
}

/// What a caller's limits do with its requests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Standing {
    /// They judge them.
    Limited,
    /// There are none: all requests are admitted, and none is counted.
    Unlimited,
    /// One of them has a quota of 0: all requests are rejected, and none is counted.
    Excluded,
}

/// A policy's limits for some callers, in the order of the configuration, a penalty last.
#[derive(Clone, Debug, PartialEq)]
pub struct LimitSet {
    /// Those that count. A penalty belongs to them, so there is none without them.
    limits: Vec<Limit>,
    /// The quota of each of the policy's limits, penalty excluded. `None`: all of them count.
    quotas: Option<Box<[Quota]>>,
}

impl LimitSet {
    /// The limits of a policy, each with its quota for these callers, and its penalty.
    pub fn new(limits: &[(Limit, Quota)], penalty: Option<Limit>) -> LimitSet {
        let counting = limits.iter().filter(|(_, quota)| quota.units().is_some());
        let mut counting: Vec<Limit> = counting.map(|(limit, _)| *limit).collect();
        let partial = counting.len() < limits.len();
        let penalty = penalty.filter(|_| !counting.is_empty());
        counting.extend(penalty);
        LimitSet {
            limits: counting,
            quotas: partial.then(|| limits.iter().map(|(_, quota)| *quota).collect()),
        }
    }

    /// The limits that count, a penalty last.
    pub fn limits(&self) -> &[Limit] {
        &self.limits
    }

    /// One of the policy's limits, by index. `None`: it does not count for these callers.
    pub fn limit(&self, index: usize) -> Option<&Limit> {
        let Some(quotas) = &self.quotas else { return self.limits.get(index) };
        quotas.get(index)?.units()?;
        self.limits.get(quotas.iter().take(index).filter(|quota| quota.units().is_some()).count())
    }

    /// The quota of one of the policy's limits, by index. `None`: the policy has no such limit.
    pub fn quota(&self, index: usize) -> Option<Quota> {
        match &self.quotas {
            Some(quotas) => quotas.get(index).copied(),
            None => self.limits.get(index).map(|limit| Quota::Units(limit.quota)),
        }
    }

    /// What the limits do with these callers' requests.
    pub fn standing(&self) -> Standing {
        let excludes = |quotas: &[Quota]| quotas.contains(&Quota::Nothing);
        match &self.quotas {
            Some(quotas) if excludes(quotas) => Standing::Excluded,
            Some(_) if self.limits.is_empty() => Standing::Unlimited,
            Some(_) | None => Standing::Limited,
        }
    }

    /// The policy's limits, by index, that verdicts on these callers' requests are about, in order: those that
    /// count, or those that reject everything. `None`: all of them.
    pub fn judging(&self) -> Option<Vec<usize>> {
        let quotas = self.quotas.as_deref()?;
        let excludes = self.standing() == Standing::Excluded;
        let judges = |quota: &Quota| match quota {
            Quota::Units(_) => !excludes,
            Quota::Nothing => excludes,
            Quota::Unlimited => false,
        };
        Some(quotas.iter().enumerate().filter(|(_, quota)| judges(quota)).map(|(index, _)| index).collect())
    }

    /// The bytes of every number that can differ between the limit sets of one policy.
    fn numbers(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for limit in &self.limits {
            bytes.extend([limit.quota.get(), limit.max_at_once()].map(u32::to_le_bytes).concat());
        }
        // No limit that counts has a quota of 0.
        for quota in self.quotas.iter().flatten() {
            let place = match quota {
                Quota::Units(_) => [0, 0],
                Quota::Unlimited => [0, 1],
                Quota::Nothing => [0, 2],
            };
            bytes.extend(place.map(u32::to_le_bytes).concat());
        }
        bytes
    }
}

/// The number of the first of the limit sets that one request states itself, above those of any policy's.
pub const FIRST_OWN: usize = 1 << 30;

/// The limit sets of one policy, equal ones stored once.
#[derive(Clone, Debug)]
pub struct LimitsByCaller {
    /// All limits of the policy, a penalty last, whether or not they count for anyone.
    declared: Vec<Limit>,
    /// Whether there are callers for whom not all of them count.
    partial: bool,
    /// For callers with neither a tier nor quotas of their own.
    default: LimitSet,
    others: Vec<LimitSet>,
    /// By tier: an index into `others`, or `None` for the default.
    by_tier: Vec<Option<usize>>,
    /// The same by consumer, as pairs in ascending order of the consumer's index.
    by_consumer: Vec<(usize, Option<usize>)>,
}

impl LimitsByCaller {
    /// The same limits for all callers. `declared` are all limits of the policy, a penalty last, with any
    /// quota.
    pub fn for_all(declared: Vec<Limit>, default: LimitSet) -> LimitsByCaller {
        let partial = default.quotas.is_some();
        let (others, by_tier, by_consumer) = Default::default();
        LimitsByCaller { declared, partial, default, others, by_tier, by_consumer }
    }

    /// Adds the next tier's limits. `known` is the caller's index of the sets added so far.
    pub fn add_tier(&mut self, set: LimitSet, known: &mut Names) {
        let index = self.index_of(set, known);
        self.by_tier.push(index);
    }

    /// Adds a consumer's own limits. Consumers must be added in the order of their indexes.
    pub fn add_consumer(&mut self, consumer: usize, set: LimitSet, known: &mut Names) {
        let index = self.index_of(set, known);
        self.by_consumer.push((consumer, index));
    }

    fn index_of(&mut self, set: LimitSet, known: &mut Names) -> Option<usize> {
        if set == self.default {
            return None;
        }
        let numbers = set.numbers();
        known.find("", &numbers).or_else(|| {
            known.add("", &numbers);
            self.partial |= set.quotas.is_some();
            self.others.push(set);
            self.others.len().checked_sub(1)
        })
    }

    /// The most units that every limit of every caller admits at one instant.
    pub fn max_at_once(&self) -> u32 {
        // With tiers, every caller has one, and the default set may be nobody's.
        let without_default = !self.by_tier.is_empty() && self.by_tier.iter().all(Option::is_some);
        let sets = self.others.iter().chain((!without_default).then_some(&self.default));
        let limits = sets.flat_map(LimitSet::limits).filter(|limit| !limit.is_penalty());
        limits.map(Limit::max_at_once).min().unwrap_or(u32::MAX)
    }

    /// All limits of the policy, a penalty last. Their quotas are those of callers with neither a tier nor
    /// quotas of their own, if that is a number of units.
    pub fn declared(&self) -> &[Limit] {
        &self.declared
    }

    /// Whether some callers have other limits than the default.
    pub fn differ(&self) -> bool {
        !self.others.is_empty()
    }

    /// Whether limits differ by tier, so that the tier of each caller is looked up.
    pub fn differ_by_tier(&self) -> bool {
        self.differ() && !self.by_tier.is_empty()
    }

    /// Whether a quota is unlimited or 0 for anyone.
    pub fn are_partial(&self) -> bool {
        self.partial
    }

    /// The number of a caller's limit set, for [`LimitsByCaller::get`]: a consumer's own, else its tier's.
    /// `tier` is called only if there are limits by tier: also for consumers with limits of their own, since
    /// metrics count requests by tier.
    pub fn number_for(&self, consumer: Option<usize>, tier: impl FnOnce() -> usize) -> usize {
        let own = || {
            let consumer = consumer?;
            let at = self.by_consumer.binary_search_by_key(&consumer, |(consumer, _)| *consumer).ok()?;
            self.by_consumer.get(at).map(|(_, index)| *index)
        };
        let by_tier =
            if self.by_tier.is_empty() { None } else { self.by_tier.get(tier()).copied().flatten() };
        let index = own().unwrap_or(by_tier);
        index.map_or(0, |index| index + 1)
    }

    /// The number of a limit set that can reject: this one, or the first one if this one is without limits.
    /// If no set has any, this one.
    pub fn that_can_reject(&self, number: usize) -> usize {
        let can = |number: &usize| self.get(*number).standing() != Standing::Unlimited;
        std::iter::once(number).chain(0..=self.others.len()).find(can).unwrap_or(number)
    }

    /// The limit set with this number; 0 is the default.
    pub fn get(&self, number: usize) -> &LimitSet {
        self.at(number.checked_sub(1))
    }

    /// All limit sets, in the order of their numbers.
    pub fn all(&self) -> impl Iterator<Item = &LimitSet> {
        std::iter::once(&self.default).chain(&self.others)
    }

    /// The limits of callers with neither a tier nor quotas of their own.
    pub fn default(&self) -> &LimitSet {
        &self.default
    }

    /// The limits of a tier, by index.
    pub fn of_tier(&self, tier: usize) -> &LimitSet {
        self.at(self.by_tier.get(tier).copied().flatten())
    }

    /// The consumers with quotas of their own, by index, and their limits.
    pub fn of_consumers(&self) -> impl Iterator<Item = (usize, &LimitSet)> {
        self.by_consumer.iter().map(|(consumer, index)| (*consumer, self.at(*index)))
    }

    fn at(&self, index: Option<usize>) -> &LimitSet {
        index.and_then(|index| self.others.get(index)).unwrap_or(&self.default)
    }
}
