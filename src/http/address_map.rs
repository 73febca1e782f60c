//! Ranges of IP addresses, and what belongs to each.
//!
//! Ranges with common prefixes (CIDR) either contain each other or have no address in common. So all of them
//! become one sorted list of starts, each with what belongs to the addresses from there on: a look-up is one
//! binary search, whatever contains what.

use super::client_ip::parse_ip;
use std::collections::BinaryHeap;

/// A range of addresses with a common prefix (RFC 4632; RFC 4291, 2.3), or a single address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressRange {
    /// The first address: as a number of 32 bits of IPv4, or 128 of IPv6.
    first: u128,
    /// The length of the prefix, in bits.
    prefix: u8,
    family: Family,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    V4,
    V6,
}

impl Family {
    fn bits(self) -> u8 {
        match self {
            Family::V4 => 32,
            Family::V6 => 128,
        }
    }
}

/// Why a text is not a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeError {
    /// It is neither an address nor an address with the length of a prefix.
    Malformed,
    /// Bits behind the prefix are set. This is the range that such a text usually means.
    BitsBehindPrefix(AddressRange),
}

impl AddressRange {
    /// Parses `192.0.2.0/24`, `2001:db8::/32`, or a single address. An IPv4-mapped IPv6 address is the IPv4
    /// address: `::ffff:192.0.2.0/120` is `192.0.2.0/24`.
    ///
    /// # Errors
    /// Any other text, and a range that does not begin at its first address.
    pub fn parse(text: &str) -> Result<AddressRange, RangeError> {
        let (address, written) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(length(prefix).ok_or(RangeError::Malformed)?)),
            None => (text, None),
        };
        let octets = parse_ip(address).ok_or(RangeError::Malformed)?;
        let (first, family) = number(&octets).ok_or(RangeError::Malformed)?;
        let is_mapped = family == Family::V4 && address.contains(':');
        let prefix = match written {
            None => Some(family.bits()),
            Some(prefix) if is_mapped => prefix.checked_sub(96),
            Some(prefix) => Some(prefix),
        };
        let prefix = prefix.filter(|prefix| *prefix <= family.bits()).ok_or(RangeError::Malformed)?;
        let range = AddressRange { first: first & !behind(family.bits() - prefix), prefix, family };
        if range.first == first { Ok(range) } else { Err(RangeError::BitsBehindPrefix(range)) }
    }

    /// Whether each address of another range is in this one.
    pub fn contains(&self, other: &AddressRange) -> bool {
        self.family == other.family && self.first <= other.first && other.last() <= self.last()
    }

    /// Bytes that no other range has.
    pub fn to_bytes(self) -> [u8; 18] {
        let mut bytes = [0; 18];
        let parts = self.first.to_be_bytes().into_iter().chain([self.prefix, self.family.bits()]);
        bytes.iter_mut().zip(parts).for_each(|(byte, part)| *byte = part);
        bytes
    }

    /// Its first address and a port, as a host delivers them.
    #[cfg(test)]
    pub fn first_address(&self) -> String {
        let first = AddressRange { prefix: self.family.bits(), ..*self };
        match self.family {
            Family::V4 => format!("{first}:80"),
            Family::V6 => format!("[{first}]:80"),
        }
    }

    /// A range of IPv4, as it is written. (Writing an IPv6 address would add 2 KB to the module.)
    pub fn dotted(&self) -> Option<String> {
        let octets = u32::try_from(self.first).ok().filter(|_| self.family == Family::V4)?.to_be_bytes();
        let octets: Vec<String> = octets.iter().map(u8::to_string).collect();
        Some([&octets.join("."), "/", &self.prefix.to_string()].concat())
    }

    fn last(&self) -> u128 {
        self.first | behind(self.family.bits() - self.prefix)
    }
}

impl std::fmt::Display for AddressRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.family {
            Family::V4 => {
                std::net::Ipv4Addr::from_bits(u32::try_from(self.first).unwrap_or_default()).fmt(f)?
            }
            Family::V6 => std::net::Ipv6Addr::from_bits(self.first).fmt(f)?,
        }
        if self.prefix < self.family.bits() { write!(f, "/{}", self.prefix) } else { Ok(()) }
    }
}

/// A number with this many of its last bits set.
fn behind(bits: u8) -> u128 {
    u128::MAX.checked_shr(128 - u32::from(bits)).unwrap_or(0)
}

/// The length of a prefix, in decimal without a sign.
fn length(text: &str) -> Option<u8> {
    let digits = (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

/// An address of 4 or 16 bytes as a number.
fn number(octets: &[u8]) -> Option<(u128, Family)> {
    match octets.len() {
        4 => Some((u32::from_be_bytes(octets.try_into().ok()?).into(), Family::V4)),
        16 => Some((u128::from_be_bytes(octets.try_into().ok()?), Family::V6)),
        _ => None,
    }
}

/// What belongs to ranges of addresses. The smallest range that an address is in decides.
#[derive(Clone, Debug, PartialEq)]
pub struct AddressMap<T> {
    v4: Starts<T>,
    v6: Starts<T>,
}

/// Sorted starts, each with what belongs to the addresses up to the next one.
type Starts<T> = Vec<(u128, Option<T>)>;

impl<T: Copy> AddressMap<T> {
    /// A map of these ranges. Of equal ranges the last counts.
    pub fn new(ranges: impl IntoIterator<Item = (AddressRange, T)>) -> AddressMap<T> {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for (range, value) in ranges {
            match range.family {
                Family::V4 => v4.push((range, value)),
                Family::V6 => v6.push((range, value)),
            }
        }
        AddressMap { v4: starts(v4), v6: starts(v6) }
    }

    /// What belongs to an address of 4 or 16 bytes.
    pub fn get(&self, address: &[u8]) -> Option<T> {
        let (number, family) = number(address)?;
        let starts = match family {
            Family::V4 => &self.v4,
            Family::V6 => &self.v6,
        };
        let after = starts.partition_point(|(start, _)| *start <= number);
        starts.get(after.checked_sub(1)?)?.1
    }

    /// What belongs to some address, possibly several times.
    pub fn values(&self) -> impl Iterator<Item = T> {
        self.v4.iter().chain(&self.v6).filter_map(|(_, value)| *value)
    }

    /// Whether there is no range.
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }
}

fn starts<T: Copy>(ranges: Vec<(AddressRange, T)>) -> Starts<T> {
    // Those that contain others come before them, and the last of equal ones stays last. A heap sorts with a
    // tenth of the code of a sort, which would add 6 KB to the module.
    let order = ranges.iter().enumerate().map(|(index, (range, _))| (range.first, range.prefix, index));
    let order = order.collect::<BinaryHeap<_>>().into_sorted_vec();
    let mut starts: Starts<T> = Vec::with_capacity(ranges.len() * 2);
    // The ranges that the current address is in, the smallest last.
    let mut open: Vec<(u128, T)> = Vec::new();
    for (range, value) in order.into_iter().filter_map(|(_, _, index)| ranges.get(index).copied()) {
        close(&mut open, range.first, &mut starts);
        begin(&mut starts, range.first, Some(value));
        open.push((range.last(), value));
    }
    close(&mut open, u128::MAX, &mut starts);
    starts
}

/// Closes the ranges that end before an address.
fn close<T: Copy>(open: &mut Vec<(u128, T)>, before: u128, starts: &mut Starts<T>) {
    while let Some((last, _)) = open.last().copied().filter(|(last, _)| *last < before) {
        open.pop();
        begin(starts, last + 1, open.last().map(|(_, value)| *value));
    }
}

fn begin<T>(starts: &mut Starts<T>, at: u128, value: Option<T>) {
    if starts.last().is_some_and(|(start, _)| *start == at) {
        starts.pop();
    }
    starts.push((at, value));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    fn range(text: &str) -> AddressRange {
        AddressRange::parse(text).unwrap()
    }

    fn at(map: &AddressMap<usize>, address: &str) -> Option<usize> {
        map.get(&parse_ip(address).unwrap())
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn the_smallest_range_that_an_address_is_in_decides() {
        let texts =
            ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "0.0.0.0/0", "2001:db8::/32", "::/0", "10.1.0.0/16"];
        let map = AddressMap::new(texts.iter().enumerate().map(|(index, text)| (range(text), index)));
        for (address, expected) in [
            ("10.1.2.3", Some(2)),
            ("10.1.2.4", Some(6)),
            ("10.1.255.255", Some(6)),
            ("10.2.0.0", Some(0)),
            ("11.0.0.0", Some(3)),
            ("255.255.255.255", Some(3)),
            ("2001:db8::1", Some(4)),
            ("2001:db9::", Some(5)),
            ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Some(5)),
            ("::ffff:10.1.2.3", Some(2)),
        ] {
            assert_eq!(at(&map, address), expected, "{address}");
        }
        assert_eq!(map.get(b"/run/gateway.sock"), None);
        assert_eq!(AddressMap::<usize>::new([]).get(&[10, 0, 0, 1]), None);
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_look_up_among_thousands_of_ranges_is_one_binary_search() {
        const RANGES: usize = 10_000;
        let network = |index: usize| format!("10.{}.{}.0/24", index / 250, index % 250);
        let map = AddressMap::new((0..RANGES).map(|index| (range(&network(index)), index)));
        // Neighbours follow each other without a gap but at the end of each 250.
        assert_eq!(map.v4.len(), RANGES + RANGES / 250);
        assert!(map.v4.is_sorted_by(|(one, _), (next, _)| one < next), "so 14 comparisons find an address");
        for index in [0, 1, 249, 250, 5_000, RANGES - 1] {
            assert_eq!(at(&map, &network(index).replace("0/24", "77")), Some(index));
        }
        assert_eq!(at(&map, "10.0.250.1"), None);
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn equal_ranges_have_equal_bytes_and_others_have_not() {
        let texts = ["10.0.0.0/8", "10.0.0.0/9", "10.0.0.0", "::a00:0", "::a00:0/104", "0.0.0.0/0", "::/0"];
        for (one, text) in texts.iter().enumerate() {
            for (other, other_text) in texts.iter().enumerate() {
                assert_eq!(
                    range(text).to_bytes() == range(other_text).to_bytes(),
                    one == other,
                    "{text} {other_text}"
                );
            }
        }
        assert_eq!(range("::ffff:10.0.0.0/104").to_bytes(), range("10.0.0.0/8").to_bytes());
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn ranges_are_networks_or_addresses() {
        assert_eq!(range("::ffff:192.0.2.0/120"), range("192.0.2.0/24"));
        assert_eq!(range("192.0.2.7/32"), range("192.0.2.7"));
        for (text, meant) in
            [("10.0.0.1/8", "10.0.0.0/8"), ("2001:db8::1/64", "2001:db8::/64"), ("1.2.3.4/0", "0.0.0.0/0")]
        {
            assert_eq!(AddressRange::parse(text), Err(RangeError::BitsBehindPrefix(range(meant))), "{text}");
            assert_eq!(range(meant).to_string(), meant);
        }
        for text in [
            "",
            "/",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0/8",
            "::/129",
            "10.0.0.0/+8",
            "10.0.0.0/8/8",
            "10.0.0.0/256",
            "010.0.0.0/8",
            "1.2.3.4:80",
            "[::1]",
            "fe80::1%eth0",
            "::ffff:0.0.0.0/95",
            "example.com",
        ] {
            assert_eq!(AddressRange::parse(text), Err(RangeError::Malformed), "{text}");
        }
    }

    proptest! {
        #[wasm_bindgen_test(unsupported = test)]
        fn a_look_up_is_that_of_a_list_of_all_ranges(
            ranges in proptest::collection::vec((0_u128..64, 0_u8..=6, any::<bool>()), 0..40),
            address in 0_u128..64,
            is_v6: bool,
        ) {
            // Six bits at the end, so that many ranges contain each other; sometimes at the highest addresses.
            let ranges: Vec<AddressRange> = ranges.into_iter().map(|(network, prefix, is_v6)| {
                let family = if is_v6 { Family::V6 } else { Family::V4 };
                let top = behind(family.bits()) & !63;
                let first = (top | network) & !behind(6 - prefix);
                AddressRange { first, prefix: family.bits() - (6 - prefix), family }
            }).collect();
            let map = AddressMap::new(ranges.iter().copied().enumerate().map(|(index, range)| (range, index)));
            let family = if is_v6 { Family::V6 } else { Family::V4 };
            let number = (behind(family.bits()) & !63) | address;
            let fits = |range: &AddressRange| range.family == family && (range.first..=range.last()).contains(&number);
            let expected = ranges.iter().enumerate().filter(|(_, range)| fits(range)).max_by_key(|(index, range)| (range.prefix, *index));
            let bytes = number.to_be_bytes();
            let found = map.get(if is_v6 { &bytes } else { &bytes[12..] });
            prop_assert_eq!(found, expected.map(|(index, _)| index));
        }

        #[wasm_bindgen_test(unsupported = test)]
        fn no_text_makes_it_panic(text in "\\PC{0,30}|[0-9a-f:./]{0,40}") {
            let _ = AddressRange::parse(&text);
        }
    }
}
