//! What the client's certificate says as a key.

use super::{Beside, Source, SourceKind, field};
use crate::config::{Field, Reader, Word, Words};
use crate::http::{CertificateField, Request, RequestCache};
use crate::rules::key::modifiers::{AFTER, BEFORE, SEPARATOR};
use crate::rules::key::{Key, KeyValue};
use std::borrow::Cow;

/// A field of the certificate that the client has shown to Envoy.
#[derive(Clone, Debug, PartialEq)]
pub struct Certificate(pub CertificateField);

/// The words of the fields.
pub const CERTIFICATE_FIELDS: &Words<CertificateField> = &Words(&[
    Word::new("subject", CertificateField::Subject, "its subject, such as `CN=billing,O=acme`"),
    Word::new(
        "uri_san",
        CertificateField::UriSan,
        "its first alternative name that is a URI, such as `spiffe://cluster.local/ns/shop/sa/web`",
    ),
    Word::new("dns_san", CertificateField::DnsSan, "its first alternative name that is a DNS name"),
    Word::new(
        "fingerprint",
        CertificateField::Fingerprint,
        "its SHA-256 digest, as 64 hexadecimal digits in lower case; another certificate is another caller",
    ),
]);

impl Certificate {
    pub(super) const FIELD: Field<&'static Words<CertificateField>> = field(
        "certificate",
        CERTIFICATE_FIELDS,
        "a field of the client's certificate; absent without one. It is worth as much as \
         [Envoy's check of the certificate](security.md#client-certificates)",
    );
}

impl Source for Certificate {
    const KIND: SourceKind = SourceKind {
        takes: &[SEPARATOR.name, AFTER.name, BEFORE.name],
        vouched: true,
        identifies_consumers: true,
        can_be_asked: true,
        ..SourceKind::new(Self::FIELD.name)
    };

    fn parse(field: &Reader<'_>, _beside: Beside<'_, '_>) -> Option<Self> {
        field.read(Self::FIELD.kind).map(Certificate)
    }

    fn presented<'a, R: Request>(
        &self,
        request: &'a RequestCache<'a, R>,
        _key: &Key,
    ) -> Option<KeyValue<'a>> {
        Some(KeyValue::One(Cow::Owned(request.uncached().certificate(self.0)?)))
    }

    fn describe(&self, _keys: &[Key]) -> String {
        let word = CERTIFICATE_FIELDS.of(&self.0).map_or("", |word| word.word);
        format!("{word} of the client's certificate")
    }
}

#[cfg(test)]
mod tests {
    use crate::http::CertificateField;
    use crate::testing::{FakeRequest, Fixture};
    use wasm_bindgen_test::wasm_bindgen_test;

    fn shown(field: CertificateField, value: &str) -> FakeRequest {
        FakeRequest::from("192.0.2.7").with_certificate(field, value)
    }

    fn by(key: &str) -> Fixture {
        let json = r#"{"keys": {"c": {KEY}},
            "consumers": [{"name": "shop", "keys": {"c": ["shop"]}, "quotas": {"p": 5}}],
            "policies": [{"name": "p", "key": "c", "limits": [{"quota": 3, "window": "1m"}]}]}"#;
        Fixture::new(&json.replace("KEY", key))
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_consumer_is_known_by_a_part_of_its_certificate() {
        let mut fixture = by(r#""certificate": "uri_san", "after": "/ns/", "before": "/""#);
        let of = |namespace: &str| {
            shown(CertificateField::UriSan, &format!("spiffe://cluster.local/ns/{namespace}/sa/web"))
        };
        assert_eq!(fixture.passed(9, |_| of("shop")), 5);
        assert_eq!(fixture.passed(9, |_| of("mail")), 3);
        assert_eq!(fixture.passed(9, |_| shown(CertificateField::UriSan, "https://shop")), 3);
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_request_without_a_certificate_has_no_such_key() {
        let mut fixture = by(r#""certificate": "fingerprint""#);
        assert_eq!(fixture.passed(9, |_| FakeRequest::from("192.0.2.7")), 9);
        assert_eq!(fixture.passed(9, |_| shown(CertificateField::Subject, "CN=a")), 9);
        assert_eq!(fixture.passed(9, |_| shown(CertificateField::Fingerprint, &"a".repeat(64))), 3);
    }
}
