//! One policy's limits for each kind of caller: the default, a tier's, or a consumer's own.
//!
//! All of them count in the same record under the same limit ids, so a change of tier moves the quota and nothing else
//! (FA-24).

use crate::config::Names;
use crate::limiter::{Algorithm, Limit};

/// A policy's limits as they are for some callers: in order, a penalty last.
#[derive(Clone, Debug, PartialEq)]
pub struct LimitSet(Vec<Limit>);

impl LimitSet {
    /// From all limits.
    pub fn new(limits: Vec<Limit>) -> LimitSet {
        LimitSet(limits)
    }

    /// All limits, a penalty last.
    pub fn limits(&self) -> &[Limit] {
        &self.0
    }

    /// Whether units come back when the stream ends.
    pub fn has_concurrency(&self) -> bool {
        self.0.iter().any(|limit| limit.algorithm == Algorithm::Concurrency)
    }

    /// All that differs between the limit sets of one policy.
    fn numbers(&self) -> Vec<u8> {
        let numbers = self.0.iter().flat_map(|limit| [limit.quota.get(), limit.max_at_once()]);
        numbers.flat_map(u32::to_le_bytes).collect()
    }
}

/// All limit sets of one policy, each stored once.
#[derive(Clone, Debug)]
pub struct LimitsByCaller {
    /// For callers without a tier or quota of their own.
    default: LimitSet,
    others: Vec<LimitSet>,
    /// By tier: an index into `others`, or `None` for the default.
    by_tier: Vec<Option<usize>>,
    /// By consumer index, in ascending order: the same.
    by_consumer: Vec<(usize, Option<usize>)>,
}

impl LimitsByCaller {
    /// The same limits for everybody.
    pub fn for_all(default: LimitSet) -> LimitsByCaller {
        LimitsByCaller { default, others: Vec::new(), by_tier: Vec::new(), by_consumer: Vec::new() }
    }

    /// Adds the next tier's limits. `known` indexes the sets that were added before.
    pub fn add_tier(&mut self, set: LimitSet, known: &mut Names) {
        let index = self.index_of(set, known);
        self.by_tier.push(index);
    }

    /// Adds a consumer's own limits. Consumers are added in the order of their indexes.
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

    /// Whether callers differ in their limits.
    pub fn differ(&self) -> bool {
        !self.others.is_empty()
    }

    /// The number of a caller's limit set, for [`LimitsByCaller::get`]: a consumer's own, else its tier's. `tier` is asked
    /// only if needed.
    pub fn number_for(&self, consumer: Option<usize>, tier: impl FnOnce() -> usize) -> usize {
        let own = || {
            let consumer = consumer?;
            let at = self.by_consumer.binary_search_by_key(&consumer, |(consumer, _)| *consumer).ok()?;
            self.by_consumer.get(at).map(|(_, index)| *index)
        };
        let index = own().unwrap_or_else(|| self.by_tier.get(tier()).copied().flatten());
        index.map_or(0, |index| index + 1)
    }

    /// The limit set of this number: 0 for the default.
    pub fn get(&self, number: usize) -> &LimitSet {
        self.at(number.checked_sub(1))
    }

    /// The limits of callers without a tier or quota of their own.
    pub fn default(&self) -> &LimitSet {
        &self.default
    }

    /// The limits of a tier, by index.
    pub fn of_tier(&self, tier: usize) -> &LimitSet {
        self.at(self.by_tier.get(tier).copied().flatten())
    }

    /// The limits of consumers who have quotas of their own, by index.
    pub fn of_consumers(&self) -> impl Iterator<Item = (usize, &LimitSet)> {
        self.by_consumer.iter().map(|(consumer, index)| (*consumer, self.at(*index)))
    }

    fn at(&self, index: Option<usize>) -> &LimitSet {
        index.and_then(|index| self.others.get(index)).unwrap_or(&self.default)
    }
}
