//! Any bytes as a header's value or a client's address: nothing panics, a value is part of what was sent, and a
//! caller can't become another one by what follows it.
#![no_main]

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use tollgate::identity::Source;
use tollgate::request::Request;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    with_scheme: bool,
    prefix: Option<u8>,
    ipv6_prefix: u8,
    port: u16,
    bytes: &'a [u8],
}

struct Sent(Vec<u8>);

impl Request for Sent {
    fn header(&self, _: &str) -> Option<Vec<u8>> {
        Some(self.0.clone())
    }

    fn source_address(&self) -> Option<Vec<u8>> {
        Some(self.0.clone())
    }
}

fuzz_target!(|input: Input<'_>| {
    header(&input);
    address(&input);
});

fn header(input: &Input<'_>) {
    let source = Source::Header {
        name: "authorization".into(),
        scheme: input.with_scheme.then(|| "Bearer".into()),
        prefix: input.prefix.map(usize::from),
    };
    let read = |bytes: &[u8]| source.read(&Sent(bytes.to_vec()));
    let value = read(input.bytes);
    if let Some(value) = &value {
        assert!(!value.is_empty() && value.len() <= input.prefix.map_or(usize::MAX, usize::from));
        assert!(input.bytes.windows(value.len()).any(|part| part == value), "no part of what was sent");
        assert!(!value.contains(&b','));
    }
    let second_line = [input.bytes, b", Bearer second"].concat();
    assert_eq!(read(&second_line), value, "a second line makes another caller");
    let spaces = [b" ", input.bytes, b"\t "].concat();
    assert_eq!(read(&spaces), value, "white space makes another caller");
}

fn address(input: &Input<'_>) {
    let source = Source::ClientIp { ipv6_prefix: input.ipv6_prefix };
    let read = |bytes: &[u8]| source.read(&Sent(bytes.to_vec()));
    let key = read(input.bytes).expect("a client without an address is still a client");
    assert!(!key.is_empty() || input.bytes.is_empty());
    // The same address from another port is the same client.
    let Some(colon) = input.bytes.iter().rposition(|byte| *byte == b':') else { return };
    let (host, _) = input.bytes.split_at(colon);
    let elsewhere = [host, format!(":{}", input.port).as_bytes()].concat();
    let is_ip =
        std::str::from_utf8(&elsewhere).is_ok_and(|text| text.parse::<std::net::SocketAddr>().is_ok());
    if is_ip && std::str::from_utf8(input.bytes).is_ok() {
        assert_eq!(read(&elsewhere), Some(key.clone()), "another port is another client");
        assert!(key.len() == 4 || key.len() == 16);
    }
}
