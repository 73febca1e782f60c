//! A client that breaks off its request in the middle, when the upstream has had all that it needs, makes
//! Envoy answer in the upstream's place: 400 for a chunk that is none, 431 for trailers that are too long.

use std::thread;
use std::time::Duration;

use crate::harness::{Served, Setup, new_key};

const TRIES: usize = 40;

fn not_a_chunk() -> Vec<u8> {
    b"zzz\r\n".to_vec()
}

fn long_trailers() -> Vec<u8> {
    let trailer = |i| format!("x-{i}: {}\r\n", "v".repeat(600));
    ["0\r\n".to_owned()].into_iter().chain((0..150).map(trailer)).collect::<String>().into_bytes()
}

/// How many of such requests by one caller reach the upstream.
fn reached(fields: &str, ending: &[u8]) -> usize {
    let served = Setup::yaml(format!(
        "keys: {{ caller: {{ header: x-caller }} }}\npolicies: [{{ name: p, key: caller, {fields} }}]\n"
    ))
    .start_served();
    let key = new_key();
    served.arrivals(|| (0..TRIES).for_each(|_| break_off(&served, &key, ending)))
}

fn break_off(served: &Served, key: &str, ending: &[u8]) {
    let request = served.gateway.request("POST", "/").header("x-caller", key);
    let request = request.header("transfer-encoding", "chunked").answered_after(Duration::from_secs(5));
    let mut connection = request.connect();
    connection.write(&request.bytes()).unwrap();
    // A whole document: a decoder that reads a stream has all that it wants.
    connection.write(b"2\r\n{}\r\n").unwrap();
    thread::sleep(Duration::from_millis(20));
    // Envoy may have answered and closed already, if the caller is over its limit.
    let _ = connection.write(ending);
    let _ = connection.read("POST");
}

fn assert_bounded(ending: &[u8]) {
    for fields in [
        "limits: [{ algorithm: stock, quota: 10 }], refund_unless: [201]",
        "limits: [{ quota: 10, window: 1h }], refund_on: [4xx]",
        "limits: [{ quota: 10, window: 1h }], count_on: [401]",
    ] {
        assert_eq!(reached(fields, ending), 10, "{fields}");
    }
}

#[test]
fn a_body_that_breaks_off_buys_nothing() {
    assert_bounded(&not_a_chunk());
}

#[test]
fn trailers_that_are_too_long_buy_nothing() {
    assert_bounded(&long_trailers());
}
