//! How full the table is, counted over a few pages, between requests. Nothing is written.

use super::page::{HOST_SUFFIX, PAGE_HEADER, Page, RECORD_HEADER, RESERVE};
use super::size::TableSize;
use super::store::{PageId, Read, Store};
use super::transaction::Transaction;

/// The records of some pages that have not expired.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Fill {
    /// How many there are.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl TableSize {
    /// The bytes that the records of all pages can have until newcomers share a page's overflow record.
    pub fn capacity(&self) -> u64 {
        let page = usize::from(self.page_bytes).saturating_sub(HOST_SUFFIX + PAGE_HEADER + RESERVE);
        u64::from(self.pages.get()).saturating_mul(page as u64)
    }
}

impl<S: Store> Transaction<'_, S> {
    /// The size of the table.
    pub fn table_size(&self) -> TableSize {
        self.table.size
    }

    /// Counts the records of these pages. A page that cannot be read has none.
    pub fn fill(&self, pages: impl Iterator<Item = PageId>) -> Fill {
        let (now, mut fill) = (self.page_clock(), Fill::default());
        for page in pages {
            let Read::Present(bytes, _) = self.store.read(page) else { continue };
            let Ok(page) = Page::open(&bytes) else { continue };
            for record in page.records().filter(|record| record.lives(now)) {
                fill.records += 1;
                fill.bytes += (RECORD_HEADER + record.states.len()) as u64;
            }
        }
        fill
    }
}
