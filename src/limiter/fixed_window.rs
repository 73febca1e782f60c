//! `fixed_window`: at most `quota` units in each window aligned to the UNIX epoch, such as each clock minute.
//!
//! # Derivation
//! The windows are `[k·window, (k+1)·window)` of the wall clock. All of a window's units come back at its
//! end, so a state is the number of units used and the end of the window. A request of `cost` units passes
//! iff `used + cost ≤ quota`. Up to twice the quota can pass in a trailing window, half of it on each side of
//! an edge. This algorithm does not promise more.
//!
//! [`super::aligned`] has the formula, and its state. [`super::calendar`] has other edges.

use super::Limit;
use super::algorithm::{Field, Properties};
use super::aligned::{self, Aligned, Edges};
use super::formula::{Formula, Opening};

/// `fixed_window`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FixedWindow;

impl Properties for FixedWindow {
    const FIELDS: &'static [Field] = &[Field::Window];

    fn is_aligned(self) -> bool {
        true
    }

    fn counts_by_time(self) -> bool {
        true
    }

    fn holds_windows_of(self, limit: &Limit, other: &Limit) -> bool {
        other.algorithm.kind() == FixedWindow::KIND && limit.window.is_multiple_of(other.window)
    }
}

impl Formula for FixedWindow {
    type State<'a> = Aligned;
    const KIND: u8 = 3;
    const ABOUT: &str =
        "at most `quota` in each window of the clock; up to twice as many around the edge of two windows";
    const PLAIN: FixedWindow = FixedWindow;

    fn in_words(self, quota: u32, window: &str) -> String {
        format!("at most {quota} in each {window} of the clock")
    }

    fn max_state_bytes(self, _limit: &Limit) -> Option<u64> {
        Some(aligned::MAX_BYTES)
    }

    fn used(state: &[u8]) -> Option<u64> {
        aligned::used(state)
    }

    fn to_text(state: &[u8]) -> Option<String> {
        aligned::to_text(state)
    }

    fn from_text(text: &str) -> Option<Vec<u8>> {
        aligned::from_text(text)
    }

    fn unused(self, limit: &Limit, opening: Opening) -> Aligned {
        Aligned::unused(limit, Edges::Every(limit.window), opening.now)
    }

    fn open(self, limit: &Limit, state: &[u8], opening: Opening) -> Option<Aligned> {
        Aligned::open(limit, Edges::Every(limit.window), state, opening.now)
    }
}

#[cfg(test)]
mod tests;
