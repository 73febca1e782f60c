//! A store in memory, for tests and for `tollgate explain`.
#![allow(missing_docs, clippy::unwrap_used)]

use super::{Cas, PageId, Read, Store, Write};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

/// The host accepts a version that it never issued only if the key is absent.
const NEVER_ISSUED: u32 = u32::MAX;

/// A store with the exact semantics of Envoy's shared data: versions come from one counter for all keys,
/// which skips 0, and the version given is compared only if the page is present.
#[derive(Default)]
pub struct MemoryStore {
    pages: RefCell<HashMap<PageId, (Vec<u8>, u32)>>,
    issued: Cell<u32>,
    /// The number of coming writes that meet a conflict.
    pub conflicts: Cell<u32>,
    pub reads: Cell<u32>,
    pub writes: Cell<u32>,
}

impl MemoryStore {
    /// A store that has issued all versions up to this one.
    pub fn after_version(version: u32) -> MemoryStore {
        MemoryStore { issued: Cell::new(version), ..MemoryStore::default() }
    }

    /// Writes a page whatever its version is.
    pub fn overwrite(&self, page: PageId, bytes: &[u8]) {
        let next = self.issued.get().checked_add(1).filter(|next| *next != NEVER_ISSUED);
        self.issued.set(next.unwrap_or(1));
        self.pages.borrow_mut().insert(page, (bytes.to_vec(), self.issued.get()));
    }

    /// The bytes of a page; empty if it is absent.
    pub fn page(&self, page: PageId) -> Vec<u8> {
        self.pages.borrow().get(&page).map(|(bytes, _)| bytes.clone()).unwrap_or_default()
    }

    /// The pages that are present.
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
