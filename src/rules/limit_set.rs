//! One policy's limits for each kind of caller: the default ones, a tier's, or a consumer's own.
//!
//! All of them count in the same record under the same limit ids, so a change of tier changes the quota and
//! keeps the counts (FA-24).

use crate::config::Names;
use crate::limiter::Limit;

/// A policy's limits for some callers, in the order of the configuration, a penalty last.
#[derive(Clone, Debug, PartialEq)]
pub struct LimitSet(Vec<Limit>);

impl LimitSet {
    /// A set of these limits, a penalty last.
    pub fn new(limits: Vec<Limit>) -> LimitSet {
        LimitSet(limits)
    }

    /// The limits, a penalty last.
    pub fn limits(&self) -> &[Limit] {
        &self.0
    }

    /// Whether any limit counts requests in flight, so that units come back when a stream ends.
    pub fn has_concurrency(&self) -> bool {
        self.0.iter().any(Limit::counts_in_flight)
    }

    /// The bytes of every number that can differ between the limit sets of one policy.
    fn numbers(&self) -> Vec<u8> {
        let numbers = self.0.iter().flat_map(|limit| [limit.quota.get(), limit.max_at_once()]);
        numbers.flat_map(u32::to_le_bytes).collect()
    }
}

/// The limit sets of one policy, equal ones stored once.
#[derive(Clone, Debug)]
pub struct LimitsByCaller {
    /// For callers with neither a tier nor quotas of their own.
    default: LimitSet,
    others: Vec<LimitSet>,
    /// By tier: an index into `others`, or `None` for the default.
    by_tier: Vec<Option<usize>>,
    /// The same by consumer, as pairs in ascending order of the consumer's index.
    by_consumer: Vec<(usize, Option<usize>)>,
}

impl LimitsByCaller {
    /// The same limits for all callers.
    pub fn for_all(default: LimitSet) -> LimitsByCaller {
        LimitsByCaller { default, others: Vec::new(), by_tier: Vec::new(), by_consumer: Vec::new() }
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

    /// Whether some callers have other limits than the default.
    pub fn differ(&self) -> bool {
        !self.others.is_empty()
    }

    /// The number of a caller's limit set, for [`LimitsByCaller::get`]: a consumer's own, else its tier's.
    /// `tier` is called only if the consumer has none.
    pub fn number_for(&self, consumer: Option<usize>, tier: impl FnOnce() -> usize) -> usize {
        let own = || {
            let consumer = consumer?;
            let at = self.by_consumer.binary_search_by_key(&consumer, |(consumer, _)| *consumer).ok()?;
            self.by_consumer.get(at).map(|(_, index)| *index)
        };
        let index = own().unwrap_or_else(|| self.by_tier.get(tier()).copied().flatten());
        index.map_or(0, |index| index + 1)
    }

    /// How many limit sets there are.
    pub fn number(&self) -> usize {
        self.others.len() + 1
    }

    /// The limit set with this number; 0 is the default.
    pub fn get(&self, number: usize) -> &LimitSet {
        self.at(number.checked_sub(1))
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
