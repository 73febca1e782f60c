//! How the blocks of a penalty grow.

use crate::time::{Micros, SECOND, times};

/// The lengths of the blocks that follow a first one in a row, at most seven.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Growth([u32; Growth::MAX]);

impl Growth {
    /// The maximum number of lengths.
    pub const MAX: usize = 7;

    /// All blocks are as long as the first.
    pub const NONE: Growth = Growth([0; Growth::MAX]);

    /// These lengths, in whole seconds; further ones than [`Growth::MAX`] are left out.
    pub fn new(lengths: impl IntoIterator<Item = Micros>) -> Growth {
        let mut growth = Growth::NONE;
        for (slot, length) in growth.0.iter_mut().zip(lengths) {
            *slot = u32::try_from(length / SECOND).unwrap_or(u32::MAX);
        }
        growth
    }

    /// The lengths.
    pub fn lengths(&self) -> impl Iterator<Item = Micros> {
        self.0.iter().take_while(|seconds| **seconds > 0).map(|seconds| times((*seconds).into(), SECOND))
    }

    /// The highest level that has a length of its own.
    pub(super) fn last_level(&self) -> u64 {
        self.lengths().count() as u64
    }
}
