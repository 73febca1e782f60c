//! The shared table's pages, in memory of this process alone. Pages that no caller is on take no memory.

use std::cell::RefCell;
use tollgate::table::{Cas, PageId, Read, Store, Write};

/// A store for one thread.
#[derive(Default)]
pub struct PageStore {
    pages: RefCell<Vec<Option<Box<Page>>>>,
}

struct Page {
    bytes: Vec<u8>,
    version: Cas,
}

impl PageStore {
    /// A store with this number of pages.
    pub fn new(pages: u32) -> PageStore {
        let pages = usize::try_from(pages).unwrap_or(usize::MAX);
        PageStore { pages: RefCell::new((0..pages).map(|_| None).collect()) }
    }

    /// The bytes of each page.
    #[cfg(test)]
    pub fn pages(&self) -> Vec<Vec<u8>> {
        let bytes = |page: &Option<Box<Page>>| page.as_ref().map_or(Vec::new(), |page| page.bytes.clone());
        self.pages.borrow().iter().map(bytes).collect()
    }
}

impl Store for PageStore {
    fn read(&self, page: PageId) -> Read {
        let pages = self.pages.borrow();
        let page = usize::try_from(page).ok().and_then(|page| pages.get(page)?.as_ref());
        page.map_or(Read::Absent, |page| Read::Present(page.bytes.clone(), page.version))
    }

    fn write(&self, page: PageId, bytes: &[u8], version: Option<Cas>) -> Write {
        let mut pages = self.pages.borrow_mut();
        let Some(place) = usize::try_from(page).ok().and_then(|page| pages.get_mut(page)) else {
            return Write::Unavailable;
        };
        match place {
            Some(page) if Some(page.version) == version => {
                page.bytes.clear();
                page.bytes.extend_from_slice(bytes);
                page.version = page.version.checked_add(1).unwrap_or(Cas::MIN);
            }
            Some(_) => return Write::Conflict,
            None => *place = Some(Box::new(Page { bytes: bytes.to_vec(), version: Cas::MIN })),
        }
        Write::Stored
    }
}
