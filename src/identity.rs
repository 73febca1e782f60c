//! Who is asking: the values of a policy's key, read from the request.

use crate::request::Request;
use std::net::{IpAddr, Ipv6Addr};

/// Where a key's value comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// A request header.
    Header {
        /// Lower-case.
        name: String,
        /// The authentication scheme to expect before the value and to leave out, such as `Bearer`.
        scheme: Option<String>,
        /// Only so many first bytes count.
        prefix: Option<usize>,
    },
    /// The client's IP, never a header that the client can write.
    ClientIp {
        /// IPv6 addresses that share so many first bits are one client.
        ipv6_prefix: u8,
    },
}

impl Source {
    /// The value in this request. `None`: the request has none, and policies keyed on it do not apply.
    pub fn read(&self, request: &impl Request) -> Option<Vec<u8>> {
        match self {
            Source::Header { name, scheme, prefix } => {
                let value = request.header(name)?;
                let value = first_line(&value);
                let key = scheme.as_ref().map_or(Some(value), |scheme| credentials(value, scheme))?;
                let key = key.get(..prefix.unwrap_or(usize::MAX)).unwrap_or(key);
                (!key.is_empty()).then(|| key.to_vec())
            }
            // A client without an address is still a client: all of them together.
            Source::ClientIp { ipv6_prefix } => {
                Some(client_ip(&request.source_address().unwrap_or_default(), *ipv6_prefix))
            }
        }
    }
}

/// What the first of several lines of one header says. Envoy joins the lines of the headers it knows, such as
/// `authorization`, with commas, and gives the first line of others: with everything behind a comma left out,
/// a caller who adds a second line is still the caller of the first.
fn first_line(value: &[u8]) -> &[u8] {
    value.split(|byte| *byte == b',').next().unwrap_or_default().trim_ascii()
}

/// The credentials behind an authentication scheme (RFC 9110, 11.4: the scheme in any case, then spaces), up to
/// a space: a server that reads `Bearer abc x` may take `abc`.
fn credentials<'a>(value: &'a [u8], scheme: &str) -> Option<&'a [u8]> {
    let mut words = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    words.next().filter(|found| found.eq_ignore_ascii_case(scheme.as_bytes()))?;
    words.next()
}

/// The address in its shortest unambiguous form: 4 bytes, or 16 with what is behind the prefix cleared.
/// An IPv4-mapped IPv6 address is the IPv4 one. What is no IP, such as the path of a Unix socket, stands
/// for itself.
fn client_ip(address: &[u8], ipv6_prefix: u8) -> Vec<u8> {
    match parse_ip(address) {
        Some(IpAddr::V4(ip)) => ip.octets().to_vec(),
        Some(IpAddr::V6(ip)) => match ip.to_ipv4_mapped() {
            Some(ip) => ip.octets().to_vec(),
            None => network(ip, ipv6_prefix).octets().to_vec(),
        },
        None => address.to_vec(),
    }
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

    struct Fake(Option<&'static [u8]>);

    impl Request for Fake {
        fn header(&self, name: &str) -> Option<Vec<u8>> {
            (name == "authorization").then_some(self.0?.to_vec())
        }
        fn source_address(&self) -> Option<Vec<u8>> {
            self.0.map(<[u8]>::to_vec)
        }
    }

    fn bearer(value: Option<&'static [u8]>) -> Option<Vec<u8>> {
        let source =
            Source::Header { name: "authorization".into(), scheme: Some("Bearer".into()), prefix: Some(16) };
        source.read(&Fake(value))
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn bi_3_the_first_16_characters_count_and_a_shorter_key_whole() {
        assert_eq!(bearer(Some(b"Bearer 0123456789abcdefXYZ")).unwrap(), b"0123456789abcdef");
        assert_eq!(bearer(Some(b"Bearer 0123456789abcdef")).unwrap(), b"0123456789abcdef");
        assert_eq!(bearer(Some(b"Bearer short")).unwrap(), b"short");
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn the_scheme_is_not_part_of_the_key_and_its_case_does_not_matter() {
        for value in [&b"Bearer abc"[..], b"bearer abc", b"BEARER   abc", b"Bearer\tabc"] {
            assert_eq!(bearer(Some(value)).unwrap(), b"abc");
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn bi_11_what_is_no_bearer_key_is_no_key() {
        for value in
            [None, Some(&b""[..]), Some(b"Bearer"), Some(b"Bearer "), Some(b"Bearerabc"), Some(b"Basic abc")]
        {
            assert_eq!(bearer(value), None);
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn x_7_of_repeated_lines_the_first_counts_however_they_are_joined() {
        for value in
            [&b"Bearer abc,Bearer xyz"[..], b"Bearer abc, Basic xyz", b"Bearer abc x", b"Bearer abc,"]
        {
            assert_eq!(bearer(Some(value)).unwrap(), b"abc");
        }
        assert_eq!(bearer(Some(b"Basic xyz,Bearer abc")), None);
        let plain = Source::Header { name: "authorization".into(), scheme: None, prefix: None };
        assert_eq!(plain.read(&Fake(Some(b"k1,k2"))).unwrap(), b"k1");
        assert_eq!(plain.read(&Fake(Some(b" ,k2"))), None);
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_key_of_any_bytes_is_a_key() {
        assert_eq!(bearer(Some(b"Bearer \xFF\xFE\x80")).unwrap(), b"\xFF\xFE\x80");
    }

    fn ip(address: &'static str, prefix: u8) -> Vec<u8> {
        Source::ClientIp { ipv6_prefix: prefix }.read(&Fake(Some(address.as_bytes()))).unwrap()
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
            client_ip(&bytes, prefix);
        }

        #[wasm_bindgen_test(unsupported = test)]
        fn every_ip_that_is_written_is_read(ip in any::<u128>(), port in any::<u16>()) {
            let ip = Ipv6Addr::from_bits(ip);
            let address = std::net::SocketAddrV6::new(ip, port, 0, 0).to_string();
            prop_assert_eq!(parse_ip(address.as_bytes()), Some(IpAddr::V6(ip)));
        }
    }
}
