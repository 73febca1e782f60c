//! The client's address as a key.

use super::{Beside, Presence, Source, SourceKind, field};
use crate::config::{Composite, Field, Kind, Literal, Number, Object, Reader, object};
use crate::http::client_ip::{self, Prefixes};
use crate::http::{Request, RequestCache};
use crate::rules::key::{Key, KeyValue};
use std::net::{Ipv4Addr, Ipv6Addr};

/// The client's IP address.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientIp {
    /// Addresses with this many leading bits in common are one client.
    pub prefixes: Prefixes,
}

/// How many bits of an IPv4 address count.
const IPV4_PREFIX: Field<Number<u8>> = Field::default(
    "ipv4_prefix",
    Number::new(1, 32, "bits"),
    Literal::Number(32),
    "IPv4 addresses that agree in this many leading bits are one client",
);

/// How many bits of an IPv6 address count.
const IPV6_PREFIX: Field<Number<u8>> = Field::default(
    "ipv6_prefix",
    Number::new(1, 128, "bits"),
    Literal::Number(64),
    "IPv6 addresses that agree in this many leading bits are one client",
);

const OBJECT: Object = object!("client_ip" at "keys.NAME.client_ip":
    "Which part of the client's address counts."; IPV4_PREFIX, IPV6_PREFIX);

impl ClientIp {
    pub(super) const FIELD: Field<Composite> = field(
        "client_ip",
        Composite::new(Kind::Object(&OBJECT), "an object"),
        "the client's address as Envoy determines it; the filter reads no header for it. An IPv4-mapped IPv6 address counts as IPv4",
    );
}

impl Source for ClientIp {
    const KIND: SourceKind = SourceKind {
        vouched: true,
        identifies_by_range: true,
        presence: Presence::Always,
        ..SourceKind::new(Self::FIELD.name)
    };

    fn parse(field: &Reader<'_>, _beside: Beside<'_, '_>) -> Option<Self> {
        let fields = field.fields(&OBJECT)?;
        let (v4, v6) = (fields.get(&IPV4_PREFIX), fields.get(&IPV6_PREFIX));
        Some(ClientIp { prefixes: Prefixes { v4: v4?, v6: v6? } })
    }

    /// Clients without an address share the empty one, so they are limited together.
    fn presented<'a, R: Request>(
        &self,
        request: &'a RequestCache<'a, R>,
        _key: &Key,
    ) -> Option<KeyValue<'a>> {
        Some(KeyValue::One(request.client_ip().network(self.prefixes)))
    }

    fn value_of(&self, text: &str) -> Option<Vec<u8>> {
        let address = client_ip::ClientIp::new([text, ":0"].concat().into_bytes());
        address.octets()?;
        Some(address.network(self.prefixes).into_owned())
    }

    /// Whoever has an IPv6 network has many addresses.
    fn is_cheap(&self, value: &[u8]) -> bool {
        const USUAL_NETWORK: u8 = 48;
        const IPV6: usize = 16;
        self.prefixes.v6 > USUAL_NETWORK && value.len() == IPV6
    }

    fn ipv6_prefix(&self) -> Option<u8> {
        Some(self.prefixes.v6)
    }

    fn describe(&self, _keys: &[Key]) -> String {
        let Prefixes { v4, v6 } = self.prefixes;
        let v4 = if v4 == 32 { String::new() } else { format!(" IPv4 by its first {v4} bits,") };
        format!("the client's address,{v4} IPv6 by its first {v6} bits")
    }

    fn show(&self, value: &[u8]) -> String {
        if let Ok(octets) = <[u8; 4]>::try_from(value) {
            let address = Ipv4Addr::from(octets);
            return match self.prefixes.v4 {
                32 => address.to_string(),
                prefix => format!("{address}/{prefix}"),
            };
        }
        match <[u8; 16]>::try_from(value) {
            Ok(octets) => format!("{}/{}", Ipv6Addr::from(octets), self.prefixes.v6),
            Err(_) if value.is_empty() => "without an address".into(),
            Err(_) => String::from_utf8_lossy(value).escape_debug().to_string(),
        }
    }
}
