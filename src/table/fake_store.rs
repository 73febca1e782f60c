//! A store that fails, or in which another worker acts at the worst moment.

use super::memory::MemoryStore;
use super::store::{Cas, PageId, Read, Store, Write};
use std::cell::RefCell;

/// A [`MemoryStore`] with something wrong. The memory store itself can meet conflicts.
pub struct FakeStore<'a> {
    /// `None`: all reads and writes fail.
    store: Option<&'a MemoryStore>,
    page: PageId,
    act: RefCell<Option<Box<dyn FnOnce() + 'a>>>,
}

impl<'a> FakeStore<'a> {
    /// A store whose reads and writes all fail. For the simulation, which is native.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn broken() -> FakeStore<'static> {
        FakeStore { store: None, page: 0, act: RefCell::default() }
    }

    /// A store in which `act` happens just before the first write of `page`.
    pub fn with_rival(store: &'a MemoryStore, page: PageId, act: impl FnOnce() + 'a) -> FakeStore<'a> {
        FakeStore { store: Some(store), page, act: RefCell::new(Some(Box::new(act))) }
    }
}

impl Store for FakeStore<'_> {
    fn read(&self, page: PageId) -> Read {
        self.store.map_or(Read::Unavailable, |store| store.read(page))
    }

    fn write(&self, page: PageId, bytes: &[u8], version: Option<Cas>) -> Write {
        let act = if page == self.page { self.act.take() } else { None };
        act.into_iter().for_each(|act| act());
        self.store.map_or(Write::Unavailable, |store| store.write(page, bytes, version))
    }
}
