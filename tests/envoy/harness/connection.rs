//! One client connection, from an address of the client's choice, kept alive for as long as the peer agrees.

use std::io::{self, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use super::request::Request;
use super::response::Response;

/// A stream that the filter left hanging ends the test instead of stopping it.
const SILENCE: Duration = Duration::from_secs(30);

pub struct Connection {
    from: Ipv4Addr,
    to: SocketAddr,
    stream: BufReader<TcpStream>,
    over: bool,
}

impl Connection {
    /// Connects from an address of this machine, which the gateway then sees as the client's.
    pub fn open(from: Ipv4Addr, to: SocketAddr) -> Self {
        Self::try_open(from, to).expect("a connection to the gateway")
    }

    /// As `open`, for a peer that may not be listening yet.
    pub fn try_open(from: Ipv4Addr, to: SocketAddr) -> io::Result<Self> {
        let stream = BufReader::new(connect(from, to)?);
        Ok(Self { from, to, stream, over: false })
    }

    /// Sends the request and reads its response; connects anew if the peer hung up after the last one.
    pub fn exchange(&mut self, request: &Request) -> Response {
        self.try_exchange(request).expect("a response")
    }

    /// Sends all requests before it reads their responses.
    pub fn exchange_all(&mut self, requests: &[Request]) -> Vec<Response> {
        let bytes: Vec<_> = requests.iter().flat_map(Request::bytes).collect();
        self.write(&bytes).expect("requests sent");
        let responses = requests.iter().map(|request| self.read(request.method()).expect("a response"));
        responses.collect()
    }

    /// As `exchange`, for a peer that may hang up instead of answering.
    pub fn try_exchange(&mut self, request: &Request) -> io::Result<Response> {
        if self.over {
            *self = Self::try_open(self.from, self.to)?;
        }
        self.write(&request.bytes())?;
        let response = self.read(request.method())?;
        self.over = response.closes();
        Ok(response)
    }

    /// Sends a part of a request and hangs up.
    pub fn leave_after(mut self, bytes: &[u8]) {
        self.write(bytes).expect("a part sent");
    }

    /// Whether there is something to read, or the peer has left.
    pub(super) fn has_bytes(&self) -> bool {
        let stream = self.stream.get_ref();
        stream.set_nonblocking(true).expect("a socket that need not block");
        let seen = stream.peek(&mut [0]);
        stream.set_nonblocking(false).expect("a socket that may block");
        seen.is_ok()
    }

    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    pub fn read(&mut self, method: &str) -> io::Result<Response> {
        Response::read(&mut self.stream, method)
    }
}

fn connect(from: Ipv4Addr, to: SocketAddr) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((from, 0)).into())?;
    socket.connect(&to.into())?;
    let stream = TcpStream::from(socket);
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(SILENCE))?;
    stream.set_write_timeout(Some(SILENCE))?;
    Ok(stream)
}
