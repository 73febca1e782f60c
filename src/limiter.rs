//! The algorithms. Each is a formula `(limit, state, now, cost) → (verdict, state)` in integers, in its own
//! file.
//!
//! A state is the bytes that the table stores in a record. [`Counter`] reads it in place, judges a request
//! and writes the next state. To add an algorithm, add a file and a variant to [`Algorithm`] and to
//! [`Counter`].

pub mod calendar;
pub mod concurrency;
pub mod fixed_window;
pub mod penalty;
pub mod sliding_counter;
pub mod sliding_window;
pub mod stock;
pub mod text;
pub mod token_bucket;
mod verdict;

pub use verdict::Verdict;

use crate::time::{MILLISECOND, Micros, Now, SECOND};
use calendar::Calendar;
use concurrency::{UnitsInFlight, WorkerId};
use fixed_window::Aligned;
use penalty::Penalty;
use sliding_counter::TwoCounters;
use sliding_window::{Log, Slots};
use std::num::NonZeroU32;
use stock::Stock;
use token_bucket::Bucket;
use verdict::all_at;

/// Identifies a limit in the table's records, across reloads: a hash of `policy/limit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LimitId(pub u32);

impl LimitId {
    /// FNV-1a over `policy/limit`, so it is the same in every worker and after every reload.
    pub fn new(policy: &str, limit: &str) -> LimitId {
        let name = policy.bytes().chain([b'/']).chain(limit.bytes());
        LimitId(name.fold(0x811C_9DC5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)))
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
        match self.algorithm {
            Algorithm::TokenBucket { burst } => burst.get(),
            Algorithm::SlidingWindow(_)
            | Algorithm::SlidingCounter
            | Algorithm::FixedWindow
            | Algorithm::Calendar(_)
            | Algorithm::Concurrency
            | Algorithm::Stock { .. }
            | Algorithm::Penalty => self.quota.get(),
        }
    }
}

/// How units are counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Algorithm {
    /// A hard cap in every trailing window. Times are rounded up to slots of this length.
    SlidingWindow(Slots),
    /// The approximation with two counters that many rate limiters use.
    SlidingCounter,
    /// Windows aligned to the UNIX epoch.
    FixedWindow,
    /// Days, weeks or months in a time zone.
    Calendar(Calendar),
    /// A token bucket that refills at quota / window.
    TokenBucket {
        /// The bucket's capacity.
        burst: NonZeroU32,
    },
    /// Units in flight. They come back when their stream ends.
    Concurrency,
    /// Units that exist, such as API keys. They come back only when a response says so.
    Stock {
        /// Whether responses report the number of existing units. If so, units in flight are counted
        /// separately.
        reported: bool,
    },
    /// Not a limit of its own: a block that follows a rejection by the policy's limits. See
    /// [`Limit::penalty`].
    Penalty,
}

/// The tags of the algorithms' states. They are never reused.
mod kind {
    pub const SLIDING_WINDOW: u8 = 1;
    pub const SLIDING_COUNTER: u8 = 2;
    pub const FIXED_WINDOW: u8 = 3;
    pub const CALENDAR: u8 = 4;
    pub const TOKEN_BUCKET: u8 = 5;
    pub const CONCURRENCY: u8 = 6;
    pub const STOCK: u8 = 7;
    pub const PENALTY: u8 = 8;
}

impl Algorithm {
    /// The tag of this algorithm's states in a record.
    pub const fn kind(self) -> u8 {
        match self {
            Algorithm::SlidingWindow(_) => kind::SLIDING_WINDOW,
            Algorithm::SlidingCounter => kind::SLIDING_COUNTER,
            Algorithm::FixedWindow => kind::FIXED_WINDOW,
            Algorithm::Calendar(_) => kind::CALENDAR,
            Algorithm::TokenBucket { .. } => kind::TOKEN_BUCKET,
            Algorithm::Concurrency => kind::CONCURRENCY,
            Algorithm::Stock { .. } => kind::STOCK,
            Algorithm::Penalty => kind::PENALTY,
        }
    }

    /// Whether units can be counted at a later time and then moved to their own. Only such units are taken
    /// ahead.
    pub const fn counts_by_time(self) -> bool {
        match self {
            Algorithm::SlidingWindow(_) | Algorithm::FixedWindow | Algorithm::Calendar(_) => true,
            Algorithm::SlidingCounter
            | Algorithm::TokenBucket { .. }
            | Algorithm::Concurrency
            | Algorithm::Stock { .. }
            | Algorithm::Penalty => false,
        }
    }

    /// Whether its windows end at edges of the clock, so that units taken ahead end with them.
    pub const fn is_aligned(self) -> bool {
        match self {
            Algorithm::FixedWindow | Algorithm::Calendar(_) => true,
            Algorithm::SlidingWindow(_)
            | Algorithm::SlidingCounter
            | Algorithm::TokenBucket { .. }
            | Algorithm::Concurrency
            | Algorithm::Stock { .. }
            | Algorithm::Penalty => false,
        }
    }
}

/// How much precision a state may give up to make room in a full page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Coarseness {
    /// Units come back at most an eighth of the window late.
    Slight,
    /// As much as needed. The cap still holds.
    Any,
}

/// What the table needs to know to expire and evict a state, without reading its bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EvictionInfo {
    /// When the state has no effect any more and may be dropped, on the monotonic clock.
    pub expires: Micros,
    /// Used / quota in 255ths, rounded up: the share of the quota that is given away if the state is dropped.
    pub share: u8,
}

impl EvictionInfo {
    fn new(expires: Micros, used: u64, quota: NonZeroU32) -> EvictionInfo {
        let share = used.saturating_mul(255).div_ceil(u64::from(quota.get()));
        EvictionInfo { expires, share: u8::try_from(share).unwrap_or(u8::MAX) }
    }
}

/// The current value of [`EvictionInfo::share`] for a state that was written with `share`. It is lower if
/// units have come back since and the state's bytes show it.
pub fn share_of(kind: u8, share: u8, content: &[u8], now: Micros) -> u8 {
    if kind == kind::TOKEN_BUCKET {
        Bucket::share_of(content, now).map_or(share, |now| now.min(share))
    } else {
        share
    }
}

/// The state with less precision and fewer bytes, for room in a full page. It never admits more than
/// `content`. `None` if it can't, or need not, be any shorter.
pub fn coarser(kind: u8, content: &[u8]) -> Option<Vec<u8>> {
    if kind == kind::SLIDING_WINDOW { Log::coarser(content) } else { None }
}

/// One limit's state, parsed for one request.
pub enum Counter<'a> {
    /// See [`sliding_window`].
    SlidingWindow(Log<'a>),
    /// See [`sliding_counter`].
    SlidingCounter(TwoCounters),
    /// See [`fixed_window`] and [`calendar`].
    Aligned(Aligned),
    /// See [`token_bucket`].
    TokenBucket(Bucket),
    /// See [`concurrency`].
    Concurrency(UnitsInFlight),
    /// See [`stock`].
    Stock(Stock),
    /// See [`penalty`].
    Penalty(Penalty),
}

/// Dispatches a call to the counter's algorithm.
macro_rules! each {
    ($counter:expr, $state:ident => $call:expr) => {
        match $counter {
            Counter::SlidingWindow($state) => $call,
            Counter::SlidingCounter($state) => $call,
            Counter::Aligned($state) => $call,
            Counter::TokenBucket($state) => $call,
            Counter::Concurrency($state) => $call,
            Counter::Stock($state) => $call,
            Counter::Penalty($state) => $call,
        }
    };
}

impl<'a> Counter<'a> {
    /// Parses a state. Empty bytes are the state of an unused limit. `None` if the bytes are damaged.
    pub fn open(limit: &Limit, state: &'a [u8], now: Now, worker: WorkerId) -> Option<Counter<'a>> {
        Some(match limit.algorithm {
            Algorithm::SlidingWindow(slots) => {
                Counter::SlidingWindow(Log::open(limit, slots, state, now.mono)?)
            }
            Algorithm::SlidingCounter => Counter::SlidingCounter(TwoCounters::open(limit, state, now.mono)?),
            Algorithm::FixedWindow => Counter::Aligned(Aligned::open(limit, None, state, now)?),
            Algorithm::Calendar(calendar) => {
                Counter::Aligned(Aligned::open(limit, Some(calendar), state, now)?)
            }
            Algorithm::TokenBucket { burst } => {
                Counter::TokenBucket(Bucket::open(limit, burst, state, now.mono)?)
            }
            Algorithm::Concurrency => {
                Counter::Concurrency(UnitsInFlight::open(limit, worker, state, now.mono)?)
            }
            Algorithm::Stock { reported } => Counter::Stock(Stock::open(limit, reported, state, now.mono)?),
            Algorithm::Penalty => Counter::Penalty(Penalty::open(limit, state, now.mono)?),
        })
    }

    /// The counter of an unused limit.
    pub fn empty(limit: &Limit, now: Now) -> Counter<'static> {
        let nothing = Counter::open(limit, &[], now, WorkerId::default());
        // Empty bytes are never damaged, so the fallback is never used.
        nothing.unwrap_or_else(|| Counter::SlidingWindow(Log::empty(limit, Slots::EXACT)))
    }

    /// Judges a request of `cost` units at `now`, without counting it. A cost of 0 returns the current state.
    ///
    /// No time in the verdict is further away than [`Counter::max_reset`]. Otherwise a millisecond's
    /// rounding, or another worker's clock that is slightly ahead, would round up to one more second, and a
    /// caller would wait longer than the window. The window wins: a caller that waits for it is at most 1 ms
    /// early.
    // One copy for all callers: with one for each the module is kilobytes larger.
    pub fn judge(&self, now: Now, cost: u32) -> Verdict {
        let mut verdict = each!(self, state => state.judge(now.mono, cost));
        verdict.cap(self.max_reset(verdict.next_slot.saturating_sub(now.mono)), now.mono);
        verdict
    }

    /// The longest time until units counted now are back. `next` is how long until the next unit is.
    fn max_reset(&self, next: Micros) -> Micros {
        match self {
            Counter::SlidingWindow(log) => log.max_reset(),
            Counter::SlidingCounter(state) => state.max_reset(),
            Counter::Aligned(state) => state.max_reset(),
            Counter::TokenBucket(state) => state.max_reset(next),
            // Their verdicts have the limit's configured wait, or the penalty's end.
            Counter::Concurrency(_) | Counter::Stock(_) | Counter::Penalty(_) => Micros::MAX,
        }
    }

    /// Counts `units` at `at`, whether or not the quota allows them.
    pub fn charge(&mut self, at: Now, units: u32) {
        match self {
            Counter::Aligned(state) => state.charge(at, units),
            Counter::SlidingWindow(state) => state.charge(at.mono, units),
            Counter::SlidingCounter(state) => state.charge(at.mono, units),
            Counter::TokenBucket(state) => state.charge(at.mono, units),
            Counter::Concurrency(state) => state.charge(units),
            Counter::Stock(state) => state.charge(units),
            Counter::Penalty(state) => state.charge(at.mono),
        }
    }

    /// Counts `units` of a request that is admitted now, like [`Counter::charge`]. A reported stock also
    /// counts them as in flight.
    pub fn reserve(&mut self, now: Now, units: u32) {
        match self {
            Counter::Stock(state) => state.reserve(units),
            Counter::SlidingWindow(_)
            | Counter::SlidingCounter(_)
            | Counter::Aligned(_)
            | Counter::TokenBucket(_)
            | Counter::Concurrency(_)
            | Counter::Penalty(_) => self.charge(now, units),
        }
    }

    /// Removes reserved `units` from those in flight. They stay counted unless they are refunded.
    pub fn settle_reserved(&mut self, units: u32) {
        if let Counter::Stock(state) = self {
            state.settle(units);
        }
    }

    /// Sets a stock to the number of units reported by the response to a request that was admitted at
    /// `since`.
    pub fn report(&mut self, units: u64, since: Now) {
        if let Counter::Stock(state) = self {
            state.report(units, since.mono);
        }
    }

    /// Gives back `units` that were counted at `at`. Units that have left the window since are not given back
    /// again.
    pub fn refund(&mut self, at: Now, units: u32) {
        self.refund_part(at, units, 0, 0);
    }

    /// What a charge that was just made remembers for its refund. 0: nothing.
    pub fn hold(&self) -> u64 {
        match self {
            Counter::TokenBucket(bucket) => bucket.hold(),
            Counter::SlidingWindow(_)
            | Counter::SlidingCounter(_)
            | Counter::Aligned(_)
            | Counter::Concurrency(_)
            | Counter::Stock(_)
            | Counter::Penalty(_) => 0,
        }
    }

    /// Gives back `units` of a charge at `at`, of which `kept` units stay counted. `hold` is what the charge
    /// remembers, see [`Counter::hold`].
    pub fn refund_part(&mut self, at: Now, units: u32, kept: u32, hold: u64) {
        match self {
            Counter::Aligned(state) => state.refund(at, units),
            Counter::SlidingWindow(state) => state.refund(at.mono, units),
            Counter::SlidingCounter(state) => state.refund(at.mono, units),
            Counter::TokenBucket(state) => state.refund(at.mono, units, kept, hold),
            Counter::Concurrency(state) => state.refund(units),
            Counter::Stock(state) => state.refund(units),
            // A refund does not undo an excess.
            Counter::Penalty(_) => {}
        }
    }

    /// Gives back the `units` that were counted last, but none that were counted after `at`: another request
    /// returns them.
    pub fn give_back_newest(&mut self, at: Now, units: u32) {
        match self {
            Counter::SlidingWindow(state) => state.give_back_newest(at.mono, units),
            Counter::SlidingCounter(state) => state.give_back_newest(at.mono, units),
            // All units of a window, a bucket or a stock are alike.
            Counter::Aligned(_) | Counter::TokenBucket(_) | Counter::Stock(_) => self.refund(at, units),
            // Its units come back only when their own streams end; a penalty has none.
            Counter::Concurrency(_) | Counter::Penalty(_) => {}
        }
    }

    /// Settles a lease: gives back the `taken` units that were counted at its `end`, and counts the `used`
    /// ones at their times. These are not after the end, and in the same aligned window.
    pub fn settle(&mut self, end: Now, taken: u32, used: &[(Now, u32)]) {
        match self {
            Counter::Aligned(state) => {
                let used = used.iter().fold(0u32, |sum, (_, units)| sum.saturating_add(*units));
                state.settle(end, taken, used);
            }
            Counter::SlidingWindow(state) => state.settle(end.mono, taken, used),
            Counter::SlidingCounter(_)
            | Counter::TokenBucket(_)
            | Counter::Concurrency(_)
            | Counter::Stock(_)
            | Counter::Penalty(_) => {
                // Never leased.
                self.refund(end, taken);
                used.iter().for_each(|(at, units)| self.charge(*at, *units));
            }
        }
    }

    /// Sets this worker's units in flight, in a concurrency limit. Returns whether that changes the count.
    pub fn set_in_flight(&mut self, units: u32) -> bool {
        match self {
            Counter::Concurrency(state) => state.set(units),
            Counter::SlidingWindow(_)
            | Counter::SlidingCounter(_)
            | Counter::Aligned(_)
            | Counter::TokenBucket(_)
            | Counter::Stock(_)
            | Counter::Penalty(_) => false,
        }
    }

    /// When the penalty ends, on the monotonic clock. `None` if it has ended or this is not a penalty.
    pub fn penalty_end(&self, now: Now) -> Option<Micros> {
        match self {
            Counter::Penalty(state) => state.end(now.mono),
            Counter::SlidingWindow(_)
            | Counter::SlidingCounter(_)
            | Counter::Aligned(_)
            | Counter::TokenBucket(_)
            | Counter::Concurrency(_)
            | Counter::Stock(_) => None,
        }
    }

    /// Whether the units were given new times, because the clock was set back or a bucket's rate has changed.
    /// If so the state must be written even when the request is rejected, or every request would restart the
    /// wait.
    pub fn restamped(&self) -> bool {
        match self {
            Counter::SlidingWindow(log) => log.restamped(),
            Counter::TokenBucket(bucket) => bucket.restamped(),
            Counter::SlidingCounter(_)
            | Counter::Aligned(_)
            | Counter::Concurrency(_)
            | Counter::Stock(_)
            | Counter::Penalty(_) => false,
        }
    }

    /// Forgives debts that would reject for longer than `longest` once the limit is empty. Only a token
    /// bucket has such: with the others, all units leave with their window.
    pub fn forgive(&mut self, longest: Micros) {
        if let Counter::TokenBucket(bucket) = self {
            bucket.forgive(longest);
        }
    }

    /// Makes the next state smaller and less precise; it never admits more than before. `false` if it can't
    /// within `coarsest`.
    pub fn coarsen(&mut self, coarsest: Coarseness) -> bool {
        match self {
            Counter::SlidingWindow(log) => log.coarsen(coarsest),
            Counter::SlidingCounter(_)
            | Counter::Aligned(_)
            | Counter::TokenBucket(_)
            | Counter::Concurrency(_)
            | Counter::Stock(_)
            | Counter::Penalty(_) => false,
        }
    }

    /// Appends the next state's bytes, or none if it is that of an unused limit.
    pub fn write(&self, out: &mut Vec<u8>) -> EvictionInfo {
        each!(self, state => state.write(out))
    }
}

/// Workers read the clock before they compete for the page, so a state may be ahead of the reader's clock.
/// Within this margin a time that exceeds a window or a penalty is taken to be exactly as long. Beyond it, it
/// is a debt or the result of a changed setting.
const CLOCK_JITTER: Micros = MILLISECOND;

/// No request waits longer for its response: by default, Envoy ends idle streams after 5 minutes.
const MAX_RESPONSE_TIME: Micros = 600 * SECOND;

/// The most that another worker's clock can be ahead of the reader's, for the same reason. A state from
/// further in the future is damaged, or from before the clock was set back or the limit was changed.
const MAX_CLOCK_SKEW: Micros = 2 * SECOND;

#[cfg(test)]
mod tests;
