//! One policy's limits with the numbers that each kind of caller has: a tier's, or a consumer's own.
//!
//! All of them count in the same record under the same ids, so a change of tier moves the cap and nothing else
//! (FA-24).

use crate::config::Names;
use crate::identity::Caller;
use crate::limiter::{Algorithm, Limit};
use crate::request::Request;

/// A policy's limits as they are for some callers.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    /// All of them, in order, a penalty last.
    pub limits: Vec<Limit>,
}

impl Terms {
    /// From all limits.
    pub fn new(limits: Vec<Limit>) -> Terms {
        Terms { limits }
    }

    /// What tells the terms of one policy apart.
    fn numbers(&self) -> Vec<u8> {
        let numbers = self.limits.iter().flat_map(|limit| [limit.quota.get(), limit.max_at_once()]);
        numbers.flat_map(u32::to_le_bytes).collect()
    }

    /// Whether units come back when the stream ends.
    pub fn comes_back(&self) -> bool {
        self.limits.iter().any(|limit| limit.algorithm == Algorithm::Concurrency)
    }
}

/// All terms of one policy.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// The terms of the default tier.
    default: Terms,
    /// Other terms.
    others: Vec<Terms>,
    /// By tier and by consumer: `None` for the default terms, else an index into `others`.
    by_tier: Vec<Option<usize>>,
    by_consumer: Vec<(usize, Option<usize>)>,
}

impl Table {
    /// The same terms for everybody.
    pub fn for_all(default: Terms) -> Table {
        Table { default, others: Vec::new(), by_tier: Vec::new(), by_consumer: Vec::new() }
    }

    /// Gives the next tier its terms. `known` are the numbers of all terms so far.
    pub fn add_tier(&mut self, terms: Terms, known: &mut Names) {
        let place = self.place(terms, known);
        self.by_tier.push(place);
    }

    /// Gives a consumer its own terms. Consumers come in the order of their indexes.
    pub fn add_consumer(&mut self, consumer: usize, terms: Terms, known: &mut Names) {
        let place = self.place(terms, known);
        self.by_consumer.push((consumer, place));
    }

    /// Where these terms are; they are added if they are new.
    fn place(&mut self, terms: Terms, known: &mut Names) -> Option<usize> {
        if terms == self.default {
            return None;
        }
        let numbers = terms.numbers();
        known.find("", &numbers).or_else(|| {
            known.add("", &numbers);
            self.others.push(terms);
            self.others.len().checked_sub(1)
        })
    }

    /// Whether callers differ in their terms.
    #[cfg(feature = "cli")]
    pub fn differ(&self) -> bool {
        !self.others.is_empty()
    }

    /// The terms of a tier.
    #[cfg(feature = "cli")]
    pub fn of_tier(&self, tier: usize) -> &Terms {
        let place = self.by_tier.get(tier).copied().flatten();
        place.and_then(|place| self.others.get(place)).unwrap_or(&self.default)
    }

    /// The terms of callers about whom nothing special is known.
    pub fn default(&self) -> &Terms {
        &self.default
    }

    /// The terms of consumers who have their own, by index.
    #[cfg(feature = "cli")]
    pub fn of_consumers(&self) -> impl Iterator<Item = (usize, &Terms)> {
        let terms =
            |place: Option<usize>| place.and_then(|place| self.others.get(place)).unwrap_or(&self.default);
        self.by_consumer.iter().map(move |(consumer, place)| (*consumer, terms(*place)))
    }

    /// The number of this caller's terms. Nothing is asked of the request if all have the same.
    pub fn of<R: Request>(&self, caller: &Caller<'_, R>) -> usize {
        if self.others.is_empty() {
            return 0;
        }
        let own = || {
            let consumer = caller.consumer()?;
            let place = self.by_consumer.binary_search_by_key(&consumer, |(consumer, _)| *consumer).ok()?;
            self.by_consumer.get(place).map(|(_, terms)| *terms)
        };
        let terms = own().unwrap_or_else(|| self.by_tier.get(caller.tier()).copied().flatten());
        terms.map_or(0, |place| place + 1)
    }

    /// The terms of this number.
    pub fn get(&self, number: usize) -> &Terms {
        number.checked_sub(1).and_then(|place| self.others.get(place)).unwrap_or(&self.default)
    }
}
