//! The request's host as a key.
//!
//! A client can write one host in several ways: in another case, with a port, with a trailing dot, with a user. All
//! of them are one caller, as they are one host to a match. An upstream that serves any host also serves those that
//! a client makes up, so only the domains of Envoy's virtual hosts bound how many callers there are.

use super::{Beside, Source, SourceKind, Whose, field};
use crate::config::{Composite, Field, Kind, Object, Reader, object};
use crate::http::{Request, RequestCache};
use crate::rules::key::modifiers::{AFTER, BEFORE};
use crate::rules::key::{Key, KeyValue};
use std::borrow::Cow;

/// The request's host.
#[derive(Clone, Debug, PartialEq)]
pub struct Host;

const OBJECT: Object = object!("host" at "keys.NAME.host":
    "The host of the request. A client chooses it, so list the `domains` of Envoy's virtual hosts: where `*` is one of \
     them, each made-up host is a new caller.";);

impl Host {
    pub(super) const FIELD: Field<Composite> = field(
        "host",
        Composite::new(Kind::Object(&OBJECT), "{}"),
        "the request's host without a port, [the same in each of its spellings](spellings.md#how-tollgate-matches-hosts). \
         An empty one counts as absent",
    );
}

impl Source for Host {
    const KIND: SourceKind = SourceKind {
        takes: &[AFTER.name, BEFORE.name],
        client_supplied: true,
        whose: Whose::Targets,
        ..SourceKind::new(Self::FIELD.name)
    };

    fn parse(field: &Reader<'_>, _beside: Beside<'_, '_>) -> Option<Self> {
        field.fields(&OBJECT).map(|_| Host)
    }

    fn presented<'a, R: Request>(
        &self,
        request: &'a RequestCache<'a, R>,
        _key: &Key,
    ) -> Option<KeyValue<'a>> {
        let host = request.host();
        (!host.is_empty()).then_some(KeyValue::One(Cow::Borrowed(host)))
    }

    fn folds_case(&self, _key: &Key) -> bool {
        true
    }

    fn reads(&self) -> Option<&str> {
        Some(":authority")
    }

    fn describe(&self, _keys: &[Key]) -> String {
        "the request's host".into()
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{FakeRequest, Fixture};
    use wasm_bindgen_test::wasm_bindgen_test;

    const PER_HOST: &str = r#"{
        "keys": {"host": {"host": {}}, "ip": {"client_ip": {}}, "either": {"first_of": ["host", "ip"]}},
        "policies": [{"name": "p", "key": "KEY", "limits": [{"quota": 3, "window": "1m"}]}]}"#;

    fn by(key: &str) -> Fixture {
        Fixture::new(&PER_HOST.replace("KEY", key))
    }

    fn to(host: impl AsRef<[u8]>) -> FakeRequest {
        FakeRequest::from("192.0.2.7").with(":authority", host)
    }

    fn passed<const N: usize>(fixture: &mut Fixture, hosts: [&str; N]) -> usize {
        hosts.into_iter().map(|host| fixture.passed(4, |_| to(host))).sum()
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_host_is_one_caller_in_each_of_its_spellings() {
        let spellings = [
            "api.example.com",
            "API.Example.com",
            "api.example.com:8443",
            "api.example.com.",
            "api.example.com..:443",
            "user:pass@api.example.com",
        ];
        assert_eq!(passed(&mut by("host"), spellings), 3);
        assert_eq!(passed(&mut by("host"), ["[2001:db8::7]", "[2001:DB8::7]:443"]), 3);
        assert_eq!(passed(&mut by("host"), ["a.example.com", "b.example.com", "127.0.0.1", "[::1]"]), 4 * 3);
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_request_without_a_host_has_no_such_key() {
        let nowhere = ["", ".", ":80", "user@"];
        assert_eq!(passed(&mut by("host"), nowhere), nowhere.len() * 4);
        assert_eq!(by("host").passed(9, |_| FakeRequest::from("192.0.2.7")), 9);
        // The next alternative counts.
        assert_eq!(passed(&mut by("either"), nowhere), 3);
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_host_of_any_bytes_is_a_caller_and_no_credential() {
        let mut fixture = by("host");
        for host in [&[0xFF, 0xFE][..], b"a,b", b"\0", &[b'x'; 70_000]] {
            assert_eq!(fixture.passed(4, |_| to(host)), 3, "{host:?}");
        }
        // Every request has a host, so it does not keep a CORS preflight from being exempt.
        let preflight = || {
            let asks = to("api.example.com").with(":method", "OPTIONS");
            asks.with("access-control-request-method", "PUT")
        };
        assert_eq!(fixture.passed(9, |_| preflight()), 9);
    }
}
