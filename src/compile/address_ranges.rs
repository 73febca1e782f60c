//! Reads lists of addresses that belong to consumers and tiers.

use crate::config::{Names, Reader};
use crate::http::AddressRange;

/// Ranges of addresses, and whose they are, by index.
#[derive(Default)]
pub(super) struct OwnedRanges {
    pub ranges: Vec<(AddressRange, usize)>,
    taken: Names,
}

impl OwnedRanges {
    /// Adds the ranges of an owner, by index. Of two owners of one range nobody could tell whose an address is; an
    /// error then says that there is only `one_owner`.
    #[inline(never)]
    pub fn add(&mut self, list: &Reader<'_>, owner: usize, one_owner: &str) -> Option<()> {
        let mut valid = Some(());
        for value in list.non_empty_list("a list of at least one address or range of addresses")? {
            match value.address_range() {
                Some(range) if self.taken.add("", &range.to_bytes()).is_some() => {
                    valid = value.error_found("a range that is already listed", one_owner);
                }
                Some(range) => self.ranges.push((range, owner)),
                None => valid = None,
            }
        }
        valid
    }
}
