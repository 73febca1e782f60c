//! Reads ranges of addresses.

use super::{Reader, forms};
use crate::http::{AddressRange, RangeError};

impl Reader<'_> {
    /// A range of addresses, or a single one. An error names the range that was probably meant.
    #[inline(never)]
    pub fn address_range(&self) -> Option<AddressRange> {
        let allowed = forms::ADDRESS_RANGE.allowed;
        match AddressRange::parse(self.text(allowed)?) {
            Ok(range) => Some(range),
            Err(RangeError::Malformed) => self.error(allowed),
            Err(RangeError::BitsBehindPrefix(meant)) => match meant.dotted() {
                Some(meant) => self.error_similar(allowed, &[&meant]),
                None => self.error_found("a range that does not begin at its first address", allowed),
            },
        }
    }
}
