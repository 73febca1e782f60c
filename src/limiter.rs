//! One formula per algorithm: `(limit, state, now, cost) → (verdict, state)`, integers only.
//!
//! A state is bytes, as it lies in the table's record. [`Counter`] reads one in place, judges a request
//! by it, and writes the next one. Each algorithm is a file of its own; an algorithm to come is a
//! variant of [`Algorithm`] and [`Counter`] and a file.

pub mod sliding_window;
pub mod token_bucket;

use crate::time::Micros;
use sliding_window::{Log, Slots};
use std::num::NonZeroU32;

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

/// At most `quota` units of cost in every `window`, counted by `algorithm`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// Under which its states are kept.
    pub id: LimitId,
    /// Units, 1 to 2^32-1.
    pub quota: NonZeroU32,
    /// Length, 1 s to 366 d.
    pub window: Micros,
    /// How units are counted.
    pub algorithm: Algorithm,
}

/// How units are counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Algorithm {
    /// The hard cap in every trailing window, with times kept in slots of this length.
    SlidingWindow(Slots),
}

impl Algorithm {
    /// The tag of this algorithm's states in a record.
    pub fn kind(self) -> u8 {
        match self {
            Algorithm::SlidingWindow(_) => sliding_window::KIND,
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

/// How much precision a state may give up for room in a crowded page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Coarseness {
    /// Refusals come at most a 64th of the window too early.
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

/// One limit's state, opened at one instant.
pub enum Counter<'a> {
    /// See [`sliding_window`].
    SlidingWindow(Log<'a>),
}

impl<'a> Counter<'a> {
    /// Opens a state; empty bytes are the state of a limit never touched. `None`: damaged bytes.
    pub fn open(limit: &Limit, state: &'a [u8], now: Micros) -> Option<Counter<'a>> {
        match limit.algorithm {
            Algorithm::SlidingWindow(slots) => {
                Log::open(limit, slots, state, now).map(Counter::SlidingWindow)
            }
        }
    }

    /// A counter of nothing.
    pub fn empty(limit: &Limit) -> Counter<'static> {
        match limit.algorithm {
            Algorithm::SlidingWindow(slots) => Counter::SlidingWindow(Log::empty(limit, slots)),
        }
    }

    /// Answers a request of `cost` units at `now`, without counting it. A cost of 0 asks how things stand.
    pub fn judge(&self, now: Micros, cost: u32) -> Verdict {
        match self {
            Counter::SlidingWindow(log) => log.judge(now, cost),
        }
    }

    /// Whether opening has given the units new times, since the clock was set back. That must be kept, even by
    /// a refusal, or the next one would start the window anew.
    pub fn restamped(&self) -> bool {
        match self {
            Counter::SlidingWindow(log) => log.restamped(),
        }
    }

    /// Counts `units` admitted at `at`, whether or not the quota allows them.
    pub fn charge(&mut self, at: Micros, units: u32) {
        match self {
            Counter::SlidingWindow(log) => log.charge(at, units),
        }
    }

    /// Takes back `units` that were counted at `at`.
    pub fn refund(&mut self, at: Micros, units: u32) {
        match self {
            Counter::SlidingWindow(log) => log.refund(at, units),
        }
    }

    /// Makes the next state smaller and more cautious: never more is admitted by it than before.
    /// `false` when it can't be made smaller so far.
    pub fn coarsen(&mut self, so_far: Coarseness) -> bool {
        match self {
            Counter::SlidingWindow(log) => log.coarsen(so_far),
        }
    }

    /// Appends the next state's bytes; none when it would say nothing.
    pub fn write(&self, out: &mut Vec<u8>) -> Wear {
        match self {
            Counter::SlidingWindow(log) => log.write(out),
        }
    }
}
