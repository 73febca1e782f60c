//! The seam between the table and the host: where pages are stored.

use std::num::NonZeroU32;

/// A page's number: 0 to the table's number of pages - 1.
pub type PageId = u32;

/// The version of a page, for compare-and-swap. The host issues numbers from 1.
pub type Cas = NonZeroU32;

/// The result of a read.
#[derive(Debug, PartialEq)]
pub enum Read {
    /// The page was never written.
    Absent,
    /// The page's bytes and version.
    Present(Vec<u8>, Cas),
    /// The host returned an error.
    Unavailable,
}

/// The result of a write.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Write {
    /// The page was written.
    Stored,
    /// Another worker has written the page since it was read.
    Conflict,
    /// The host returned an error.
    Unavailable,
}

/// A store of pages shared by all workers of one process.
pub trait Store {
    /// Reads a page.
    fn read(&self, page: PageId) -> Read;

    /// Writes a page if its version is still the one that was read, or, with `None`, if it is still absent.
    fn write(&self, page: PageId, bytes: &[u8], version: Option<Cas>) -> Write;
}

pub mod memory;
