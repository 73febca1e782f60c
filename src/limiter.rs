//! One formula per algorithm: `(limit, state, now, cost) → (verdict, state)`, integers only.
//!
//! A state is bytes, as it lies in the table's record. [`Counter`] reads one in place, judges a request
//! by it, and writes the next one. Each algorithm is a file of its own; an algorithm to come is a
//! variant of [`Algorithm`] and [`Counter`] and a file.

pub mod calendar;
pub mod concurrency;
pub mod fixed_window;
pub mod penalty;
pub mod sliding_counter;
pub mod sliding_window;
pub mod stock;
pub mod token_bucket;

use crate::time::{MILLISECOND, Micros, Now};
use calendar::Calendar;
use concurrency::{Holder, Holders};
use fixed_window::Aligned;
use penalty::Penalty;
use sliding_counter::TwoCounters;
use sliding_window::{Log, Slots};
use std::num::NonZeroU32;
use stock::Stock;
use token_bucket::Bucket;

/// Names a limit in the table's records across reloads: a hash of `policy/limit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LimitId(pub u32);

impl LimitId {
    /// FNV-1a over `policy/limit`: the same in every worker and after every reload.
    pub fn new(policy: &str, limit: &str) -> LimitId {
        let name = policy.bytes().chain([b'/']).chain(limit.bytes());
        LimitId(name.fold(0x811C_9DC5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)))
    }
}

/// At most `quota` units, counted by `algorithm`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// Under which its states are kept.
    pub id: LimitId,
    /// Units, 1 to 2^32-1.
    pub quota: NonZeroU32,
    /// The length that the quota is for, 1 s to 366 d. For a calendar the longest its period can be; for
    /// limits without a window (concurrency, stock) the wait that a refusal tells. For a penalty how long it is.
    pub window: Micros,
    /// How units are counted.
    pub algorithm: Algorithm,
}

impl Limit {
    /// The most units that it can admit at one instant.
    pub fn most_at_once(&self) -> u32 {
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
    /// The hard cap in every trailing window, with times kept in slots of this length.
    SlidingWindow(Slots),
    /// The approximation by two counters that others use.
    SlidingCounter,
    /// Windows aligned to the UNIX epoch.
    FixedWindow,
    /// Natural days, weeks or months in a time zone.
    Calendar(Calendar),
    /// A bucket of so many units that fills at quota / window.
    TokenBucket {
        /// The most units at once.
        burst: NonZeroU32,
    },
    /// Units in flight, given back when their stream ends.
    Concurrency,
    /// Units that exist, given back only by name.
    Stock {
        /// Whether responses say how many there really are. Then what is in flight is kept apart.
        reported: bool,
    },
    /// None: for how long an excess of the others is punished. See [`Limit::penalty`].
    Penalty,
}

/// The tags of two algorithms' states.
const SLIDING_WINDOW: u8 = 1;
const TOKEN_BUCKET: u8 = 5;

impl Algorithm {
    /// The tag of this algorithm's states in a record. A tag is never used for anything else again.
    pub const fn kind(self) -> u8 {
        match self {
            Algorithm::SlidingWindow(_) => SLIDING_WINDOW,
            Algorithm::SlidingCounter => 2,
            Algorithm::FixedWindow => 3,
            Algorithm::Calendar(_) => 4,
            Algorithm::TokenBucket { .. } => TOKEN_BUCKET,
            Algorithm::Concurrency => 6,
            Algorithm::Stock { .. } => 7,
            Algorithm::Penalty => 8,
        }
    }
}

/// One limit's answer to one request. All instants are on the monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// Whether this limit lets the request pass.
    pub admitted: bool,
    /// The quota it was judged by.
    pub quota: NonZeroU32,
    /// Units left after this request.
    pub remaining: u64,
    /// When the next unit comes back.
    pub next_slot: Micros,
    /// When all units are back, if nothing else is admitted.
    pub full_reset: Micros,
    /// How long until the same request would be admitted, if nothing else is; 0 when it was.
    pub retry_after: Micros,
}

impl Verdict {
    /// Tells of nothing that is further away than `longest`.
    fn within(&mut self, longest: Micros, now: Micros) {
        let latest = now.saturating_add(longest);
        self.next_slot = self.next_slot.min(latest);
        self.full_reset = self.full_reset.min(latest);
        self.retry_after = self.retry_after.min(longest);
    }

    /// Says what is left of a request that was admitted at a cost of `judged` units and has been counted as others.
    pub fn recount(&mut self, judged: u32, counted: u32) {
        let free = self.remaining.saturating_add(u64::from(judged)).min(u64::from(self.quota.get()));
        self.remaining = free.saturating_sub(u64::from(counted));
    }

    /// Whether a tenth of the quota is left, or less (FA-26).
    pub fn near_limit(&self) -> bool {
        self.remaining <= u64::from(self.quota.get() / 10)
    }
}

/// How much precision a state may give up for room in a crowded page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Coarseness {
    /// Rejections come at most an eighth of the window too early.
    Slight,
    /// Whatever it takes: the cap still holds.
    Any,
}

/// What the table must know of a state without understanding it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wear {
    /// When the state says nothing any more and may be dropped, on the monotonic clock.
    pub expires: Micros,
    /// Used / quota, in 255ths, rounded up: what forgetting this state would give away.
    pub share: u8,
}

impl Wear {
    fn new(expires: Micros, used: u64, quota: NonZeroU32) -> Wear {
        let share = used.saturating_mul(255).div_ceil(u64::from(quota.get()));
        Wear { expires, share: u8::try_from(share).unwrap_or(u8::MAX) }
    }
}

/// What forgetting a state would give away now, in 255ths: `share` when it was written, and less for what has come back
/// by itself since, where its bytes tell.
pub fn share_of(kind: u8, share: u8, content: &[u8], now: Micros) -> u8 {
    if kind == TOKEN_BUCKET {
        Bucket::share_of(content, now).map_or(share, |now| now.min(share))
    } else {
        share
    }
}

/// A state that says the same with less precision, and more cautiously, for room in a crowded page. `None`: it is as short as
/// it should be.
pub fn coarser(kind: u8, content: &[u8]) -> Option<Vec<u8>> {
    if kind == SLIDING_WINDOW { Log::coarser(content) } else { None }
}

/// One limit's state, opened at one instant.
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
    Concurrency(Holders),
    /// See [`stock`].
    Stock(Stock),
    /// See [`penalty`].
    Penalty(Penalty),
}

/// Passes a call on to the algorithm that the counter is.
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
    /// Opens a state; empty bytes are the state of a limit never touched. `None`: damaged bytes.
    pub fn open(limit: &Limit, state: &'a [u8], now: Now, holder: Holder) -> Option<Counter<'a>> {
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
            Algorithm::Concurrency => Counter::Concurrency(Holders::open(limit, holder, state, now.mono)?),
            Algorithm::Stock { reported } => Counter::Stock(Stock::open(limit, reported, state, now.mono)?),
            Algorithm::Penalty => Counter::Penalty(Penalty::open(limit, state, now.mono)?),
        })
    }

    /// A counter of nothing.
    pub fn empty(limit: &Limit, now: Now) -> Counter<'static> {
        let nothing = Counter::open(limit, &[], now, Holder::default());
        // Empty bytes are never damaged; the other arm is never taken.
        nothing.unwrap_or_else(|| Counter::SlidingWindow(Log::empty(limit, Slots::EXACT)))
    }

    /// Answers a request of `cost` units at `now`, without counting it. A cost of 0 asks how things stand.
    ///
    /// No instant that it tells is further away than [`Counter::longest`], whatever the state has: what a unit's time
    /// was rounded up to, or how much another worker's clock was ahead, would else be told as a second of its own,
    /// and a caller would wait longer than the window.
    // One copy for all callers: with one for each the module is kilobytes larger.
    #[inline(never)]
    pub fn judge(&self, now: Now, cost: u32) -> Verdict {
        let mut verdict = each!(self, state => state.judge(now.mono, cost));
        verdict.within(self.longest(verdict.next_slot.saturating_sub(now.mono)), now.mono);
        verdict
    }

    /// How long it takes at most until what is counted now has come back, if the `next` unit comes so late.
    fn longest(&self, next: Micros) -> Micros {
        match self {
            Counter::SlidingWindow(log) => log.longest(),
            Counter::SlidingCounter(state) => state.longest(),
            Counter::Aligned(state) => state.longest(),
            Counter::TokenBucket(state) => state.longest(next),
            // They tell their limit's own wait, and a penalty its end.
            Counter::Concurrency(_) | Counter::Stock(_) | Counter::Penalty(_) => Micros::MAX,
        }
    }

    /// Counts `units` admitted at `at`, whether or not the quota allows them.
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

    /// Counts `units` of a request that is admitted now, as [`Counter::charge`] does, and notes them as in flight where
    /// that is kept apart.
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

    /// `units` that were reserved are no longer in flight. Whether they are still counted is said otherwise.
    pub fn settle_reserved(&mut self, units: u32) {
        if let Counter::Stock(state) = self {
            state.settle(units);
        }
    }

    /// So many units of a stock there really are, says the answer to a request that was admitted at `since`.
    pub fn report(&mut self, units: u64, since: Now) {
        if let Counter::Stock(state) = self {
            state.report(units, since.mono);
        }
    }

    /// Takes back `units` that were counted at `at`. What has left the window since is not given back twice.
    pub fn refund(&mut self, at: Now, units: u32) {
        match self {
            Counter::Aligned(state) => state.refund(at, units),
            Counter::SlidingWindow(state) => state.refund(at.mono, units),
            Counter::SlidingCounter(state) => state.refund(at.mono, units),
            Counter::TokenBucket(state) => state.refund(at.mono, units),
            Counter::Concurrency(state) => state.refund(units),
            Counter::Stock(state) => state.refund(units),
            // Whoever has passed a limit has, whatever is given back to it.
            Counter::Penalty(_) => {}
        }
    }

    /// Settles a lease: takes back the `taken` units that were counted at its `end`, and counts those `used`, at their
    /// times. None of these is after the end, and the end is in the same aligned window as they are.
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
                // They are never leased.
                self.refund(end, taken);
                used.iter().for_each(|(at, units)| self.charge(*at, *units));
            }
        }
    }

    /// Says how many units this worker has in flight, if that is what is counted. Answers whether that is news.
    pub fn hold(&mut self, units: u32) -> bool {
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

    /// When the penalty that this is ends, on the monotonic clock. `None`: it has ended, or this is none.
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

    /// Whether opening has changed what must be kept, even by a refusal: the units have new times, since the
    /// clock was set back, and without a write the next one would start the window anew.
    pub fn restamped(&self) -> bool {
        match self {
            Counter::SlidingWindow(log) => log.restamped(),
            Counter::SlidingCounter(_)
            | Counter::Aligned(_)
            | Counter::TokenBucket(_)
            | Counter::Concurrency(_)
            | Counter::Stock(_)
            | Counter::Penalty(_) => false,
        }
    }

    /// Makes the next state smaller and more cautious: never more is admitted by it than before.
    /// `false` when it can't be made smaller so far.
    pub fn coarsen(&mut self, so_far: Coarseness) -> bool {
        match self {
            Counter::SlidingWindow(log) => log.coarsen(so_far),
            Counter::SlidingCounter(_)
            | Counter::Aligned(_)
            | Counter::TokenBucket(_)
            | Counter::Concurrency(_)
            | Counter::Stock(_)
            | Counter::Penalty(_) => false,
        }
    }

    /// Appends the next state's bytes; none when it would say nothing.
    pub fn write(&self, out: &mut Vec<u8>) -> Wear {
        each!(self, state => state.write(out))
    }
}

/// Workers read the clock before they compete for the page. What is further away than a length by less than this has
/// that length: another worker's clock was ahead. More is a debt, or a setting that was changed.
const ALIKE: Micros = MILLISECOND;

/// The verdict of algorithms whose units all come back at one instant.
fn all_at(edge: Micros, quota: NonZeroU32, used: u64, now: Micros, cost: u32) -> Verdict {
    let free = u64::from(quota.get()).saturating_sub(used);
    let admitted = u64::from(cost) <= free;
    Verdict {
        admitted,
        quota,
        remaining: if admitted { free - u64::from(cost) } else { free },
        next_slot: edge,
        full_reset: edge,
        retry_after: if admitted { 0 } else { edge.saturating_sub(now).max(1) },
    }
}

#[cfg(test)]
mod tests;
