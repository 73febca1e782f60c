//! Compiles what a request costs if no response says so.

use crate::config::{Reader, Words};
use crate::language::forms;
use crate::rules::UnknownCost;

/// Reads a word, or a number of units.
#[inline(never)]
pub(super) fn unknown_cost(reader: &Reader<'_>, words: &'static Words<UnknownCost>) -> Option<UnknownCost> {
    if reader.is_text() { reader.read(words) } else { reader.read(forms::UNITS).map(UnknownCost::Costs) }
}
