//! A request that is described field by field, for tests, benches and `tollgate explain`.

use super::{Elements, MetadataPath, MetadataValue, Request};
use std::net::IpAddr;

/// A request with only the given fields. Without a client its source address is unknown.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleRequest {
    method: String,
    path: String,
    /// With lower-case names.
    headers: Vec<(String, String)>,
    client: Option<IpAddr>,
    route: Option<String>,
    metadata: Vec<(MetadataPath, String)>,
}

impl SampleRequest {
    /// A request with this method and this path, which may have a query.
    pub fn new(method: &str, path: &str) -> SampleRequest {
        SampleRequest {
            method: method.into(),
            path: path.into(),
            headers: Vec::new(),
            client: None,
            route: None,
            metadata: Vec::new(),
        }
    }

    /// A request line such as `GET /v1/invoices?page=2`, or a path alone.
    ///
    /// # Errors
    /// What a request line must be.
    pub fn parse(line: &str) -> Result<SampleRequest, String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [path] if path.starts_with('/') => Ok(SampleRequest::new("GET", path)),
            [method, path] if path.starts_with('/') => Ok(SampleRequest::new(method, path)),
            _ => Err("a method and a path, such as 'GET /v1/invoices?page=2'".into()),
        }
    }

    /// Adds a header. A name may occur several times.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> SampleRequest {
        self.headers.push((name.to_ascii_lowercase(), value.into()));
        self
    }

    /// Adds a value that an earlier filter left in its dynamic metadata. The path is the filter's name and
    /// the keys down to the value. Several values at one path are a list.
    #[must_use]
    pub fn with_metadata<'a>(
        mut self,
        path: impl IntoIterator<Item = &'a str>,
        value: &str,
    ) -> SampleRequest {
        self.metadata.push((MetadataPath::new(path), value.into()));
        self
    }

    /// Sets the client's address.
    #[must_use]
    pub fn from_client(self, client: IpAddr) -> SampleRequest {
        SampleRequest { client: Some(client), ..self }
    }

    /// Sets the name of the route that Envoy has chosen.
    #[must_use]
    pub fn on_route(self, name: &str) -> SampleRequest {
        SampleRequest { route: Some(name.into()), ..self }
    }
}

impl Request for SampleRequest {
    /// All values of a repeated header, joined with commas, as Envoy joins those of headers that it knows.
    fn header(&self, name: &str) -> Option<Vec<u8>> {
        let fields = self.headers.iter().filter(|(field, _)| field == name);
        let values: Vec<&str> = match name {
            ":method" => vec![&self.method],
            ":path" => vec![&self.path],
            _ => fields.map(|(_, value)| value.as_str()).collect(),
        };
        (!values.is_empty()).then(|| values.join(",").into_bytes())
    }

    fn cookies(&self) -> Option<Vec<u8>> {
        let lines = self.headers.iter().filter(|(name, _)| name == "cookie");
        let lines: Vec<&str> = lines.map(|(_, value)| value.as_str()).collect();
        (!lines.is_empty()).then(|| lines.join(";").into_bytes())
    }

    fn route_name(&self) -> Option<Vec<u8>> {
        self.route.clone().map(String::into_bytes)
    }

    fn metadata(&self, path: &MetadataPath) -> Option<MetadataValue> {
        let at_path = self.metadata.iter().filter(|(of, _)| of == path);
        let values: Vec<&str> = at_path.map(|(_, value)| value.as_str()).collect();
        match values.as_slice() {
            [] => None,
            [one] => Some(MetadataValue::Text(one.as_bytes().to_vec())),
            several => {
                let mut list = Elements::default();
                several.iter().for_each(|value| list.push(value.as_bytes()));
                Some(MetadataValue::List(list))
            }
        }
    }

    fn source_address(&self) -> Option<Vec<u8>> {
        self.client.map(|client| match client {
            IpAddr::V4(ip) => format!("{ip}:0").into_bytes(),
            IpAddr::V6(ip) => format!("[{ip}]:0").into_bytes(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test(unsupported = test)]
    fn a_request_line_is_a_method_and_a_path() {
        for line in ["", "GET", "GET v1", "GET /v1 HTTP/1.1", "/a b"] {
            assert!(SampleRequest::parse(line).is_err(), "{line}");
        }
        assert_eq!(SampleRequest::parse("/v1"), SampleRequest::parse("GET  /v1"));
    }
}
