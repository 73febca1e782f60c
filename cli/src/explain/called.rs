//! A request as somebody describes it.

use std::net::IpAddr;
use tollgate::http::{MetadataPath, Request};

/// A request of which only what matters is known.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleRequest {
    method: String,
    target: String,
    /// Lower-case names.
    headers: Vec<(String, String)>,
    client: Option<IpAddr>,
    metadata: Vec<(MetadataPath, String)>,
}

impl SampleRequest {
    /// A request such as `GET /v1/invoices?page=2`, or a path alone.
    ///
    /// # Errors
    /// What it should be.
    pub fn new(line: &str) -> Result<SampleRequest, String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (method, target) = match words.as_slice() {
            [target] => ("GET", *target),
            [method, target] => (*method, *target),
            _ => ("", ""),
        };
        if method.is_empty() || !target.starts_with('/') {
            return Err("a method and a path, such as 'GET /v1/invoices?page=2'".into());
        }
        Ok(SampleRequest {
            method: method.into(),
            target: target.into(),
            headers: Vec::new(),
            client: None,
            metadata: Vec::new(),
        })
    }

    /// With a header, beside those of the same name.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> SampleRequest {
        self.headers.push((name.to_ascii_lowercase(), value.into()));
        self
    }

    /// With what an earlier filter has left in its dynamic metadata, by the path's segments.
    #[must_use]
    pub fn metadata<'a>(mut self, path: impl IntoIterator<Item = &'a str>, value: &str) -> SampleRequest {
        self.metadata.push((MetadataPath::new(path), value.into()));
        self
    }

    /// From this address.
    #[must_use]
    pub fn from(self, client: IpAddr) -> SampleRequest {
        SampleRequest { client: Some(client), ..self }
    }
}

impl Request for SampleRequest {
    /// Of repeated headers all, as Envoy joins those that it knows.
    fn header(&self, name: &str) -> Option<Vec<u8>> {
        let fields = self.headers.iter().filter(|(field, _)| field == name);
        let values: Vec<&str> = match name {
            ":method" => vec![&self.method],
            ":path" => vec![&self.target],
            _ => fields.map(|(_, value)| value.as_str()).collect(),
        };
        (!values.is_empty()).then(|| values.join(",").into_bytes())
    }

    fn cookies(&self) -> Option<Vec<u8>> {
        let lines = self.headers.iter().filter(|(name, _)| name == "cookie");
        let lines: Vec<&str> = lines.map(|(_, value)| value.as_str()).collect();
        (!lines.is_empty()).then(|| lines.join(";").into_bytes())
    }

    fn metadata(&self, path: &MetadataPath) -> Option<Vec<u8>> {
        self.metadata.iter().find(|(of, _)| of == path).map(|(_, value)| value.clone().into_bytes())
    }

    fn source_address(&self) -> Option<Vec<u8>> {
        self.client.map(|client| match client {
            IpAddr::V4(ip) => format!("{ip}:0").into_bytes(),
            IpAddr::V6(ip) => format!("[{ip}]:0").into_bytes(),
        })
    }
}
