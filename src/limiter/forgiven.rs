//! Fresh starts: an operator lets the counts of a caller begin at zero (`forgive`).
//!
//! An entry of the configuration says that what was counted `before` an instant does not count. The caller's record
//! remembers the latest entry that it has followed, as one more state for each limit: its *fresh start*. The
//! counts begin at zero once, in the write that leaves the fresh start. So it makes no difference how many
//! workers know the entry, how often it is loaded, or whether it is removed and comes back.
//!
//! What a worker still owes to the record, or what a response gives back, may be from before. A fresh start says
//! since when the counts are new, as an instant that is later than that of each fresh start before it. Whoever
//! takes units remembers the last one that it has seen.
//!
//! # State
//! `before:varint` (µs, wall clock), `0`, `since:varint` (µs, monotonic), in the form of a [penalty](super::penalty)
//! that has a mark. So a fleet's service that knows nothing of fresh starts keeps them.

use super::formula::Formula;
use super::penalty::Penalty;
use super::{Limit, LimitId, MAX_RESPONSE_TIME};
use crate::time::{Micros, Now, SECOND};
use crate::varint;

/// An entry's effect on one limit of a caller.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forgiven {
    /// The limit, or the penalty of a policy.
    pub limit: LimitId,
    /// What was counted before this instant of the wall clock does not count. Until then it has no effect.
    pub before: Micros,
    /// From then on it has none either: what was counted before has left all windows.
    pub until: Micros,
}

impl Forgiven {
    /// The effect of an entry on a limit.
    pub fn new(limit: &Limit, before: Micros) -> Forgiven {
        Forgiven { limit: limit.id, before, until: before.saturating_add(memory_of(limit)) }
    }

    /// Whether it has an effect now.
    pub fn is_in_effect(&self, wall: Micros) -> bool {
        self.before <= wall && wall < self.until
    }
}

/// How long after an instant its counts are surely gone: a counter looks back on the window before, and a penalty
/// on the row of its blocks.
pub fn memory_of(limit: &Limit) -> Micros {
    let longest = limit.algorithm.parameters().growth.lengths().fold(limit.window, Micros::max);
    longest.saturating_mul(2)
}

/// Whether a limit can have a fresh start. What exists, in flight or in stock, exists all the same.
pub fn can_be_forgiven(limit: &Limit) -> bool {
    limit.has_window() || limit.is_penalty()
}

/// What a record remembers of the last fresh start of one limit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FreshStart {
    /// The entry's instant, on the wall clock.
    pub before: Micros,
    /// When the counts began at zero, on the monotonic clock, or a little later: each is later than the last.
    pub since: Micros,
}

/// How long a fresh start is kept at least: until no response may come any more to what was charged before.
const MIN_LIFE: Micros = 2 * MAX_RESPONSE_TIME;

/// How long one is kept beyond the effect of its entry, for clocks that are set back.
const MARGIN: Micros = 3_600 * SECOND;

impl FreshStart {
    /// The tag of its state.
    pub const KIND: u8 = <Penalty as Formula>::KIND;

    /// The id of its state. Limits can't be named like this, so it is not a limit's.
    pub fn id_of(limit: LimitId) -> LimitId {
        limit.extended("#forgiven")
    }

    /// Reads its state. `None`: it is damaged.
    pub fn read(state: &[u8]) -> Option<FreshStart> {
        let (before, rest) = varint::read(state)?;
        let (_, rest) = varint::read(rest)?;
        let (since, rest) = varint::read(rest)?;
        rest.is_empty().then_some(FreshStart { before, since })
    }

    /// Appends its state.
    pub fn write(&self, out: &mut Vec<u8>) {
        for number in [self.before, 0, self.since] {
            varint::write(out, number);
        }
    }

    /// When it may be forgotten, on the monotonic clock, as an entry is in effect `until` an instant of the wall
    /// clock.
    pub fn expires(&self, until: Micros, now: Now) -> Micros {
        let in_effect = until.saturating_sub(now.wall).saturating_add(MARGIN);
        now.mono.saturating_add(in_effect.max(MIN_LIFE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test(unsupported = test)]
    fn a_fresh_start_is_read_as_it_was_written_and_nothing_else_is_one() {
        let start = FreshStart { before: 1_764_403_200_000_000, since: 77 };
        let mut state = Vec::new();
        start.write(&mut state);
        assert_eq!(FreshStart::read(&state), Some(start));
        assert_eq!(FreshStart::read(&state[..3]), None);
        state.push(0);
        assert_eq!(FreshStart::read(&state), None);
    }

    /// So that an older service keeps it.
    #[wasm_bindgen_test(unsupported = test)]
    fn it_has_the_form_of_a_penalty() {
        let mut state = Vec::new();
        FreshStart { before: 5, since: 7 }.write(&mut state);
        let text = super::super::text::to_text(FreshStart::KIND, &state);
        assert_eq!(text.as_deref(), Some("until 5 level 0 since 7"));
        assert_eq!(super::super::text::from_text(FreshStart::KIND, &text.unwrap()), Some(state));
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn an_entry_has_an_effect_from_its_instant_until_its_counts_are_gone() {
        let limit = Limit::penalty("p", 10 * SECOND, Penalty::default());
        let entry = Forgiven::new(&limit, 100 * SECOND);
        for (at, is) in [(99, false), (100, true), (119, true), (120, false)] {
            assert_eq!(entry.is_in_effect(at * SECOND), is, "{at}");
        }
    }
}
