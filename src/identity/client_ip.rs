//! The client's address as a key.

use std::net::{IpAddr, Ipv6Addr};

/// The address in its shortest unambiguous form: 4 bytes, or 16 with what is behind the prefix cleared.
/// An IPv4-mapped IPv6 address is the IPv4 one. What is no IP, such as the path of a Unix socket, stands
/// for itself.
pub(super) fn client_ip(mut address: Vec<u8>, ipv6_prefix: u8) -> Vec<u8> {
    // In the place of the text: a request less for memory.
    if let Some(octets) = dotted(&address) {
        address.truncate(octets.len());
        address.copy_from_slice(&octets);
        return address;
    }
    any_ip(address, ipv6_prefix)
}

#[inline(never)]
fn any_ip(mut address: Vec<u8>, ipv6_prefix: u8) -> Vec<u8> {
    let Some(ip) = parse_ip(&address) else { return address };
    address.clear();
    match ip.to_canonical() {
        IpAddr::V4(ip) => address.extend_from_slice(&ip.octets()),
        IpAddr::V6(ip) => address.extend_from_slice(&network(ip, ipv6_prefix).octets()),
    }
    address
}

/// An IPv4 address and its port, read without the standard library's parser for all addresses: that is 4 KB of code,
/// which Envoy has driven from the processor's caches by the next request. `None`: it is to read the address.
fn dotted(address: &[u8]) -> Option<[u8; 4]> {
    let (mut octets, mut rest) = ([0_u8; 4], address);
    for (octet, end) in octets.iter_mut().zip(*b"...:") {
        let (mut value, mut digits) = (0_u16, 0);
        while let Some((digit @ b'0'..=b'9', behind)) = rest.split_first() {
            // A zero in front would be octal to some.
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

fn parse_ip(address: &[u8]) -> Option<IpAddr> {
    let address = std::str::from_utf8(address).ok()?;
    let (host, _port) = address.rsplit_once(':')?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    // A zone index names an interface of this machine, not a client.
    host.split('%').next()?.parse().ok()
}

fn network(ip: Ipv6Addr, prefix: u8) -> Ipv6Addr {
    let mask = u128::MAX.checked_shl(128 - u32::from(prefix.min(128))).unwrap_or(0);
    Ipv6Addr::from_bits(ip.to_bits() & mask)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    fn ip(address: &str, prefix: u8) -> Vec<u8> {
        client_ip(address.into(), prefix)
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
        fn no_address_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60), prefix in any::<u8>()) {
            client_ip(bytes, prefix);
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
            prop_assert_eq!(parse_ip(address.as_bytes()), Some(IpAddr::V6(ip)));
        }
    }
}
