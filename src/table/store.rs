//! Where pages are kept: the seam between the table and the host.

use std::num::NonZeroU32;

/// The number of a page, below the table's page count.
pub type PageId = u32;

/// The version of a page that was read. The host issues numbers from 1.
pub type Cas = NonZeroU32;

/// What a read found.
#[derive(Debug, PartialEq)]
pub enum Read {
    /// The page was never written.
    Absent,
    /// The page as it was, and its version.
    Present(Vec<u8>, Cas),
    /// The host rejected.
    Unavailable,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Write {
    /// It is stored.
    Stored,
    /// Somebody else wrote the page in between.
    Conflict,
    /// The host rejected.
    Unavailable,
}

/// A store of pages shared by all workers of one process.
pub trait Store {
    /// Reads a page.
    fn read(&self, page: PageId) -> Read;

    /// Writes a page if it is still the version that was read; with `None`, if it is still absent.
    fn write(&self, page: PageId, bytes: &[u8], version: Option<Cas>) -> Write;
}

/// A store in memory with the host's exact semantics, for tests and explanations: one global version counter that
/// skips 0, and a version that is looked at only when the page is present.
#[cfg(any(test, fuzzing, feature = "cli"))]
#[allow(missing_docs, clippy::unwrap_used)]
pub mod memory {
    use super::*;
    use std::cell::{Cell, RefCell};
    use std::collections::HashMap;

    /// The host rejects a version that was never issued, unless the key is absent.
    const NEVER_ISSUED: u32 = u32::MAX;

    #[derive(Default)]
    pub struct MemoryStore {
        pages: RefCell<HashMap<PageId, (Vec<u8>, u32)>>,
        issued: Cell<u32>,
        /// So many writes to come meet a conflict.
        pub conflicts: Cell<u32>,
        pub reads: Cell<u32>,
        pub writes: Cell<u32>,
    }

    impl MemoryStore {
        pub fn overwrite(&self, page: PageId, bytes: &[u8]) {
            self.issued.set(self.issued.get() + 1);
            self.pages.borrow_mut().insert(page, (bytes.to_vec(), self.issued.get()));
        }

        pub fn page(&self, page: PageId) -> Vec<u8> {
            self.pages.borrow().get(&page).map(|(bytes, _)| bytes.clone()).unwrap_or_default()
        }

        pub fn pages(&self) -> Vec<PageId> {
            self.pages.borrow().keys().copied().collect()
        }
    }

    impl Store for MemoryStore {
        fn read(&self, page: PageId) -> Read {
            self.reads.set(self.reads.get() + 1);
            match self.pages.borrow().get(&page) {
                Some((bytes, version)) => Read::Present(bytes.clone(), Cas::new(*version).unwrap()),
                None => Read::Absent,
            }
        }

        fn write(&self, page: PageId, bytes: &[u8], version: Option<Cas>) -> Write {
            self.writes.set(self.writes.get() + 1);
            if let Some(left) = self.conflicts.get().checked_sub(1) {
                self.conflicts.set(left);
                return Write::Conflict;
            }
            let version = version.map_or(NEVER_ISSUED, Cas::get);
            if self.pages.borrow().get(&page).is_some_and(|(_, current)| *current != version) {
                return Write::Conflict;
            }
            self.overwrite(page, bytes);
            Write::Stored
        }
    }
}
