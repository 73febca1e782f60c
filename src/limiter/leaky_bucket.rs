//! `leaky_bucket`: at most `quota` units per `window`, evenly spaced. Nothing is saved up: however long a caller
//! was idle, its next request is followed by a pause.
//!
//! # Derivation
//! A unit takes `t = window / quota`, and one follows the other. Let `free` be the instant at which all units so
//! far are over. A request of `cost` units passes iff `free ≤ now`, and then `free` becomes `start + t·cost`,
//! where `start` is when its units begin: now, or a moment ago.
//!
//! The clock shows whole microseconds, and `t` is rarely a whole number of them; it can be less than one. So
//! `free` is a fraction, of which nothing is ever rounded. The clock shows `now` where the units before were
//! over at some instant in `(now − 1, now]`: then the request begins at that instant, `start = free`. Otherwise
//! `start = now`. If requests began at `now` in any case, each would lose up to a microsecond, and a caller that
//! asks as early as it may would fall behind its quota.
//!
//! **The cap.** Let requests of `c₁, …, cₙ` units be admitted in one half-open trailing window, so that their
//! readings of the clock are at most `window − 1` apart. They began at `s₁, …, sₙ`, at most a microsecond before
//! their readings, so `sₙ − s₁ < window`. Each began when those before it were over: `t·(c₁ + … + cₙ₋₁) ≤ sₙ −
//! s₁`. So `c₁ + … + cₙ₋₁ < quota`. With a cost of 1 at most `quota` requests pass in any trailing window. The
//! units of a larger cost pass together and take their time afterwards, so what is admitted in a window can be
//! above the quota by the last cost less one. If each unit counts when its own time begins, the cap is `quota`.
//!
//! **The wait** is `⌈free⌉ − now`: the clock shows nothing between `free` and `⌈free⌉`.
//!
//! What remains is what the next request may cost: `quota` if it passes now, else 0. So right after a request
//! nothing is left.
//!
//! # Debts, and other quotas
//! Late charges move `free` further away, to at most 366 days after a window from now, the longest window of any
//! limit. If the quota has changed, such as with the tier, as many units are still to come as at the old one.
//!
//! # Refunds
//! A refund of `d = t·units` subtracts from `free` what would be over earlier if the units had never been counted.
//! That is less than `d` if all was over in the meantime. The state does not say when it was, so `d` less the time
//! since the charge is subtracted; if a part of the charge is kept, the time that this part takes does not count.
//! If the charge's own units are the last ones that is exact, and else it is never too much: without the units
//! those that were counted since would have begun earlier by at least that. If the quota is another one since,
//! the time since the charge was worth other units. So a charge also remembers when its units were to be over, and
//! no more is subtracted than is to come until then.
//!
//! # State
//! `at:varint, left:varint (µs), quota:varint, rest:varint`: when it was written, on the monotonic clock, and how
//! long until `free`, `left + rest / quota`. `rest` is missing if it is 0. If `at` is in the future the clock was
//! set back, and `left` begins anew. 10 bytes for 100 per minute; at most 24 for 16 years of uptime.

use super::algorithm::{Field, Properties};
use super::formula::{Formula, Opening};
use super::state::{EvictionInfo, State};
use super::text::{all_numbers, bytes, number};
use super::verdict::Verdict;
use super::{CLOCK_JITTER, Limit, MAX_CLOCK_SKEW, MAX_DEBT};
use crate::time::{Micros, Now};
use crate::varint;
use std::num::NonZeroU32;

/// `leaky_bucket`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeakyBucket;

impl Properties for LeakyBucket {
    const FIELDS: &'static [Field] = &[Field::Window];

    fn saves_up(self) -> bool {
        false
    }

    fn counts_windows(self) -> bool {
        false
    }

    /// The last of them may cost as much as the quota.
    fn max_per_window(self, quota: NonZeroU32) -> Option<u64> {
        Some(2 * u64::from(quota.get()) - 1)
    }
}

impl Formula for LeakyBucket {
    type State<'a> = Spacing;
    const KIND: u8 = 9;
    const ABOUT: &str = "at most `quota` per window, evenly spaced and without bursts: a request is followed by a pause of its cost × `window` / `quota`";
    const PLAIN: LeakyBucket = LeakyBucket;

    fn in_words(self, quota: u32, window: &str) -> String {
        format!("at most {quota} in {window}, evenly spaced")
    }

    fn max_state_bytes(self, _limit: &Limit) -> Option<u64> {
        Some(4 * varint::MAX_LEN as u64)
    }

    fn to_text(state: &[u8]) -> Option<String> {
        let Written { at, left, quota, rest } = Written::parse(state)?;
        Some(format!("{left}+{rest}/{quota} after {at}"))
    }

    fn from_text(text: &str) -> Option<Vec<u8>> {
        let (left, at) = text.split_once(" after ")?;
        let (left, rest) = left.split_once('+')?;
        let (rest, quota) = rest.split_once('/')?;
        let mut state = bytes([number(at)?, number(left)?, number(quota)?]);
        if rest != "0" {
            varint::write(&mut state, number(rest)?);
        }
        Written::parse(&state).map(|_| state)
    }

    fn unused(self, limit: &Limit, opening: Opening) -> Spacing {
        let Limit { quota, window, .. } = *limit;
        Spacing { quota, window, free: 0, rest: 0, opened: opening.now.mono, restamped: false }
    }

    fn open(self, limit: &Limit, state: &[u8], opening: Opening) -> Option<Spacing> {
        let mut spacing = self.unused(limit, opening);
        spacing.read(Written::parse(state)?);
        Some(spacing)
    }
}

/// A state as it was written.
struct Written {
    at: Micros,
    left: Micros,
    quota: NonZeroU32,
    rest: u64,
}

impl Written {
    /// `None` if the bytes are damaged.
    fn parse(state: &[u8]) -> Option<Written> {
        let numbers = all_numbers(state)?;
        let (at, left, quota, rest) = match *numbers.as_slice() {
            [at, left, quota] => (at, left, quota, 0),
            [at, left, quota, rest] if rest > 0 => (at, left, quota, rest),
            _ => return None,
        };
        let quota = NonZeroU32::new(u32::try_from(quota).ok()?)?;
        (rest < u64::from(quota.get())).then_some(Written { at, left, quota, rest })
    }
}

/// When the units so far are over.
#[derive(Clone, Copy)]
pub struct Spacing {
    quota: NonZeroU32,
    window: Micros,
    /// In whole microseconds, on the monotonic clock.
    free: Micros,
    /// The fraction of a microsecond after that, in `1 / quota`.
    rest: u64,
    opened: Micros,
    /// Whether the state was of another quota, or the clock was set back.
    restamped: bool,
}

impl Spacing {
    /// Takes over a state, which may be of another quota.
    fn read(&mut self, written: Written) {
        let set_back = written.at > self.opened.saturating_add(MAX_CLOCK_SKEW);
        // What was over when it was written is so for a slower clock, too.
        let at = if set_back || written.left == 0 { written.at.min(self.opened) } else { written.at };
        (self.free, self.rest) = (at.saturating_add(written.left.min(self.longest())), written.rest);
        self.restamped = set_back;
        if written.quota != self.quota {
            let left = match self.over() > self.opened {
                true => {
                    u128::from(self.free - self.opened) * u128::from(written.quota.get())
                        + u128::from(self.rest)
                }
                false => 0,
            };
            // If it changes, it is written even if nothing is charged. Else the wait would begin anew each time.
            self.restamped |= left > 0;
            self.set_left(self.opened, left);
        }
    }

    fn quota(&self) -> u64 {
        u64::from(self.quota.get())
    }

    /// The furthest that the end of the units can be away.
    fn longest(&self) -> Micros {
        self.window.saturating_add(MAX_DEBT)
    }

    /// The first instant of the clock at which the units so far are over.
    fn over(&self) -> Micros {
        self.free.saturating_add(u64::from(self.rest > 0))
    }

    /// The time since `from` until the units are over, times the quota. 0 if they are over by then.
    fn left(&self, from: Micros) -> u128 {
        let micros = self.free.checked_sub(from);
        micros.map_or(0, |micros| u128::from(micros) * u128::from(self.quota()) + u128::from(self.rest))
    }

    /// The reverse of [`Spacing::left`].
    #[inline(never)]
    fn set_left(&mut self, from: Micros, left: u128) {
        let quota = u128::from(self.quota());
        match Micros::try_from(left / quota).ok().filter(|micros| *micros < self.longest()) {
            // A remainder is below the quota, which fits.
            Some(micros) => {
                (self.free, self.rest) = (from.saturating_add(micros), (left % quota) as u64);
            }
            None => (self.free, self.rest) = (from.saturating_add(self.longest()), 0),
        }
    }

    /// Lets units follow those so far, or begin at `at`.
    fn follow(&mut self, at: Micros, units: u32) {
        if self.over() < at {
            (self.free, self.rest) = (at, 0);
        }
        match u64::from(units).checked_mul(self.window).filter(|_| units > 0) {
            Some(lasts) => {
                let rest = self.rest + lasts % self.quota();
                self.free = self.free.saturating_add(lasts / self.quota() + rest / self.quota());
                self.rest = rest % self.quota();
            }
            None => {
                let lasts = u128::from(units) * u128::from(self.window);
                self.set_left(self.free, lasts + u128::from(self.rest));
            }
        }
        let latest = at.max(self.opened).saturating_add(self.longest());
        if self.free >= latest {
            (self.free, self.rest) = (latest, 0);
        }
    }

    fn time_of(&self, units: u32) -> u128 {
        u128::from(units) * u128::from(self.window)
    }
}

impl State for Spacing {
    fn judge(&self, now: Micros, cost: u32) -> Verdict {
        let over = self.over();
        let admitted = cost == 0 || over <= now && cost <= self.quota.get();
        let mut after = *self;
        if admitted && cost > 0 {
            after.follow(now, cost);
        }
        let after = after.over().max(now);
        let retry_after = if admitted { 0 } else { over.saturating_sub(now).max(1) };
        Verdict {
            admitted,
            quota: self.quota.get(),
            remaining: if after == now { self.quota() } else { 0 },
            next_slot: after,
            full_reset: after.max(now.saturating_add(retry_after)),
            retry_after,
        }
    }

    /// The most expensive request is followed by a pause of a window. Debts take longer.
    fn max_reset(&self, next: Micros) -> Micros {
        if next > self.window.saturating_add(CLOCK_JITTER) { Micros::MAX } else { self.window }
    }

    fn charge(&mut self, at: Now, units: u32) {
        if units > 0 {
            self.follow(at.mono, units);
        }
    }

    /// When the charge's units are over.
    fn hold(&self) -> u64 {
        self.over()
    }

    fn refund(&mut self, at: Now, units: u32, kept: u32, hold: u64) {
        let since = u128::from(self.opened.saturating_sub(at.mono)) * u128::from(self.quota());
        let by_time = self.time_of(units).saturating_sub(since.saturating_sub(self.time_of(kept)));
        // At another quota, the time since the charge was worth other units.
        let still_to_come = u128::from(hold.saturating_sub(self.opened)) * u128::from(self.quota());
        let back = if hold == 0 { by_time } else { by_time.min(still_to_come) };
        // What was over in the last microsecond still matters, see above.
        let from = self.opened.saturating_sub(1);
        let left = self.left(from);
        if left > 0 {
            self.set_left(from, left.saturating_sub(back));
        }
    }

    fn restamped(&self) -> bool {
        self.restamped
    }

    fn forgive(&mut self, longest: Micros) {
        let latest = self.opened.saturating_add(longest.max(self.window));
        if self.over() > latest {
            (self.free, self.rest) = (latest, 0);
        }
    }

    fn write(&self, out: &mut Vec<u8>) -> EvictionInfo {
        if self.over() > 0 {
            let at = self.opened.min(self.free);
            for number in [at, self.free - at, self.quota()] {
                varint::write(out, number);
            }
            if self.rest > 0 {
                varint::write(out, self.rest);
            }
        }
        let used = self.left(self.opened).div_ceil(u128::from(self.window));
        EvictionInfo::new(self.over(), u64::try_from(used).unwrap_or(u64::MAX), self.quota)
    }
}

#[cfg(test)]
mod tests;
