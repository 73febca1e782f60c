//! Any bytes as a header's value, a query, cookies, a path or a client's address: nothing panics, a value is
//! part of what was sent, and a caller can't become another one by what follows it.
#![no_main]

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use tollgate::engine::caller::{Caller, ConsumerCache};
use tollgate::http::PathTemplate;
use tollgate::http::client_ip::Prefixes;
use tollgate::http::credential::{Reading, Repeated};
use tollgate::http::{MetadataPath, MetadataValue, Request, RequestCache};
use tollgate::identity::{Seed, Seeds};
use tollgate::rules::source::{ClientIp, Cookie, Header, PathParameter, Query};
use tollgate::rules::{Callers, Key, KeySource, Part, RequestMatch, Validity};

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    with_scheme: bool,
    prefix: Option<u8>,
    ipv4_prefix: u8,
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

    fn metadata(&self, _: &MetadataPath) -> Option<MetadataValue> {
        None
    }
}

/// What counts of these bytes as a key from this source, of repeated ones the first.
fn value(
    source: KeySource,
    prefix: Option<usize>,
    template: Option<&PathTemplate>,
    bytes: &[u8],
) -> Option<Vec<u8>> {
    let reading = Reading { repeated: Repeated::First, ..Reading::default() };
    let key = Key {
        name: "k".into(),
        kind: "k".into(),
        source,
        prefix,
        validity: Validity::default(),
        reading,
        part: Part::Usual,
        cut: None,
        proven: false,
    };
    let callers = Callers { keys: vec![key], ..Callers::default() };
    let sent = Sent(bytes.to_vec());
    let asked = RequestCache::new(&sent);
    let seeds = Seeds { table: Seed::new([0; Seed::LEN]), fleet: None };
    let cache = ConsumerCache::default();
    let caller = Caller::new(&asked, &callers, &cache, &seeds, &[]);
    let rule = template.cloned().map(RequestMatch::from);
    caller.value(0, rule.as_ref()).map(|(_, value)| value.into_owned())
}

fuzz_target!(|input: Input<'_>| {
    header(&input);
    address(&input);
    elsewhere(&input);
});

/// At least 1, as in a configuration.
fn prefix(input: &Input<'_>) -> Option<usize> {
    input.prefix.map(|prefix| usize::from(prefix).max(1))
}

fn header(input: &Input<'_>) {
    let scheme = input.with_scheme.then(|| "Bearer".into());
    let source = KeySource::from(Header { name: "authorization".into(), scheme });
    let read = |bytes: &[u8]| value(source.clone(), prefix(input), None, bytes);
    let found = read(input.bytes);
    if let Some(value) = &found {
        assert!(!value.is_empty() && value.len() <= prefix(input).unwrap_or(usize::MAX));
        assert!(input.bytes.windows(value.len()).any(|part| part == value), "no part of what was sent");
        assert!(!value.contains(&b','));
    }
    let second_line = [input.bytes, b", Bearer second"].concat();
    assert_eq!(read(&second_line), found, "a second line makes another caller");
    let spaces = [b" ", input.bytes, b"\t "].concat();
    assert_eq!(read(&spaces), found, "white space makes another caller");
}

fn address(input: &Input<'_>) {
    let source =
        KeySource::from(ClientIp { prefixes: Prefixes { v4: input.ipv4_prefix, v6: input.ipv6_prefix } });
    let read = |bytes: &[u8]| value(source.clone(), None, None, bytes);
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

/// A later parameter or cookie makes no other caller: the first counts, or none does (which is an empty
/// value).
fn elsewhere(input: &Input<'_>) {
    let found = |source: &KeySource, bytes: &[u8]| value(source.clone(), None, None, bytes);
    let is_same_or_none =
        |found: Option<Vec<u8>>, value: &[u8]| found.is_some_and(|found| found.is_empty() || found == value);
    let query = KeySource::from(Query("k".into()));
    if let Some(value) = found(&query, input.bytes).filter(|_| !input.bytes.contains(&b'#')) {
        let more = [input.bytes, b"&k=second"].concat();
        assert!(is_same_or_none(found(&query, &more), &value), "a second parameter makes another caller");
    }
    let cookie = KeySource::from(Cookie("k".into()));
    if let Some(value) = found(&cookie, input.bytes) {
        let more = [input.bytes, b"; k=second"].concat();
        assert!(is_same_or_none(found(&cookie, &more), &value), "a second cookie makes another caller");
    }
    let template = PathTemplate::parse("/{id}/**").expect("a template");
    let path = KeySource::from(PathParameter("id".into()));
    let _ = value(path, None, Some(&template), input.bytes);
}
