//! The client's address.

use std::borrow::Cow;

/// How many leading bits of an address count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefixes {
    /// Of an IPv4 address, 0 to 32.
    pub v4: u8,
    /// Of an IPv6 address, 0 to 128.
    pub v6: u8,
}

/// The client's address in its shortest unambiguous form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientIp {
    /// The 4 bytes of an IPv4 address or the 16 bytes of an IPv6 address; or, if it is neither, the address as it
    /// came, such as the path of a Unix socket.
    bytes: Vec<u8>,
    is_ip: bool,
}

impl ClientIp {
    /// Reads an address as the host delivers it, as `ip:port` or `[ip]:port`. An IPv4-mapped IPv6 address becomes
    /// the IPv4 address.
    pub fn new(mut address: Vec<u8>) -> ClientIp {
        // Reusing the text's buffer saves an allocation.
        let octets = dotted(&address);
        let is_ip = match &octets {
            Some(octets) => overwrite(&mut address, octets),
            None => any_ip(&mut address),
        };
        ClientIp { bytes: address, is_ip }
    }

    /// The address, if it is one of IP.
    pub fn octets(&self) -> Option<&[u8]> {
        self.is_ip.then_some(self.bytes.as_slice())
    }

    /// The address with all bits after its prefix cleared; what is no IP address as it is.
    pub fn network(&self, prefixes: Prefixes) -> Cow<'_, [u8]> {
        let left = match (self.is_ip, self.bytes.len()) {
            (true, 4) if prefixes.v4 < 32 => prefixes.v4,
            (true, 16) if prefixes.v6 < 128 => prefixes.v6,
            (_, _) => return Cow::Borrowed(&self.bytes),
        };
        let mut network = self.bytes.clone();
        clear_behind(&mut network, left);
        Cow::Owned(network)
    }
}

fn overwrite(address: &mut Vec<u8>, octets: &[u8]) -> bool {
    address.clear();
    address.extend_from_slice(octets);
    true
}

/// Parses an address without a port, into the 4 bytes of IPv4 or the 16 of IPv6; an IPv4-mapped IPv6 address
/// into those of IPv4.
pub(super) fn parse_ip(text: &str) -> Option<Vec<u8>> {
    if !text.contains(':') {
        return dotted(&[text, ":"].concat().into_bytes()).map(Vec::from);
    }
    let octets = ipv6(text.as_bytes())?;
    Some(octets.strip_prefix(&MAPPED).unwrap_or(&octets).to_vec())
}

/// The prefix of IPv4-mapped IPv6 addresses.
const MAPPED: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF];

fn any_ip(address: &mut Vec<u8>) -> bool {
    let Some(octets) = ipv6_and_port(address) else { return false };
    overwrite(address, octets.strip_prefix(&MAPPED).unwrap_or(&octets))
}

/// Clears all bits after the first `left`.
fn clear_behind(octets: &mut [u8], mut left: u8) {
    for octet in octets {
        *octet &= !0xFF_u8.checked_shr(left.into()).unwrap_or(0);
        left = left.saturating_sub(8);
    }
}

/// Parses an IPv4 address and its port. The standard library's parser for all kinds of addresses is 4 KB of
/// code, which Envoy has evicted from the CPU caches by the next request.
fn dotted(address: &[u8]) -> Option<[u8; 4]> {
    let (mut octets, mut rest) = ([0_u8; 4], address);
    for (octet, end) in octets.iter_mut().zip(*b"...:") {
        let (mut value, mut digits) = (0_u16, 0);
        while let Some((digit @ b'0'..=b'9', behind)) = rest.split_first() {
            // Some parsers read a leading zero as octal.
            if digits == 3 || (digits > 0 && value == 0) {
                return None;
            }
            (value, digits, rest) = (value * 10 + u16::from(digit - b'0'), digits + 1, behind);
        }
        rest = rest.strip_prefix(&[end]).filter(|_| digits > 0)?;
        *octet = u8::try_from(value).ok()?;
    }
    rest.iter().all(u8::is_ascii_digit).then_some(octets)
}

/// Parses an IPv6 address, in brackets or not, and its port.
fn ipv6_and_port(address: &[u8]) -> Option<[u8; 16]> {
    let colon = address.iter().rposition(|byte| *byte == b':')?;
    let host = address.get(..colon)?;
    let host = host.strip_prefix(b"[").and_then(|host| host.strip_suffix(b"]")).unwrap_or(host);
    // A zone index (`%eth0`) names an interface of this machine, not a client.
    ipv6(host.split(|byte| *byte == b'%').next()?)
}

/// Parses an IPv6 address (RFC 4291, 2.2), without the 4 KB of the standard library's parser.
fn ipv6(mut rest: &[u8]) -> Option<[u8; 16]> {
    let (mut octets, mut len) = ([0; 16], 0);
    // The position of `::` in the octets.
    let mut gap = None;
    if let Some(behind) = rest.strip_prefix(b"::") {
        (gap, rest) = (Some(0), behind);
    }
    while !rest.is_empty() {
        let (mut group, mut digits) = (0_u16, 0);
        while let Some(digit) = rest.get(digits).and_then(|byte| char::from(*byte).to_digit(16)) {
            group = group << 4 | u16::try_from(digit).ok()?;
            digits += 1;
        }
        let behind = rest.get(digits..).filter(|_| (1..=4).contains(&digits))?;
        if behind.first() == Some(&b'.') {
            // An IPv4 address takes the place of the last two groups.
            let mut text = [b':'; 16];
            text.get_mut(..rest.len())?.copy_from_slice(rest);
            let ipv4 = dotted(text.get(..=rest.len())?)?;
            octets.get_mut(len..len + 4)?.copy_from_slice(&ipv4);
            len += 4;
            break;
        }
        octets.get_mut(len..len + 2)?.copy_from_slice(&group.to_be_bytes());
        len += 2;
        rest = match behind {
            [] => behind,
            [b':', b':', behind @ ..] if gap.is_none() => {
                gap = Some(len);
                behind
            }
            [b':', behind @ ..] if !behind.is_empty() => behind,
            _ => return None,
        };
    }
    let missing = octets.len() - len;
    match gap {
        Some(gap) if missing > 0 => octets.get_mut(gap..)?.rotate_right(missing),
        Some(_) => return None,
        None if missing > 0 => return None,
        None => {}
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::{IpAddr, Ipv6Addr};
    use wasm_bindgen_test::wasm_bindgen_test;

    /// The same with the standard library's parser.
    fn parse_ip(address: &[u8]) -> Option<IpAddr> {
        let address = std::str::from_utf8(address).ok()?;
        let (host, _port) = address.rsplit_once(':')?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        host.split('%').next()?.parse().ok()
    }

    fn ip(address: &str, v6: u8) -> Vec<u8> {
        ClientIp::new(address.into()).network(Prefixes { v4: 32, v6 }).into_owned()
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn ipv4_addresses_are_grouped_by_their_own_prefix_mapped_or_not() {
        let ip =
            |address: &str, v4| ClientIp::new(address.into()).network(Prefixes { v4, v6: 64 }).into_owned();
        assert_eq!(ip("192.0.2.7:80", 24), [192, 0, 2, 0]);
        assert_eq!(ip("[::ffff:192.0.2.7]:80", 24), [192, 0, 2, 0]);
        assert_eq!(ip("192.0.2.255:80", 25), [192, 0, 2, 128]);
        assert_eq!(ip("192.0.2.255:80", 0), [0; 4]);
        assert_eq!(ip("[2001:db8::1]:80", 8), ip("[2001:db8::2]:80", 24));
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn bi_10_an_ipv4_mapped_address_is_the_ipv4_one_and_ports_do_not_matter() {
        assert_eq!(ip("192.0.2.7:80", 64), [192, 0, 2, 7]);
        assert_eq!(ip("[::ffff:192.0.2.7]:0", 64), [192, 0, 2, 7]);
        assert_eq!(ip("192.0.2.7:81", 64), ip("192.0.2.7:443", 64));
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn bi_10_ipv6_addresses_are_grouped_by_the_prefix() {
        assert_eq!(ip("[2001:db8::1]:1", 64), ip("[2001:db8::2]:2", 64));
        assert_ne!(ip("[2001:db8::1]:1", 64), ip("[2001:db8:0:1::1]:1", 64));
        assert_eq!(ip("[2001:db8::1]:1", 48), ip("[2001:db8:0:1::1]:1", 48));
        assert_ne!(ip("[2001:db8::1]:1", 128), ip("[2001:db8::2]:1", 128));
        assert_eq!(ip("[fe80::1%eth0]:1", 128), ip("[fe80::1]:1", 128));
        assert_eq!(ip("[2001:db8::1]:1", 0), [0; 16]);
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn what_is_no_ip_stands_for_itself() {
        assert_eq!(ip("/run/gateway.sock", 64), b"/run/gateway.sock");
        assert_eq!(ip("", 64), b"");
    }

    proptest! {
        #[wasm_bindgen_test(unsupported = test)]
        fn no_address_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60), v4: u8, v6: u8) {
            ClientIp::new(bytes).network(Prefixes { v4, v6 });
        }

        #[wasm_bindgen_test(unsupported = test)]
        fn the_short_way_reads_what_the_parser_of_all_addresses_does(
            address in "[0-9]{1,4}(\\.[0-9]{0,3}){2,4}(:[0-9]{0,5}(:|%|x)?)?|([0-9]{1,2}\\.){3}[0-9]{1,2}:[0-9]{1,5}",
        ) {
            if let Some(octets) = dotted(address.as_bytes()) {
                prop_assert_eq!(parse_ip(address.as_bytes()), Some(IpAddr::from(octets)));
            }
        }

        #[wasm_bindgen_test(unsupported = test)]
        fn every_ipv4_address_is_read_the_short_way(octets in any::<[u8; 4]>(), port in any::<u16>()) {
            let address = std::net::SocketAddrV4::new(octets.into(), port).to_string();
            prop_assert_eq!(dotted(address.as_bytes()), Some(octets));
        }

        #[wasm_bindgen_test(unsupported = test)]
        fn every_ip_that_is_written_is_read(ip in any::<u128>(), port in any::<u16>()) {
            let ip = Ipv6Addr::from_bits(ip);
            let address = std::net::SocketAddrV6::new(ip, port, 0, 0).to_string();
            prop_assert_eq!(ipv6_and_port(address.as_bytes()), Some(ip.octets()));
        }

        #[wasm_bindgen_test(unsupported = test)]
        fn what_is_read_as_ipv6_the_standard_library_reads_alike(
            address in "\\[?(::?|[0-9a-f]{1,5}::?|[0-9a-f]:){0,9}([0-9a-f]{0,4}|([0-9]{1,3}\\.){3,4}[0-9]{1,3})(%e)?\\]?:80",
        ) {
            let read = match parse_ip(address.as_bytes()) {
                Some(IpAddr::V6(ip)) => Some(ip.octets()),
                Some(IpAddr::V4(_)) | None => None,
            };
            prop_assert_eq!(ipv6_and_port(address.as_bytes()), read, "{}", address);
        }
    }
}
