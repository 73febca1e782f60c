//! The address of the client.

use super::{Condition, Description, Key, KnownKeys, RequestCondition};
use crate::config::{Composite, Field, Kind, Reader, all, forms};
use crate::http::{AddressMap, AddressRange, Purpose, Request, RequestCache};

const CLIENT_IP: Field<Composite> = Field::optional(
    "client_ip",
    Composite::new(Kind::OneOrList(&Kind::Text(&forms::ADDRESS_RANGE)), forms::ADDRESS_RANGE.allowed),
    "any",
    "the client's address is in one of these ranges. It is the address that a `client_ip` key counts by, so \
     [what Envoy trusts](security.md#client-addresses) decides it",
);

/// The ranges that match. `None`: any address does, and so does a client without one.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ClientIp(Option<Ranges>);

#[derive(Clone, Debug, PartialEq)]
struct Ranges {
    written: Vec<AddressRange>,
    /// One type for all maps, since each would add 3 KB to the module.
    map: AddressMap<usize>,
}

impl Condition for ClientIp {
    const FIELD: Field = CLIENT_IP.erased();

    fn read(field: &Reader<'_>, _: KnownKeys<'_>) -> Option<ClientIp> {
        let allowed = CLIENT_IP.kind.allowed;
        let entries = if field.is_list() { field.non_empty_list(allowed)? } else { vec![field.clone()] };
        let written = all(entries.iter().map(Reader::address_range))?;
        let map = AddressMap::new(written.iter().map(|range| (*range, 0)));
        Some(ClientIp(Some(Ranges { written, map })))
    }

    fn covers(&self, other: &ClientIp) -> bool {
        let Some(ranges) = &self.0 else { return true };
        let within = |other: &AddressRange| ranges.written.iter().any(|range| range.contains(other));
        other.0.as_ref().is_some_and(|other| other.written.iter().all(within))
    }

    fn describe(&self, _: &[Key], words: &mut Description) {
        if let Some(ranges) = self.in_words() {
            words.further.push(["from ", &ranges].concat());
        }
    }
}

impl ClientIp {
    /// The ranges, as far as a line has room for them.
    fn in_words(&self) -> Option<String> {
        const SHOWN: usize = 4;
        let written = &self.0.as_ref()?.written;
        let shown: Vec<String> = written.iter().take(SHOWN).map(ToString::to_string).collect();
        let more = written.len() - shown.len();
        let more = if more > 0 { format!(" or {more} other ranges") } else { String::new() };
        Some(shown.join(" or ") + &more)
    }
}

impl RequestCondition for ClientIp {
    fn holds<R: Request>(&self, request: &RequestCache<'_, R>, _: Purpose) -> bool {
        let Some(ranges) = &self.0 else { return true };
        request.client_ip().octets().is_some_and(|octets| ranges.map.get(octets).is_some())
    }

    fn mismatch(&self) -> Option<String> {
        self.in_words().map(|ranges| format!("the client's address is not in {ranges}"))
    }

    #[cfg(test)]
    fn fulfil(&self, request: &mut crate::testing::FakeRequest) {
        if let Some(range) = self.0.as_ref().and_then(|ranges| ranges.written.first()) {
            request.address = Some(range.first_address());
        }
    }
}
