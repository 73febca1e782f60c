//! The client's address as a key.

use super::{Beside, Presence, Source, SourceKind};
use crate::config::Reader;
use crate::http::client_ip::client_ip;
use crate::http::{Request, RequestCache};
use crate::rules::key::{Key, KeyValue};
use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The client's IP address.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientIp {
    /// IPv6 addresses with this many leading bits in common are one client, 0 to 128.
    pub ipv6_prefix: u8,
}

impl Source for ClientIp {
    const KIND: SourceKind =
        SourceKind { vouched: true, presence: Presence::Always, ..SourceKind::new("client_ip") };

    fn parse(field: &Reader<'_>, _beside: Beside<'_, '_>) -> Option<Self> {
        let fields = field.object(&["ipv6_prefix"])?;
        let prefix = fields.read_or("ipv6_prefix", 64, |n| n.whole_number(1..=128))?;
        Some(ClientIp { ipv6_prefix: u8::try_from(prefix).ok()? })
    }

    /// Clients without an address share the empty one, so they are limited together.
    fn presented<'a, R: Request>(
        &self,
        request: &'a RequestCache<'a, R>,
        _key: &Key,
    ) -> Option<KeyValue<'a>> {
        let address = request.uncached().source_address().unwrap_or_default();
        Some(KeyValue::One(Cow::Owned(client_ip(address, self.ipv6_prefix))))
    }

    /// Whoever has an IPv6 network has many addresses.
    fn is_cheap(&self, value: &[u8]) -> bool {
        const USUAL_NETWORK: u8 = 48;
        const IPV6: usize = 16;
        self.ipv6_prefix > USUAL_NETWORK && value.len() == IPV6
    }

    fn ipv6_prefix(&self) -> Option<u8> {
        Some(self.ipv6_prefix)
    }

    fn describe(&self, _keys: &[Key]) -> String {
        format!("the client's address, IPv6 by its first {} bits", self.ipv6_prefix)
    }

    fn show(&self, value: &[u8]) -> String {
        if let Ok(octets) = <[u8; 4]>::try_from(value) {
            return Ipv4Addr::from(octets).to_string();
        }
        match <[u8; 16]>::try_from(value) {
            Ok(octets) => format!("{}/{}", Ipv6Addr::from(octets), self.ipv6_prefix),
            Err(_) if value.is_empty() => "without an address".into(),
            Err(_) => String::from_utf8_lossy(value).escape_debug().to_string(),
        }
    }
}
