//! A request as a sentence: `gateway.get("/x").from(ip).key("abc").send()`. Its bytes are sent as they are
//! given.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::connection::Connection;
use super::in_flight::InFlight;
use super::metadata;
use super::response::Response;
use super::upstream;

#[derive(Clone, Debug)]
pub struct Request {
    to: SocketAddr,
    from: Ipv4Addr,
    method: String,
    target: String,
    version: &'static str,
    headers: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Request {
    /// From 127.0.0.1, with a host and no other header.
    pub fn new(to: SocketAddr, method: &str, target: &str) -> Self {
        let request = Self {
            to,
            from: Ipv4Addr::LOCALHOST,
            method: method.to_owned(),
            target: target.to_owned(),
            version: "HTTP/1.1",
            headers: Vec::new(),
        };
        request.header("host", "gateway")
    }

    /// The loopback address it comes from.
    pub fn from(mut self, address: Ipv4Addr) -> Self {
        self.from = address;
        self
    }

    /// Adds `authorization: Bearer KEY`.
    pub fn key(self, key: impl AsRef<[u8]>) -> Self {
        let value = [b"Bearer ", key.as_ref()].concat();
        self.header("authorization", value)
    }

    /// Adds a header line, also beside one of the same name.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.as_bytes().to_vec(), value.as_ref().to_vec()));
        self
    }

    /// To another host than `gateway`.
    pub fn host(self, host: &str) -> Self {
        self.without_host().header("host", host)
    }

    /// Adds a text of the metadata that [`super::Setup::metadata_from_headers`] leaves.
    pub fn metadata(self, key: &str, value: impl AsRef<[u8]>) -> Self {
        self.header(&metadata::header_of(key), value)
    }

    /// To be answered with this status: by the demo upstream, or an [`super::Upstream`].
    pub fn answered(self, status: u16) -> Self {
        self.header("x-demo-status", status.to_string())
    }

    /// To be answered with this header: by the demo upstream, or an [`super::Upstream`].
    pub fn answered_with(self, name: &str, value: &str) -> Self {
        self.header("x-demo-header", format!("{name}={value}"))
    }

    /// To be answered by an [`super::Upstream`] only after so long.
    pub fn answered_after(self, delay: Duration) -> Self {
        self.header(upstream::DELAY, delay.as_millis().to_string())
    }

    /// To have no answer of an [`super::Upstream`]: it closes the connection.
    pub fn reset_by_upstream(self) -> Self {
        self.header(upstream::RESET, "yes")
    }

    /// Takes the host header away.
    pub fn without_host(mut self) -> Self {
        self.headers.retain(|(name, _)| name != b"host");
        self
    }

    /// Speaks HTTP/1.0.
    pub fn old(mut self) -> Self {
        self.version = "HTTP/1.0";
        self
    }

    pub fn method(&self) -> &str {
        &self.method
    }

    /// What goes over the wire.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{} {} {}\r\n", self.method, self.target, self.version).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend([name.as_slice(), b": ", value, b"\r\n"].concat());
        }
        bytes.extend(b"\r\n");
        bytes
    }

    /// A connection from the request's address.
    pub fn connect(&self) -> Connection {
        Connection::open(self.from, self.to)
    }

    /// As `connect`, for a gateway that may not be there.
    pub fn try_connect(&self) -> io::Result<Connection> {
        Connection::try_open(self.from, self.to)
    }

    /// Sends it on a connection of its own.
    pub fn send(&self) -> Response {
        self.connect().exchange(self)
    }

    /// Sends it on a connection of its own and leaves it there.
    pub fn begin(&self) -> InFlight {
        InFlight::begin(self)
    }

    /// Sends it `times` times on one connection: how many passed? Every other answer must be a 429.
    pub fn admitted_of(&self, times: usize) -> usize {
        let mut connection = self.connect();
        (0..times).map(|_| connection.exchange(self)).filter(admitted).count()
    }
}

pub(super) fn admitted(response: &Response) -> bool {
    match response.status {
        200 => true,
        429 => false,
        other => panic!("{other} is neither admitted nor rejected: {response:?}"),
    }
}
