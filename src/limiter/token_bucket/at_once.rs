//! `token_bucket` with `refill: at_once`: `burst` units at once, and then `quota` units more after each `window`.
//!
//! # Derivation
//! The state counts the units that are missing, and knows when the next refill is. The first use of a full bucket
//! begins an interval; at its end, and after each further window, `quota` units come back at once, until the
//! bucket is full. So edges are not those of a clock, and differ from caller to caller.
//!
//! At most one refill is in any time as long as the window, so at most `burst + quota` units pass in it, as with
//! an even refill.
//!
//! # Debts
//! Late charges can take more units than there are. As of an even bucket, the bucket owes at most what comes back
//! in 366 days. A state that owes has the burst at which it does: if the burst changes, a bucket that owes still
//! owes as many units, and one that does not is at most empty. What a larger burst misses besides is kept until
//! the next refill, which fills it: bursts that change with a request's plan are quotas.
//!
//! # Refunds
//! Without a charge of `units`, the bucket would have as many units more, less what would have flowed over since:
//! at most `quota` with each refill since the charge, and nothing before the units that are kept are back. So
//! `units + kept − quota × refills`, at most `units`, is never too much. If the bucket has been full since then,
//! that is nothing: refills alone have brought the units back, and a later interval only makes the number of
//! refills larger.
//!
//! # State
//! `missing:varint` and `next:varint` (µs, monotonic), and while it owes `burst:varint`. 8 to 10 bytes, at most 30.
//! As text: `4 until 1764403200000000`, and then `owing 100`.

use crate::limiter::algorithm::{Field, Parameters, Properties};
use crate::limiter::formula::{Formula, Opening};
use crate::limiter::state::{EvictionInfo, State};
use crate::limiter::text::{all_numbers, number};
use crate::limiter::verdict::Verdict;
use crate::limiter::{CLOCK_JITTER, Limit, MAX_CLOCK_SKEW};
use crate::time::{Micros, Now, SECOND, times};
use crate::varint;
use std::num::NonZeroU32;

/// `token_bucket` with `refill: at_once`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AtOnce {
    /// The bucket's capacity.
    pub burst: NonZeroU32,
}

impl Properties for AtOnce {
    const FIELDS: &'static [Field] = &[Field::Window, Field::Burst, Field::Refill];

    fn parameters(self) -> Parameters {
        Parameters { burst: Some(self.burst), ..Parameters::default() }
    }

    fn counts_windows(self) -> bool {
        false
    }

    fn max_at_once(self, _quota: NonZeroU32) -> NonZeroU32 {
        self.burst
    }

    fn max_per_window(self, quota: NonZeroU32) -> Option<u64> {
        Some(u64::from(self.burst.get()) + u64::from(quota.get()))
    }
}

impl Formula for AtOnce {
    type State<'a> = Missing;
    const KIND: u8 = 10;
    const ABOUT: &str = "`burst` at once, refilled by the whole `quota` after each window";
    const PLAIN: AtOnce = AtOnce { burst: NonZeroU32::MIN };

    fn in_words(self, quota: u32, window: &str) -> String {
        format!("{} at once, refilled by {quota} at the end of each {window} since the first use", self.burst)
    }

    fn max_state_bytes(self, _limit: &Limit) -> Option<u64> {
        Some(3 * varint::MAX_LEN as u64)
    }

    fn used(state: &[u8]) -> Option<u64> {
        varint::read(state).map(|(missing, _)| missing)
    }

    fn to_text(state: &[u8]) -> Option<String> {
        match *all_numbers(state)? {
            [missing, next] => Some(format!("{missing} until {next}")),
            [missing, next, burst] => Some(format!("{missing} until {next} owing {burst}")),
            _ => None,
        }
    }

    fn from_text(text: &str) -> Option<Vec<u8>> {
        let (missing, rest) = text.split_once(" until ")?;
        let (next, burst) =
            rest.split_once(" owing ").map_or((rest, None), |(next, burst)| (next, Some(burst)));
        let mut state = Vec::new();
        varint::write(&mut state, number(missing)?);
        varint::write(&mut state, number(next)?);
        if let Some(burst) = burst {
            varint::write(&mut state, number(burst)?);
        }
        Some(state)
    }

    fn with(self, given: &Parameters) -> Option<AtOnce> {
        Some(AtOnce { burst: given.burst? })
    }

    fn share(self, part: impl Fn(NonZeroU32) -> NonZeroU32) -> AtOnce {
        AtOnce { burst: part(self.burst) }
    }

    fn unused(self, limit: &Limit, opening: Opening) -> Missing {
        let window = limit.window.max(1);
        // It would take longer than 292 years to fill.
        let most = times(MAX_FILL_TIME / window, limit.quota.get().into());
        let most = u32::try_from(most).ok().and_then(NonZeroU32::new);
        Missing {
            burst: most.map_or(self.burst, |most| self.burst.min(most)),
            quota: limit.quota,
            window,
            missing: 0,
            hidden: 0,
            next: 0,
            opened: opening.now.mono,
            restamped: false,
        }
    }

    fn open(self, limit: &Limit, state: &[u8], opening: Opening) -> Option<Missing> {
        let (missing, rest) = varint::read(state)?;
        let (next, rest) = varint::read(rest)?;
        let (owed_at, rest) = if rest.is_empty() { (None, rest) } else { some(varint::read(rest)?) };
        rest.is_empty().then_some(())?;
        let mut bucket = self.unused(limit, opening);
        bucket.take_over(missing, next, owed_at);
        Some(bucket)
    }
}

fn some<T, U>((value, rest): (T, U)) -> (Option<T>, U) {
    (Some(value), rest)
}

/// What is missing in a bucket.
pub struct Missing {
    burst: NonZeroU32,
    quota: NonZeroU32,
    window: Micros,
    /// In units. More than the burst: the bucket owes.
    missing: u64,
    /// Units that a larger burst misses besides, until the next ones come back: whoever has the smaller one for a
    /// single request must not find the larger one full.
    hidden: u64,
    /// When the next units come back, on the monotonic clock, if any are missing.
    next: Micros,
    opened: Micros,
    /// Whether the state was of a longer window, and its next refill is earlier now.
    restamped: bool,
}

/// As of an even bucket: what comes back in 366 days.
const MAX_DEBT: Micros = 366 * 86_400 * SECOND;

/// As of an even bucket: the burst is reduced if the bucket would take longer to fill.
const MAX_FILL_TIME: Micros = u64::MAX / 2_000;

impl Missing {
    fn take_over(&mut self, missing: u64, next: Micros, owed_at: Option<u64>) {
        let burst = u64::from(self.burst.get());
        self.missing = match owed_at {
            Some(owed_at) => missing.saturating_sub(owed_at).saturating_add(burst.min(missing)),
            None => missing.min(burst),
        };
        self.missing = self.missing.min(self.most());
        self.hidden = missing.saturating_sub(self.missing);
        self.next = next;
        let latest = self.opened.saturating_add(self.window);
        if next > latest.saturating_add(MAX_CLOCK_SKEW) {
            (self.next, self.restamped) = (latest, true);
        }
        self.refill();
    }

    /// The most that can be missing.
    fn most(&self) -> u64 {
        let windows = MAX_DEBT.div_ceil(self.window);
        u64::from(self.burst.get()).saturating_add(times(windows, self.quota.get().into()))
    }

    /// Counts the refills until it was opened.
    fn refill(&mut self) {
        if let Some(since) =
            self.opened.checked_sub(self.next).filter(|_| self.missing > 0 || self.hidden > 0)
        {
            let refills = since / self.window + 1;
            self.hidden = 0;
            self.missing = self.missing.saturating_sub(times(refills, self.quota.get().into()));
            self.next = self.next.saturating_add(times(refills, self.window));
        }
    }

    /// When so many units have come back, if they are missing.
    fn back(&self, units: u64, next: Micros) -> Micros {
        let refills = units.div_ceil(u64::from(self.quota.get()));
        next.saturating_add(times(refills.saturating_sub(1), self.window))
    }
}

impl State for Missing {
    fn judge(&self, now: Micros, cost: u32) -> Verdict {
        let (burst, latest) = (u64::from(self.burst.get()), now.saturating_add(self.window));
        let (missing, next) = match self.missing {
            0 => (0, latest),
            // Another worker's clock may be slightly ahead.
            missing if self.next > latest && self.next - latest < CLOCK_JITTER => (missing, latest),
            missing => (missing, self.next),
        };
        let admitted = cost == 0 || missing.saturating_add(cost.into()) <= burst;
        let after = missing.saturating_add(if admitted { cost.into() } else { 0 });
        let wanted = missing.saturating_add(cost.min(self.burst.get()).into()).saturating_sub(burst);
        let retry_after = if admitted { 0 } else { self.back(wanted, next).saturating_sub(now).max(1) };
        Verdict {
            admitted,
            quota: self.burst.get(),
            remaining: burst.saturating_sub(after),
            next_slot: if after == 0 {
                now
            } else {
                self.back(after.saturating_sub(burst).saturating_add(1), next)
            },
            full_reset: if after == 0 { now } else { self.back(after, next) }
                .max(now.saturating_add(retry_after)),
            retry_after,
        }
    }

    /// A charge of long ago begins an interval only if none runs.
    fn charge(&mut self, at: Now, units: u32) {
        if units == 0 {
            return;
        }
        let begins = self.missing == 0 && self.hidden == 0;
        self.missing = self.missing.saturating_add(units.into()).min(self.most());
        if begins {
            self.next = at.mono.saturating_add(self.window);
            self.refill();
        }
    }

    fn refund(&mut self, at: Now, units: u32, kept: u32, _hold: u64) {
        let refills = self.next.saturating_sub(1).saturating_sub(at.mono) / self.window;
        let flowed = times(refills, self.quota.get().into());
        let [units, kept] = [units, kept].map(u64::from);
        let back = units.min(units.saturating_add(kept).saturating_sub(flowed));
        self.missing = self.missing.saturating_sub(back);
    }

    fn restamped(&self) -> bool {
        self.restamped
    }

    fn forgive(&mut self, longest: Micros) {
        let windows = longest / self.window;
        let most = u64::from(self.burst.get()).saturating_add(times(windows, self.quota.get().into()));
        self.missing = self.missing.min(most);
    }

    fn write(&self, out: &mut Vec<u8>) -> EvictionInfo {
        let burst = u64::from(self.burst.get());
        if self.missing == 0 && self.hidden == 0 {
            return EvictionInfo::new(self.opened, 0, self.burst);
        }
        varint::write(out, self.missing.saturating_add(self.hidden));
        varint::write(out, self.next);
        if self.missing > burst {
            varint::write(out, burst.saturating_add(self.hidden));
        }
        EvictionInfo::new(self.back(self.missing, self.next), self.missing.min(burst), self.burst)
    }
}

#[cfg(test)]
mod tests;
