//! Requests as an attacker, or anybody else, may send them.

use tollgate::http::{MetadataPath, MetadataValue, Request};

/// One request's head, and the connection that it came by.
#[derive(Clone, Debug, Default)]
pub struct Call {
    pub method: &'static str,
    pub path: String,
    pub address: String,
    /// A key in the `authorization` header.
    pub bearer: Option<String>,
    /// A cookie named `session`.
    pub session: Option<String>,
    /// A claim that an earlier filter has verified.
    pub organization: Option<String>,
}

impl Call {
    pub fn new(method: &'static str, path: &str) -> Call {
        Call { method, path: path.into(), address: address(0), ..Call::default() }
    }

    pub fn get(path: &str) -> Call {
        Call::new("GET", path)
    }

    pub fn post(path: &str) -> Call {
        Call::new("POST", path)
    }

    /// From the address of this number.
    pub fn from(self, number: u64) -> Call {
        Call { address: address(number), ..self }
    }

    pub fn key(self, key: impl Into<String>) -> Call {
        Call { bearer: Some(key.into()), ..self }
    }

    pub fn session(self, session: impl Into<String>) -> Call {
        Call { session: Some(session.into()), ..self }
    }

    pub fn organization(self, organization: impl Into<String>) -> Call {
        Call { organization: Some(organization.into()), ..self }
    }
}

/// Each number is another client, by IPv6 networks of 64 bits, too.
fn address(number: u64) -> String {
    format!("10.{}.{}.{}:4711", number >> 16 & 0xFF, number >> 8 & 0xFF, number & 0xFF)
}

impl Request for Call {
    fn header(&self, name: &str) -> Option<Vec<u8>> {
        let text = match name {
            ":method" => self.method.to_string(),
            ":path" => self.path.clone(),
            ":authority" => "api.example.com".into(),
            "authorization" => format!("Bearer {}", self.bearer.as_ref()?),
            "cookie" => format!("session={}", self.session.as_ref()?),
            _ => return None,
        };
        Some(text.into_bytes())
    }

    fn source_address(&self) -> Option<Vec<u8>> {
        Some(self.address.clone().into_bytes())
    }

    fn metadata(&self, path: &MetadataPath) -> Option<MetadataValue> {
        let claim = MetadataPath::new(["envoy.filters.http.jwt_authn", "payload", "organization"]);
        self.organization
            .clone()
            .filter(|_| *path == claim)
            .map(|text| MetadataValue::Text(text.into_bytes()))
    }
}
