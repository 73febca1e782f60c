//! A store with the host's semantics and its kind of memory: keys of that length in one hash map, values of
//! their own.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher};
use tollgate::table::{Cas, PageId, Read, Store, Write};

/// Shared data in memory. A read allocates what the host would hand over; a write allocates only if the page
/// grows.
#[derive(Default)]
pub struct Host {
    // Without a random seed: a run is like the one before it, to the instruction.
    pages: RefCell<HashMap<Key, (Vec<u8>, u32), Unseeded>>,
    issued: Cell<u32>,
}

type Key = [u8; 17];
type Unseeded = BuildHasherDefault<DefaultHasher>;

impl Host {
    /// Bytes of all pages.
    #[allow(dead_code, reason = "not asked for by all who include this")]
    pub fn bytes(&self) -> usize {
        self.pages.borrow().values().map(|(bytes, _)| bytes.len()).sum()
    }

    /// Bytes of all records: each page says in its third and fourth byte how many it has.
    #[allow(dead_code, reason = "not asked for by all who include this")]
    pub fn record_bytes(&self) -> usize {
        let length = |(bytes, _): &(Vec<u8>, u32)| usize::from(u16::from_le_bytes([bytes[2], bytes[3]]));
        self.pages.borrow().values().map(length).sum()
    }

    /// Bytes of the longest page.
    #[allow(dead_code, reason = "not asked for by all who include this")]
    pub fn longest(&self) -> usize {
        self.pages.borrow().values().map(|(bytes, _)| bytes.len()).max().unwrap_or_default()
    }
}

fn key(page: PageId) -> Key {
    let mut key = *b"tollgate:____page";
    key[9..13].copy_from_slice(&page.to_be_bytes());
    key
}

impl Store for Host {
    fn read(&self, page: PageId) -> Read {
        match self.pages.borrow().get(&key(page)) {
            Some((bytes, version)) => Read::Present(bytes.clone(), Cas::new(*version).unwrap()),
            None => Read::Absent,
        }
    }

    fn write(&self, page: PageId, bytes: &[u8], version: Option<Cas>) -> Write {
        let mut pages = self.pages.borrow_mut();
        let (stored, current) = pages.entry(key(page)).or_default();
        // Only a page that is present has a version to differ from; none is issued below 1.
        if *current != 0 && version.map(Cas::get) != Some(*current) {
            return Write::Conflict;
        }
        self.issued.set(self.issued.get() + 1);
        *current = self.issued.get();
        stored.clear();
        stored.reserve_exact(bytes.len());
        stored.extend_from_slice(bytes);
        Write::Stored
    }
}
