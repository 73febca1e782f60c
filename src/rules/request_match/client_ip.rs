//! The address of the client.

use super::negatable::{Sign, one_or_list, signed};
use super::{Condition, Description, Key, KnownKeys, RequestCondition};
use crate::config::{Composite, Field, Kind, Object, Reader, all, forms, object};
use crate::http::{AddressMap, AddressRange, Purpose, Request, RequestCache};

const CLIENT_IP: Field<Composite> = Field::optional(
    "client_ip",
    Composite::new(Kind::Either(&[RANGES, Kind::Object(&OTHERS)]), forms::ADDRESS_RANGE.allowed),
    "any",
    "the client's address is in one of these ranges. It is the address that a `client_ip` key counts by, so \
     [what Envoy trusts](security.md#client-addresses) decides it",
);

const RANGES: Kind = Kind::OneOrList(&Kind::Text(&forms::ADDRESS_RANGE));

const NOT: Field<Composite> = Field::required(
    "not",
    Composite::new(RANGES, forms::ADDRESS_RANGE.allowed),
    "none of these ranges. A client without an address is such a client for a `match` of a policy, and not for a rule that frees requests",
);

const OTHERS: Object = object!("address-negation" at "policies[].match[].client_ip":
    "All addresses but some."; NOT);

/// The ranges that match, or that do not. `None`: any address does, and so does a client without one.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ClientIp(Option<Ranges>);

#[derive(Clone, Debug, PartialEq)]
struct Ranges {
    sign: Sign,
    written: Vec<AddressRange>,
    /// One type for all maps, since each would add 3 KB to the module.
    map: AddressMap<usize>,
}

impl Condition for ClientIp {
    const FIELD: Field = CLIENT_IP.erased();

    fn read(field: &Reader<'_>, _: KnownKeys<'_>) -> Option<ClientIp> {
        let (sign, ranges) = signed(field, &OTHERS, &NOT)?;
        let written = all(one_or_list(&ranges, CLIENT_IP.kind.allowed)?.iter().map(Reader::address_range))?;
        let map = AddressMap::new(written.iter().map(|range| (*range, 0)));
        Some(ClientIp(Some(Ranges { sign, written, map })))
    }

    fn covers(&self, other: &ClientIp) -> bool {
        let Some(ranges) = &self.0 else { return true };
        let Some(others) = &other.0 else { return false };
        match (ranges.sign, others.sign) {
            (Sign::Is, Sign::Is) => ranges.contain(others),
            (Sign::IsNot, Sign::IsNot) => others.contain(ranges),
            (Sign::IsNot, Sign::Is) => !ranges.overlap(others),
            (Sign::Is, Sign::IsNot) => false,
        }
    }

    fn describe(&self, _: &[Key], words: &mut Description) {
        if let Some(ranges) = &self.0 {
            let from = match ranges.sign {
                Sign::Is => "from ",
                Sign::IsNot => "unless from ",
            };
            words.further.push([from, &ranges.in_words()].concat());
        }
    }
}

impl Ranges {
    /// Whether each address of `other` is in one of these.
    fn contain(&self, other: &Ranges) -> bool {
        let within = |other: &AddressRange| self.written.iter().any(|range| range.contains(other));
        other.written.iter().all(within)
    }

    /// Whether an address is in one of these and in one of `other`.
    fn overlap(&self, other: &Ranges) -> bool {
        let meet = |one: &AddressRange, other: &AddressRange| one.contains(other) || other.contains(one);
        self.written.iter().any(|one| other.written.iter().any(|other| meet(one, other)))
    }

    /// The ranges, as far as a line has room for them.
    fn in_words(&self) -> String {
        const SHOWN: usize = 4;
        let shown: Vec<String> = self.written.iter().take(SHOWN).map(ToString::to_string).collect();
        let more = self.written.len() - shown.len();
        let more = if more > 0 { format!(" or {more} other ranges") } else { String::new() };
        shown.join(" or ") + &more
    }
}

impl RequestCondition for ClientIp {
    fn holds<R: Request>(&self, request: &RequestCache<'_, R>, purpose: Purpose) -> bool {
        let Some(ranges) = &self.0 else { return true };
        let octets = request.client_ip().octets();
        ranges.sign.holds(octets.map(|octets| ranges.map.get(octets).is_some()), purpose)
    }

    fn mismatch(&self) -> Option<String> {
        let ranges = self.0.as_ref()?;
        let is = match ranges.sign {
            Sign::Is => "is not in ",
            Sign::IsNot => "is in ",
        };
        Some(["the client's address ", is, &ranges.in_words()].concat())
    }

    #[cfg(test)]
    fn fulfil(&self, request: &mut crate::testing::FakeRequest) {
        if let Some(ranges) = &self.0 {
            let address = match ranges.sign {
                Sign::Is => ranges.written.first().map(AddressRange::first_address),
                Sign::IsNot => Some("[2001:db8:ffff::]:80".into()),
            };
            request.address = address;
        }
    }
}
