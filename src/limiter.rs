//! The algorithms. Each is a formula `(limit, state, now, cost) → (verdict, state)` in integers, in its own
//! file.
//!
//! A state is the bytes that the table stores in a record. [`Counter`] reads it in place, judges a request
//! and writes the next state. [`Algorithm`] has the parameters, and answers what others ask about an
//! algorithm. Both are made from the registry below; `tests/floors.rs` checks that no other code names an
//! algorithm. To add one, add its file and its line.

/// The registry: a line for each algorithm, of the word that policies have for it, which is also its file, and
/// of its parameters. Errors list them in this order, and the default of a limit is the first that takes its
/// window. Policies can't name the last two: one is a bucket by another field, one no limit.
macro_rules! algorithms {
    ($make:ident!($($with:tt)*)) => {
        $make! { ($($with)*)
            sliding_window::SlidingWindow,
            sliding_counter::SlidingCounter,
            fixed_window::FixedWindow,
            calendar::Calendar,
            token_bucket::TokenBucket,
            leaky_bucket::LeakyBucket,
            concurrency::Concurrency,
            stock::Stock,
            token_bucket::AtOnce,
            penalty::Penalty,
        }
    };
}

#[macro_use]
mod registry;
mod algorithm;
mod aligned;
pub mod calendar;
pub mod concurrency;
mod counter;
pub mod fixed_window;
mod forgiven;
mod formula;
mod growth;
pub mod leaky_bucket;
pub mod penalty;
pub mod sliding_counter;
pub mod sliding_window;
mod state;
pub mod stock;
pub mod text;
pub mod token_bucket;
mod verdict;

pub use algorithm::{Field, Parameters, Properties};
pub use counter::{coarser, share_of};
pub use forgiven::{Forgiven, FreshStart, can_be_forgiven, memory_of};
pub use formula::{Formula, Opening, WorkerId};
pub use growth::Growth;
pub use state::{Coarseness, EvictionInfo, State};
pub use verdict::Verdict;

use crate::config::{Word, Words};
use crate::time::{MILLISECOND, Micros, SECOND};
use std::num::NonZeroU32;

algorithms!(make_enums!());

/// Identifies a limit in the table's records, across reloads: a hash of `policy/limit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LimitId(pub u32);

impl LimitId {
    /// FNV-1a over `policy/limit`, so it is the same in every worker and after every reload.
    pub fn new(policy: &str, limit: &str) -> LimitId {
        const BASIS: LimitId = LimitId(0x811C_9DC5);
        BASIS.extended(policy).extended("/").extended(limit)
    }

    /// The id of something that belongs to this limit, by a name that no limit can have.
    fn extended(self, name: &str) -> LimitId {
        LimitId(name.bytes().fold(self.0, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)))
    }
}

/// At most `quota` units, counted by `algorithm`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// Identifies its states in the table.
    pub id: LimitId,
    /// Units per window.
    pub quota: NonZeroU32,
    /// The window's length, 1 s to 366 d. For a calendar, the longest its period can be; for limits without a
    /// window (concurrency, stock), the `retry_after` of a rejection; for a penalty, its duration.
    pub window: Micros,
    /// How units are counted.
    pub algorithm: Algorithm,
}

impl Limit {
    /// The maximum number of units that can be admitted at one instant.
    pub fn max_at_once(&self) -> u32 {
        self.algorithm.max_at_once(self.quota).get()
    }

    /// Whether units come back by themselves, at an instant that is known.
    pub fn has_window(&self) -> bool {
        self.algorithm.has_window()
    }

    /// Whether it counts units in flight, which come back when their stream ends.
    pub fn counts_in_flight(&self) -> bool {
        self.algorithm.counts_in_flight()
    }

    /// Whether a request's units count when it is admitted, and not only once it has lasted for a while.
    pub fn counts_on_arrival(&self) -> bool {
        !self.is_penalty() && self.algorithm.counted_after() == 0
    }

    /// Whether this is a policy's penalty.
    pub fn is_penalty(&self) -> bool {
        self.algorithm.is_penalty()
    }

    /// Whether a request's units stay counted until something corrects them: not those in flight, which every
    /// write has anew, and a penalty has none.
    pub fn is_correctable(&self) -> bool {
        !self.counts_in_flight() && !self.is_penalty()
    }
}

/// Workers read the clock before they compete for the page, so a state may be ahead of the reader's clock.
/// Within this margin a time that exceeds a window or a penalty is taken to be exactly as long. Beyond it, it
/// is a debt or the result of a changed setting.
const CLOCK_JITTER: Micros = MILLISECOND;

/// No request waits longer for its response: by default, Envoy ends idle streams after 5 minutes.
pub const MAX_RESPONSE_TIME: Micros = 600 * SECOND;

/// The most that another worker's clock can be ahead of the reader's, for the same reason. A state from
/// further in the future is damaged, or from before the clock was set back or the limit was changed.
const MAX_CLOCK_SKEW: Micros = 2 * SECOND;

#[cfg(test)]
mod tests;
