//! Requests at a constant rate, each with the key that the load says. h2load, which other tables have their latency
//! from, sends the same header with each request.

use crate::load::{Keys, Latency, Load};
use crate::program::PATIENCE;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

/// As many as h2load has. All send at the same moments, as h2load does.
const CONNECTIONS: u32 = 4;

/// Sends requests for so long, whether or not those before them are answered: one that has to wait for another on its
/// connection is late, and that counts. `seed` must be another one each time, for the keys to be new.
pub fn open_loop(load: &Load, to: SocketAddr, per_second: u32, time: Duration, seed: u32) -> Latency {
    let pause = Duration::from_secs(1) * CONNECTIONS / per_second;
    let number = (time.as_nanos() / pause.as_nanos()) as u32;
    let start = Instant::now() + Duration::from_millis(50);
    let times = scope(|scope| {
        let connection = |place: u32| {
            let first = u64::from(seed) * 100_000_000 + u64::from(place) * 1_000_000;
            scope.spawn(move || {
                let mut stream = TcpStream::connect(to).expect("a connection to Envoy");
                stream.set_nodelay(true).expect("no delay");
                stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
                let one = |n| exchange(&mut stream, &request(load, first + u64::from(n)), start + pause * n);
                (0..number).map(one).collect::<Vec<f64>>()
            })
        };
        let connections: Vec<_> = (0..CONNECTIONS).map(connection).collect();
        connections.into_iter().flat_map(|one| one.join().expect("a connection")).collect()
    });
    Latency::of(times)
}

/// Microseconds to the response's end: from when the request was to be sent, or, with the connection free by then,
/// from when it was sent.
fn exchange(stream: &mut TcpStream, request: &[u8], due: Instant) -> f64 {
    let wait = due.saturating_duration_since(Instant::now());
    sleep(wait);
    let start = if wait.is_zero() { due } else { Instant::now() };
    stream.write_all(request).expect("a request");
    let (mut response, mut chunk) = (Vec::new(), [0; 4096]);
    while !is_complete(&response) {
        let read = stream.read(&mut chunk).expect("a response");
        assert!(read > 0, "Envoy has closed the connection");
        response.extend_from_slice(&chunk[..read]);
    }
    start.elapsed().as_secs_f64() * 1e6
}

fn request(load: &Load, new: u64) -> Vec<u8> {
    let key = match load.keys {
        Keys::New => new,
        Keys::Hot | Keys::Even(_) | Keys::Zipf(_) => 1,
    };
    let authorization = load.authorization.replace("%016d", &format!("{key:016}"));
    format!("GET {} HTTP/1.1\r\nhost: bench\r\nauthorization: {authorization}\r\n\r\n", load.path).into()
}

fn is_complete(response: &[u8]) -> bool {
    let text = String::from_utf8_lossy(response);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.and_then(|length| length.parse().ok()) == Some(body.len())
}
