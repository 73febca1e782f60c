//! Trailers of responses, with costs and gRPC statuses, from a service of HTTP/2.

use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use crate::harness::new_key;
use crate::protocols::stage::GrpcStage;

/// A service of HTTP/2 that answers each call with these headers, a body and these trailers; without trailers, it
/// breaks the stream off.
struct H2Service(SocketAddr);

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

impl H2Service {
    fn answering(trailers: Option<&'static [(&'static str, &'static str)]>) -> H2Service {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                thread::spawn(move || serve(stream, trailers));
            }
        });
        H2Service(address)
    }
}

fn frame(kind: u8, flags: u8, stream: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short frame").to_be_bytes();
    [&length[1..], &[kind, flags], &stream, payload].concat()
}

/// Fields without compression (RFC 7541, 6.2.2).
fn fields(list: &[(&str, &str)]) -> Vec<u8> {
    let text =
        |text: &str| [&[u8::try_from(text.len()).expect("a short text")][..], text.as_bytes()].concat();
    list.iter().flat_map(|(name, value)| [vec![0], text(name), text(value)].concat()).collect()
}

fn serve(mut to: TcpStream, trailers: Option<&[(&str, &str)]>) -> Option<()> {
    const PREFACE: usize = 24;
    let mut from = BufReader::new(to.try_clone().ok()?);
    from.read_exact(&mut [0; PREFACE]).ok()?;
    to.write_all(&frame(SETTINGS, 0, [0; 4], &[])).ok()?;
    loop {
        let mut head = [0; 9];
        from.read_exact(&mut head).ok()?;
        let [a, b, c, kind, flags, stream @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        from.read_exact(&mut payload).ok()?;
        if kind == SETTINGS && flags == 0 {
            to.write_all(&frame(SETTINGS, 1, [0; 4], &[])).ok()?;
        }
        if matches!(kind, HEADERS | DATA) && flags & END_STREAM != 0 {
            let head = fields(&[(":status", "200"), ("content-type", "application/grpc")]);
            to.write_all(&frame(HEADERS, END_HEADERS, stream, &head)).ok()?;
            to.write_all(&frame(DATA, 0, stream, &[0; 5])).ok()?;
            to.write_all(&match trailers {
                Some(trailers) => frame(HEADERS, END_HEADERS | END_STREAM, stream, &fields(trailers)),
                None => frame(RST_STREAM, 0, stream, &[0, 0, 0, 2]),
            })
            .ok()?;
        }
    }
}

/// How many of `times` calls pass under this policy of 6 units an hour.
fn passed(fields: &str, trailers: Option<&'static [(&'static str, &'static str)]>, times: usize) -> usize {
    let policy = format!(
        "keys: {{ key: {{ header: x-key }} }}
policies: [{{ name: p, key: key, limits: [{{ quota: 6, window: 1h }}], {fields} }}]
"
    );
    let service = H2Service::answering(trailers);
    let stage = GrpcStage::before(&policy, service.0, &["--upstream-http2"]);
    let key = new_key();
    let calls = (0..times).map(|_| stage.call(&key));
    calls.filter(|call| call.values("grpc-retry-pushback-ms").is_empty()).count()
}

#[test]
fn a_cost_in_trailers_is_charged_and_one_that_does_not_come_is_what_is_held() {
    let fields = "cost_header: { name: x-cost, in: trailers }";
    assert_eq!(passed(fields, Some(&[("grpc-status", "0"), ("x-cost", "3")]), 9), 2);
    assert_eq!(passed(fields, Some(&[("grpc-status", "0"), ("x-cost", "0")]), 9), 9);
    assert_eq!(passed(fields, Some(&[("grpc-status", "0")]), 9), 6);
    assert_eq!(passed(fields, None, 9), 6, "a stream that breaks off");
}

#[test]
fn a_grpc_status_in_trailers_decides_what_counts() {
    let not_found = Some(&[("grpc-status", "5")][..]);
    assert_eq!(passed("refund_on: ['grpc:not_found']", not_found, 9), 9);
    assert_eq!(passed("refund_on: ['grpc:aborted', 5xx]", not_found, 9), 6);
    assert_eq!(passed("count_on: [2xx, 'grpc:ok']", not_found, 9), 9);
    assert_eq!(passed("count_on: ['grpc:5']", not_found, 9), 6);
    assert_eq!(passed("count_on: [2xx]", not_found, 9), 6, "without gRPC statuses, HTTP's decides");
    assert_eq!(
        passed("refund_on: ['grpc:unavailable', 'grpc:internal']", None, 9),
        6,
        "nobody knows: it keeps its units"
    );
}
