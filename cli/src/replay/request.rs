//! A line of a log as the engine asks about a request and its response, and what the engine has asked for that
//! the log cannot say.

use super::format::{Extra, Text};
use super::record::Record;
use std::cell::RefCell;
use tollgate::http::{CertificateField, MetadataPath, MetadataValue, Request, Response};

/// Which texts of a record are headers.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// Request headers, by lower-case name.
    pub headers: Vec<(String, Extra)>,
    /// Response headers, by lower-case name.
    pub response_headers: Vec<(String, Extra)>,
    /// Policies whose caller is the pseudonym in Tollgate's own line: the header that stands for it, and the
    /// policy's name.
    pub pseudonyms: Vec<(String, String)>,
}

/// What was asked for that the log cannot say, and about how many requests.
#[derive(Debug, Default)]
pub struct Missing {
    asked: Vec<Asked>,
    /// The number of the current request.
    number: u64,
}

#[derive(Debug)]
struct Asked {
    kind: &'static str,
    name: String,
    /// The number of requests, and the last one.
    requests: u64,
    last: u64,
}

impl Missing {
    /// More than any policy asks for.
    const MAX: usize = 64;

    /// The next request comes.
    pub fn next(&mut self) {
        self.number += 1;
    }

    fn note(&mut self, kind: &'static str, name: &str) {
        let number = self.number;
        if let Some(asked) = self.asked.iter_mut().find(|asked| asked.kind == kind && asked.name == name) {
            if asked.last != number {
                (asked.requests, asked.last) = (asked.requests + 1, number);
            }
        } else if self.asked.len() < Self::MAX {
            self.asked.push(Asked { kind, name: name.into(), requests: 1, last: number });
        }
    }

    /// What was asked for, such as `header x-plan`, and about how many requests.
    pub fn all(&self) -> impl Iterator<Item = (String, u64)> {
        self.asked.iter().map(|asked| {
            let blank = if asked.name.is_empty() { "" } else { " " };
            (format!("{}{blank}{}", asked.kind, asked.name), asked.requests)
        })
    }
}

/// The request of a record.
pub struct LoggedRequest<'r> {
    /// What the log says.
    pub record: &'r Record,
    /// Where it says what.
    pub layout: &'r Layout,
    /// What it does not say.
    pub missing: &'r RefCell<Missing>,
}

impl LoggedRequest<'_> {
    fn note(&self, kind: &'static str, name: &str) {
        self.missing.borrow_mut().note(kind, name);
    }

    fn extra(&self, name: &str) -> Option<Option<Vec<u8>>> {
        if let Some((_, extra)) = self.layout.headers.iter().find(|(header, _)| header == name) {
            let value = self.record.text(Text::Extra(*extra));
            // What Caddy and Traefik write in place of a secret. All callers would be one.
            if value == Some(b"REDACTED") {
                self.note("header", name);
                return Some(None);
            }
            return Some(value.map(<[u8]>::to_vec));
        }
        let (_, policy) = self.layout.pseudonyms.iter().find(|(header, _)| header == name)?;
        let is_of_policy = self.record.text(Text::Policy) == Some(policy.as_bytes());
        let caller = self.record.text(Text::Caller).filter(|_| is_of_policy);
        if caller.is_none() {
            self.note("pseudonym of the caller for policy", policy);
        }
        Some(caller.map(<[u8]>::to_vec))
    }

    fn header_or_note(&self, name: &str, text: Text) -> Option<Vec<u8>> {
        let value = self.record.text(text).map(<[u8]>::to_vec);
        if value.is_none() {
            self.note("header", name);
        }
        value
    }
}

impl Request for LoggedRequest<'_> {
    fn header(&self, name: &str) -> Option<Vec<u8>> {
        match name {
            ":method" => return self.record.text(Text::Method).map(<[u8]>::to_vec),
            ":path" => return self.record.text(Text::Path).map(<[u8]>::to_vec),
            _ => {}
        }
        if let Some(value) = self.extra(name) {
            return value;
        }
        match name {
            ":authority" | "host" => self.header_or_note("host", Text::Host),
            "user-agent" => self.record.text(Text::UserAgent).map(<[u8]>::to_vec),
            "referer" => self.record.text(Text::Referer).map(<[u8]>::to_vec),
            "x-forwarded-for" => self.record.text(Text::Forwarded).map(<[u8]>::to_vec),
            "content-length" if self.record.bytes_in.is_some() => {
                self.record.bytes_in.map(|bytes| bytes.to_string().into_bytes())
            }
            // Only a preflight has these, which is exempt.
            _ if name.starts_with("access-control-")
                && self.record.text(Text::Method) != Some(b"OPTIONS") =>
            {
                None
            }
            _ => {
                self.note("header", name);
                None
            }
        }
    }

    /// Envoy's own access log has no address unless it is asked for; then the last one of `x-forwarded-for` is
    /// that of its peer.
    fn source_address(&self) -> Option<Vec<u8>> {
        if let Some(client) = self.record.text(Text::Client) {
            return Some(with_port(client));
        }
        let forwarded = self.record.text(Text::Forwarded);
        match forwarded.and_then(|list| list.rsplit(|byte| *byte == b',').next()) {
            Some(last) => {
                self.note("address of the client, so the last one of x-forwarded-for stands for it", "");
                Some(with_port(last.trim_ascii()))
            }
            None => {
                self.note("address of the client", "");
                None
            }
        }
    }

    fn metadata(&self, path: &MetadataPath) -> Option<MetadataValue> {
        self.note("metadata", &path.to_string());
        None
    }

    fn route_name(&self) -> Option<Vec<u8>> {
        let route = self.record.text(Text::Route).map(<[u8]>::to_vec);
        if route.is_none() {
            self.note("name of the route", "");
        }
        route
    }

    fn certificate(&self, _field: CertificateField) -> Option<Vec<u8>> {
        self.note("certificate of the client", "");
        None
    }

    /// What an earlier filter has proved is not in the log. The request came this far, so it is taken as
    /// proved.
    fn affirms(&self, path: &MetadataPath) -> bool {
        self.note("proof, which is taken as given, in metadata", &path.to_string());
        true
    }
}

/// An address as Envoy writes it: `ip:port` or `[ip]:port`.
fn with_port(address: &[u8]) -> Vec<u8> {
    let colons = address.iter().filter(|byte| **byte == b':').take(2).count();
    let (before, behind): (&[u8], &[u8]) = match (address.first(), colons) {
        (Some(b'['), _) if address.last() == Some(&b']') => (b"", b":0"),
        (Some(b'['), _) | (_, 1) => (b"", b""),
        (_, 0) => (b"", b":0"),
        (_, _) => (b"[", b"]:0"),
    };
    let mut whole = Vec::with_capacity(before.len() + address.len() + behind.len());
    [before, address, behind].iter().for_each(|part| whole.extend_from_slice(part));
    whole
}

/// The response of a record.
pub struct LoggedResponse {
    /// Its status.
    pub status: u16,
    /// Whether the upstream sent it.
    pub is_upstreams: bool,
    /// Its headers that the log has, by lower-case name.
    pub headers: Vec<(String, Vec<u8>)>,
}

impl LoggedResponse {
    /// The response of a record. One that was rejected by the log's own limits has none of the upstream's, so
    /// the usual one stands for it.
    pub fn new(record: &Record, layout: &Layout) -> LoggedResponse {
        const OK: u16 = 200;
        let was_refused = record.refused == Some(true);
        let mut headers = Vec::new();
        for (name, extra) in &layout.response_headers {
            if let Some(value) = record.text(Text::Extra(*extra)).filter(|_| !was_refused) {
                headers.push((name.clone(), value.to_vec()));
            }
        }
        LoggedResponse {
            status: if was_refused { OK } else { record.status },
            is_upstreams: was_refused || record.is_upstreams(),
            headers,
        }
    }

    /// Adds the response's length, for costs by size.
    pub fn with_length(mut self, bytes: Option<u64>) -> LoggedResponse {
        if let Some(bytes) = bytes.filter(|_| !self.headers.iter().any(|(name, _)| name == "content-length"))
        {
            self.headers.push(("content-length".into(), bytes.to_string().into_bytes()));
        }
        self
    }
}

impl Response for LoggedResponse {
    fn status(&self) -> u16 {
        self.status
    }

    fn is_upstreams(&self) -> bool {
        self.is_upstreams
    }

    fn header(&self, name: &str) -> Option<Vec<u8>> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.clone())
    }
}
