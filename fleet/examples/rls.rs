//! A rate limit service for Envoy's own `envoy.filters.http.ratelimit`, to compare the fleet's service with. It only
//! counts in memory: a fixed window of a minute for each descriptor, as simple as such a service can be.
//!
//! ```text
//! cargo run --release -p tollgate-fleet --example rls -- 127.0.0.1:8081 1000000000
//! ```
//! The arguments are its address and the quota of each descriptor.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "only the benchmark uses it"
)]

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::collections::HashMap;
use std::convert::Infallible;
use std::future::ready;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;

const PATH: &str = "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit";

/// In seconds.
const WINDOW: u64 = 60;

/// gRPC's numbers of what became of a call.
const GRPC_OK: &str = "0";
const GRPC_INVALID_ARGUMENT: &str = "3";
const GRPC_UNIMPLEMENTED: &str = "12";

/// The wire types of protobuf that a request has.
const VARINT: u64 = 0;
const LENGTH_DELIMITED: u64 = 2;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(quota)) = (arguments.next(), arguments.next()) else {
        panic!("rls ADDRESS:PORT QUOTA");
    };
    let counts = Arc::new(Counts { quota: quota.parse().expect("a quota"), current: Mutex::default() });
    let listener = TcpListener::bind(address).await.expect("a free address");
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let _ = stream.set_nodelay(true);
        let counts = counts.clone();
        let service = service_fn(move |request| {
            let counts = counts.clone();
            async move { Ok::<_, Infallible>(answer(request, &counts).await) }
        });
        let builder = http2::Builder::new(TokioExecutor::new());
        tokio::spawn(builder.serve_connection(TokioIo::new(stream), service));
    }
}

struct Counts {
    quota: u32,
    current: Mutex<Window>,
}

/// Only the current window is of interest.
#[derive(Default)]
struct Window {
    /// Windows since 1970.
    number: u64,
    /// Hits by descriptor, as it is encoded.
    hits: HashMap<Vec<u8>, u32>,
}

/// What is said of one descriptor.
struct Status {
    admitted: bool,
    remaining: u32,
    /// Seconds to the window's end.
    reset: u64,
}

impl Counts {
    /// Refused hits count, too, as in envoyproxy/ratelimit.
    fn hit(&self, descriptor: &[u8], hits: u32) -> Status {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let mut window = self.current.lock().unwrap();
        if window.number != now / WINDOW {
            *window = Window { number: now / WINDOW, hits: HashMap::new() };
        }
        let count = match window.hits.get_mut(descriptor) {
            Some(count) => count,
            None => window.hits.entry(descriptor.to_vec()).or_default(),
        };
        *count = count.saturating_add(hits);
        Status {
            admitted: *count <= self.quota,
            remaining: self.quota.saturating_sub(*count),
            reset: WINDOW - now % WINDOW,
        }
    }
}

// --- gRPC

type Reply = http_body_util::combinators::BoxBody<Bytes, Infallible>;

async fn answer(request: Request<Incoming>, counts: &Counts) -> Response<Reply> {
    let is_known = request.uri().path() == PATH;
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let (body, status) = match unframed(&body).and_then(|message| decide(message, counts)) {
        _ if !is_known => (Vec::new(), GRPC_UNIMPLEMENTED),
        Some(message) => (framed(&message), GRPC_OK),
        None => (Vec::new(), GRPC_INVALID_ARGUMENT),
    };
    let trailers = HeaderMap::from_iter([("grpc-status".parse().unwrap(), HeaderValue::from_static(status))]);
    let body = Full::new(Bytes::from(body)).with_trailers(ready(Some(Ok(trailers))));
    let mut reply = Response::new(body.boxed());
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    reply
}

/// A byte that says whether it is compressed, the length in four, and the message.
fn unframed(frame: &[u8]) -> Option<&[u8]> {
    let (head, message) = frame.split_first_chunk::<5>()?;
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
    (head[0] == 0 && message.len() == length as usize).then_some(message)
}

fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0], &length[..], message].concat()
}

// --- RateLimitRequest and RateLimitResponse

/// The response to a request. `None`: it is no request.
fn decide(request: &[u8], counts: &Counts) -> Option<Vec<u8>> {
    let (mut descriptors, mut hits) = (Vec::new(), 1);
    let mut rest = request;
    while !rest.is_empty() {
        match field(&mut rest)? {
            (2, Content::Bytes(descriptor)) => descriptors.push(descriptor),
            (3, Content::Number(addend)) => hits = u32::try_from(addend).ok()?.max(1),
            _ => {}
        }
    }
    let statuses: Vec<Status> =
        descriptors.into_iter().map(|descriptor| counts.hit(descriptor, hits)).collect();
    Some(response(&statuses, counts.quota))
}

/// With what Envoy makes limit headers of.
fn response(statuses: &[Status], quota: u32) -> Vec<u8> {
    const MINUTE: u64 = 2;
    let mut out = Vec::new();
    write_number(&mut out, 1, code(statuses.iter().all(|status| status.admitted)));
    for status in statuses {
        let (mut limit, mut reset, mut one) = (Vec::new(), Vec::new(), Vec::new());
        write_number(&mut limit, 1, quota.into());
        write_number(&mut limit, 2, MINUTE);
        write_number(&mut reset, 1, status.reset);
        write_number(&mut one, 1, code(status.admitted));
        write_bytes(&mut one, 2, &limit);
        write_number(&mut one, 3, status.remaining.into());
        write_bytes(&mut one, 4, &reset);
        write_bytes(&mut out, 2, &one);
    }
    out
}

/// OK or OVER_LIMIT.
fn code(admitted: bool) -> u64 {
    if admitted { 1 } else { 2 }
}

enum Content<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The next field: its number and what it holds.
fn field<'a>(rest: &mut &'a [u8]) -> Option<(u64, Content<'a>)> {
    let tag = varint(rest)?;
    let content = match tag & 7 {
        VARINT => Content::Number(varint(rest)?),
        LENGTH_DELIMITED => {
            let length = usize::try_from(varint(rest)?).ok()?;
            let (bytes, after) = rest.split_at_checked(length)?;
            *rest = after;
            Content::Bytes(bytes)
        }
        _ => return None,
    };
    Some((tag >> 3, content))
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn write_number(out: &mut Vec<u8>, field: u64, value: u64) {
    write_varint(out, field << 3 | VARINT);
    write_varint(out, value);
}

fn write_bytes(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    write_varint(out, field << 3 | LENGTH_DELIMITED);
    write_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn write_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
