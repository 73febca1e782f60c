//! The table's size and what fits in it.

use super::page::{HOST_SUFFIX, RESERVE};
use std::num::NonZeroU32;

/// Bytes kept free for the headers of a page, a record and a state.
const HEADERS: usize = 32;

/// Bytes that a coarsened state takes at most, with its header.
const COARSE_STATE: usize = 36;

/// The table's size. It takes at most `pages × page_bytes`, and the host's own overhead per page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableSize {
    /// The number of pages.
    pub pages: NonZeroU32,
    /// The maximum number of bytes that the host stores for a page.
    pub page_bytes: u16,
}

impl TableSize {
    /// The maximum length of a page in bytes.
    pub(super) fn max_page_length(&self) -> usize {
        usize::from(self.page_bytes).saturating_sub(HOST_SUFFIX)
    }

    /// The maximum length of one limit's state, in bytes, that always fits in an otherwise empty page.
    pub fn max_state_bytes(&self) -> usize {
        usize::from(self.page_bytes).saturating_sub(RESERVE + HEADERS)
    }

    /// The maximum number of limits whose states, coarsened if need be, always fit in one record.
    pub fn max_limits(&self) -> usize {
        self.max_state_bytes() / COARSE_STATE
    }
}
