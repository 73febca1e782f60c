//! `token_bucket`: `burst` units at once, and then `quota` units per `window`, evenly. With `refill: at_once` it
//! is another formula, in `at_once.rs`.
//!
//! # Derivation
//! The generic cell rate algorithm. Its one number, the *theoretical arrival time* `tat`, is the instant at
//! which the bucket is full again. A unit takes `t = window / quota` to come back. A request of `cost` units
//! passes iff `max(tat, now) + t·cost ≤ now + t·burst`, and then `tat` becomes the left side. So at most
//! `burst + T / t` units pass in any time `T`: `burst + quota` in a trailing window, which is all that a
//! token bucket promises. `t` is in nanoseconds, rounded up, so the rate never exceeds the limit's, and a
//! unit comes back at most a nanosecond late for each unit taken since the bucket was last full.
//!
//! Nothing here depends on how a rate is written: 50 per 1 s and 3,000 per 60 s with the same burst are the
//! same bucket.
//!
//! # Debts
//! Late charges can move `tat` beyond that of an empty bucket: the bucket owes. It owes at most what comes
//! back in [`MAX_DEBT`], 366 days, the longest window of any limit: so no algorithm rejects for longer. The
//! bound is a time, since a bound in units would be years for one rate and moments for another, and it is
//! applied when the units are charged: the wait is then that of the state, and no later reading of it changes
//! the wait.
//!
//! If the rate changes, a bucket that owes still owes as many units; one that does not is at most empty. So
//! nobody waits for units of a rate that is no longer in force. If both bursts take equally long to fill, as when
//! they are quotas of one window, only what is missing beyond that is a debt: a charge under a small quota must not
//! turn a large bucket that is empty into one that lacks a few units.
//!
//! # Refunds
//! A refund of `d = t · units` subtracts from `tat` what the bucket would have more now if the units had
//! never been taken. That is less than `d` if it would have been full in the meantime: what would have come
//! back then is lost. The bucket does not know its history, so it subtracts the larger of two lower bounds:
//!
//! - `d` less the time since the charge. If a part of the charge is kept, the time until that part was back
//!   is not subtracted: the bucket was not full then.
//! - What of `d` was still to come back, if units come back in the order in which they were taken. A charge's
//!   units were back at `E = tat` as it was right after the charge, less all that was refunded since. Since
//!   `tat ≥ E + t · (what was taken since)`, the bucket would miss at least what was taken since, as much as
//!   if it had been full right after the charge. So `min(d, E − now)` is never too much. For this the state
//!   has `refunded`, the sum of all refunds, and a charge remembers `tat + refunded` ([`State::hold`]).
//!
//! So an immediate refund undoes the charge, nothing that has come back by itself is given back again, and
//! holds of many requests that are in flight at once are settled. The sum is kept for `MAX_RESPONSE_TIME`;
//! for requests that take longer only the first bound holds.
//!
//! # The worker's own bucket
//! The same formula is used while a shared record can't be written ([`Bucket::of_worker`]), with the limit's
//! rate and a 64th of its quota, or of a bucket's burst, as `burst`. So `W` workers that can't write for `T`
//! admit at most `W × (burst + quota × T / window)` above the shared count. In practice it is less: a worker
//! still reads the shared count, adds its own debt, and uses its bucket only while the sum is below the
//! quota.
//!
//! # State
//! `tat:u64` (ns, monotonic) and `fill:varint`, the time that an empty bucket takes to fill (s, rounded up).
//! With `fill`, a full page can compute how empty the bucket is now. 9 to 13 bytes. While it owes, also
//! `per_unit:varint` (ns), and after a refund that, or 0, and `refunded:varint` (ns): up to 17 bytes more. As text:
//! `full at 1764403200000000000 filling 60`, and then `owing` and `refunded`, if there are such.

mod at_once;

pub use at_once::AtOnce;

use super::Algorithm;
use super::algorithm::{Field, Parameters, Properties};
use super::formula::{Formula, Opening};
use super::state::{EvictionInfo, State};
use super::text::{all_numbers, number};
use super::verdict::Verdict;
use super::{CLOCK_JITTER, Limit, MAX_RESPONSE_TIME};
use crate::time::{Micros, Now, SECOND, times};
use crate::varint;
use std::num::NonZeroU32;

/// `token_bucket`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TokenBucket {
    /// The bucket's capacity.
    pub burst: NonZeroU32,
}

impl Properties for TokenBucket {
    const FIELDS: &'static [Field] = &[Field::Window, Field::Burst, Field::Refill];

    fn parameters(self) -> Parameters {
        Parameters { burst: Some(self.burst), ..Parameters::default() }
    }

    fn refilled_at_once(self) -> Algorithm {
        AtOnce { burst: self.burst }.into()
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

/// What a state's numbers after its instant are, as text: the seconds that it takes to fill, how long a unit
/// takes if it owes some, and what was refunded.
const WORDS: [&str; 3] = ["filling", "owing", "refunded"];

impl Formula for TokenBucket {
    type State<'a> = Bucket;
    const KIND: u8 = 5;
    const ABOUT: &str = "`burst` at once, refilled evenly by `quota` per window";
    const PLAIN: TokenBucket = TokenBucket { burst: NonZeroU32::MIN };

    fn in_words(self, quota: u32, window: &str) -> String {
        format!("{} at once, refilled by {quota} in {window}", self.burst)
    }

    fn max_state_bytes(self, _limit: &Limit) -> Option<u64> {
        Some(8 + 3 * varint::MAX_LEN as u64)
    }

    fn share_of(state: &[u8], now: Micros) -> Option<u8> {
        Bucket::share_of(state, now)
    }

    fn to_text(state: &[u8]) -> Option<String> {
        let (tat, rest) = state.split_first_chunk::<8>()?;
        let rest = all_numbers(rest)?;
        let words = WORDS.iter().zip(&rest).map(|(word, number)| format!(" {word} {number}"));
        let text = format!("full at {}{}", u64::from_le_bytes(*tat), words.collect::<String>());
        (1..=WORDS.len()).contains(&rest.len()).then_some(text)
    }

    fn from_text(text: &str) -> Option<Vec<u8>> {
        let words: Vec<&str> = text.split(' ').collect();
        let ["full", "at", tat, rest @ ..] = words.as_slice() else { return None };
        let (pairs, []) = rest.as_chunks::<2>() else { return None };
        let mut state = number(tat)?.to_le_bytes().to_vec();
        for (expected, [word, value]) in WORDS.iter().zip(pairs) {
            varint::write(&mut state, number(value).filter(|_| word == expected)?);
        }
        (1..=WORDS.len()).contains(&pairs.len()).then_some(state)
    }

    fn with(self, given: &Parameters) -> Option<TokenBucket> {
        Some(TokenBucket { burst: given.burst? })
    }

    fn share(self, part: impl Fn(NonZeroU32) -> NonZeroU32) -> TokenBucket {
        TokenBucket { burst: part(self.burst) }
    }

    fn unused(self, limit: &Limit, opening: Opening) -> Bucket {
        Bucket { opened: nanos(opening.now.mono), ..Bucket::new(limit, self.burst) }
    }

    fn open(self, limit: &Limit, state: &[u8], opening: Opening) -> Option<Bucket> {
        let mut bucket = self.unused(limit, opening);
        bucket.read(limit, state)?;
        Some(bucket)
    }
}

/// A bucket as of its last change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    burst: NonZeroU32,
    /// Nanoseconds until one unit is back.
    per_unit: u64,
    max_reset: Micros,
    /// In nanoseconds, on the monotonic clock.
    tat: u64,
    /// In nanoseconds, on the monotonic clock.
    opened: u64,
    /// All that was refunded, in nanoseconds.
    refunded: u64,
    /// Whether the state was of another rate, and `tat` has changed with it.
    restamped: bool,
}

/// The most that a bucket can owe, in nanoseconds of its rate: 366 days.
const MAX_DEBT: u64 = 366 * 86_400 * nanos(SECOND);

/// In nanoseconds: 292 years. The burst is reduced if the bucket would take longer to fill.
const MAX_FILL_TIME: u64 = u64::MAX / 2;

/// The burst of a worker's own bucket is the number of units that the limit admits at once divided by this.
const WORKER_FRACTION: u32 = 64;

impl Bucket {
    /// A full bucket of this limit.
    pub fn new(limit: &Limit, burst: NonZeroU32) -> Bucket {
        let per_unit = nanos(limit.window).div_ceil(u64::from(limit.quota.get())).max(1);
        let max = u32::try_from(MAX_FILL_TIME / per_unit).ok().and_then(NonZeroU32::new);
        let burst = max.map_or(burst, |max| burst.min(max));
        let max_reset = fill_time(limit, burst).unwrap_or(Micros::MAX);
        Bucket { burst, per_unit, max_reset, tat: 0, opened: 0, refunded: 0, restamped: false }
    }

    /// A full bucket for one worker to use while the shared record can't be written.
    pub fn of_worker(limit: &Limit) -> Bucket {
        let together = if limit.algorithm.saves_up() { limit.max_at_once() } else { 1 };
        let burst = NonZeroU32::new(together / WORKER_FRACTION).unwrap_or(NonZeroU32::MIN);
        Bucket::new(limit, burst)
    }

    /// Takes over a state, which may be of another rate. `None` if the bytes are damaged.
    fn read(&mut self, limit: &Limit, state: &[u8]) -> Option<()> {
        let Written { tat, fill, owed_at, refunded } = parse_state(state)?;
        let missing = tat.saturating_sub(self.opened);
        let fills_in = self.fills_in();
        let now_missing = match owed_at {
            Some(per_unit) if per_unit == self.per_unit => missing.min(fills_in.saturating_add(MAX_DEBT)),
            // Of equal parts of a time, such as quotas of one window, what both lack is that time.
            Some(per_unit) if fill == self.fill_seconds() => {
                let owed = scaled(missing.saturating_sub(fills_in), self.per_unit, per_unit).min(MAX_DEBT);
                missing.min(fills_in).saturating_add(owed)
            }
            Some(per_unit) => scaled(missing, self.per_unit, per_unit).min(fills_in.saturating_add(MAX_DEBT)),
            None if missing <= fills_in => missing,
            // From a worker whose clock is ahead, or from a version that did not say that a bucket owes, and
            // let it owe for a window.
            None if fill == self.fill_seconds() => missing.min(fills_in.saturating_add(nanos(limit.window))),
            None => fills_in,
        };
        // If it changes, it is written even if nothing is charged. Else the wait would begin anew each time.
        self.restamped = now_missing != missing;
        (self.tat, self.refunded) = (tat, refunded);
        if self.restamped {
            self.tat = self.opened.saturating_add(now_missing);
            // No charge at the old rate has anything to come back.
            self.refunded = refunded.saturating_add(fills_in).saturating_add(MAX_DEBT);
        }
        Some(())
    }

    /// Moves `tat` back by what is refunded.
    fn lower(&mut self, by: u64) {
        let before = self.tat;
        self.tat = before.saturating_sub(by);
        self.refunded = self.refunded.saturating_add(before - self.tat);
    }

    /// How long an empty bucket takes to fill, in nanoseconds.
    fn fills_in(&self) -> u64 {
        times(u64::from(self.burst.get()), self.per_unit)
    }

    /// The same in seconds, rounded up.
    fn fill_seconds(&self) -> u64 {
        self.fills_in().div_ceil(nanos(SECOND))
    }

    /// The units in the bucket.
    fn units(&self, now: u64) -> u64 {
        let missing = self.tat.saturating_sub(now);
        self.fills_in().saturating_sub(missing) / self.per_unit
    }

    /// The value of `tat` after `cost` more units.
    fn after(&self, now: u64, cost: u32) -> u64 {
        self.tat.max(now).saturating_add(times(u64::from(cost), self.per_unit))
    }

    /// How long until the bucket has `cost` units; 0 if it has them. A cost above the burst counts as the
    /// burst.
    pub fn wait(&self, now: Micros, cost: u32) -> Micros {
        let now = nanos(now);
        let full = now.saturating_add(self.fills_in());
        micros_up(self.after(now, cost.min(self.burst.get())).saturating_sub(full))
    }

    /// Whether the bucket is full.
    pub fn is_full(&self, now: Micros) -> bool {
        self.tat <= nanos(now)
    }

    /// Takes units, whether or not it has them. It owes at most [`MAX_DEBT`].
    pub fn spend(&mut self, at: Micros, units: u32) {
        let (at, full) = (nanos(at), self.fills_in());
        let latest = at.max(self.opened).saturating_add(full).saturating_add(MAX_DEBT);
        self.tat = self.after(at, units).min(latest);
    }

    /// The units missing from the bucket of a state, in 255ths of the burst, rounded up.
    pub fn share_of(state: &[u8], now: Micros) -> Option<u8> {
        let Written { tat, fill, .. } = parse_state(state)?;
        let missing = tat.saturating_sub(nanos(now));
        // In milliseconds, so that the product fits.
        let share = times(missing.div_ceil(1_000_000), 255).div_ceil(times(fill, 1_000).max(1));
        Some(u8::try_from(share).unwrap_or(u8::MAX))
    }
}

impl State for Bucket {
    fn judge(&self, now: Micros, cost: u32) -> Verdict {
        // A request that costs nothing passes, whatever is owed.
        let admitted = cost == 0 || cost <= self.burst.get() && self.wait(now, cost) == 0;
        let after = Bucket { tat: self.after(nanos(now), if admitted { cost } else { 0 }), ..*self };
        let remaining = after.units(nanos(now));
        let wait_for_one_more = |units: u64| times(u64::from(self.burst.get()) - units - 1, self.per_unit);
        let full = remaining >= u64::from(self.burst.get());
        let retry_after = if admitted { 0 } else { self.wait(now, cost).max(1) };
        Verdict {
            admitted,
            quota: self.burst.get(),
            remaining,
            next_slot: if full {
                now
            } else {
                micros_up(after.tat.saturating_sub(wait_for_one_more(remaining))).max(now)
            },
            full_reset: micros_up(after.tat).max(now.saturating_add(retry_after)),
            retry_after,
        }
    }

    /// A bucket is full after `burst × window / quota`, although the time
    /// per unit is rounded up. Debts take longer.
    fn max_reset(&self, next: Micros) -> Micros {
        let owes = next > (self.per_unit / 1_000).saturating_add(CLOCK_JITTER);
        if owes { Micros::MAX } else { self.max_reset }
    }

    fn charge(&mut self, at: Now, units: u32) {
        self.spend(at.mono, units);
    }

    fn refund(&mut self, at: Now, units: u32, kept: u32, hold: u64) {
        let since = self.opened.saturating_sub(nanos(at.mono));
        let [lasted, kept] = [units, kept].map(|units| times(u64::from(units), self.per_unit));
        let by_time = lasted.saturating_sub(since.saturating_sub(kept));
        let still_to_come = hold.saturating_sub(self.refunded).saturating_sub(self.opened);
        let in_order = if since < nanos(MAX_RESPONSE_TIME) { lasted.min(still_to_come) } else { 0 };
        self.lower(by_time.max(in_order));
    }

    /// When the charge's units are back if nothing is refunded, and what was refunded so far.
    fn hold(&self) -> u64 {
        self.tat.saturating_add(self.refunded)
    }

    fn restamped(&self) -> bool {
        self.restamped
    }

    /// Forgives what the bucket owes beyond what comes back in `longest`.
    fn forgive(&mut self, longest: Micros) {
        let latest = self.opened.saturating_add(self.fills_in()).saturating_add(nanos(longest));
        self.lower(self.tat.saturating_sub(latest));
    }

    fn write(&self, out: &mut Vec<u8>) -> EvictionInfo {
        if self.tat > 0 {
            out.extend_from_slice(&self.tat.to_le_bytes());
            varint::write(out, self.fill_seconds());
            let owes = self.tat > self.opened.saturating_add(self.fills_in());
            if owes || self.refunded > 0 {
                varint::write(out, if owes { self.per_unit } else { 0 });
            }
            if self.refunded > 0 {
                varint::write(out, self.refunded);
            }
        }
        let burst = u64::from(self.burst.get());
        let full = micros_up(self.tat);
        let remembered = if self.refunded > 0 { self.opened / 1_000 + MAX_RESPONSE_TIME } else { 0 };
        EvictionInfo::new(full.max(remembered), burst - self.units(self.opened).min(burst), self.burst)
    }
}

/// A bucket's state, as it was written.
struct Written {
    tat: u64,
    fill: u64,
    /// `per_unit`, if it owed when it was written.
    owed_at: Option<u64>,
    refunded: u64,
}

/// Parses a state. `None` if the bytes are damaged.
fn parse_state(state: &[u8]) -> Option<Written> {
    let (tat, fill) = state.split_first_chunk::<8>()?;
    let (fill, rest) = varint::read(fill)?;
    let mut state = Written { tat: u64::from_le_bytes(*tat), fill, owed_at: None, refunded: 0 };
    if !rest.is_empty() {
        let (per_unit, rest) = varint::read(rest)?;
        let (refunded, rest) = if rest.is_empty() { (0, rest) } else { varint::read(rest)? };
        state = Written { owed_at: Some(per_unit).filter(|per_unit| *per_unit > 0), refunded, ..state };
        rest.is_empty().then_some(())?;
    }
    Some(state)
}

/// `burst × window / quota`, rounded up: how long an empty bucket takes to fill. `None` if the product does
/// not fit.
fn fill_time(limit: &Limit, burst: NonZeroU32) -> Option<Micros> {
    let (quota, burst) = (u64::from(limit.quota.get()), u64::from(burst.get()));
    match times(burst, limit.window) {
        _ if burst == quota => Some(limit.window),
        Micros::MAX => None,
        product => Some(product.div_ceil(quota)),
    }
}

/// `time × one / other`, saturating.
#[inline(never)]
fn scaled(time: u64, one: u64, other: u64) -> u64 {
    let scaled = u128::from(time) * u128::from(one) / u128::from(other.max(1));
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

const fn nanos(time: Micros) -> u64 {
    times(1_000, time)
}

fn micros_up(nanos: u64) -> Micros {
    nanos.div_ceil(1_000)
}

#[cfg(test)]
mod tests;
