//! Whoever reaches the service's port without the token changes nothing.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::harness::new_key;
use crate::stage::{Stage, TOKEN, by_path, start};

/// The status of a message to the service.
fn post(stage: &Stage, path: &str, authorization: &str, body: &[u8]) -> u16 {
    let mut stream = TcpStream::connect(stage.service.address()).expect("the service");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a socket");
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: fleet\r\n{authorization}content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body].concat()).expect("a message sent");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer);
    text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default()
}

#[test]
fn a_stranger_without_the_token_gets_401_and_changes_nothing() {
    let stage = start(by_path(&[("api", "quota: 5, window: 1h", "on_outage: deny")]));
    let key = new_key();
    let sent =
        |number: usize| (0..number).map(|n| stage.get(n % 2, "/api").key(&key).admitted_of(1)).sum::<usize>();
    assert_eq!(sent(3), 3);
    std::thread::sleep(Duration::from_secs(4));
    let before = stage.redis.values(":api:");
    let wrong = ["", "authorization: Bearer wrong\r\n", "authorization: Basic YTpi\r\n"];
    let longer = format!("authorization: Bearer {TOKEN}x\r\n");
    for authorization in wrong.into_iter().chain([longer.as_str()]) {
        for path in ["/v1/test/join", "/v1/test/exchange"] {
            // An exchange of version 1 without entries.
            assert_eq!(post(&stage, path, authorization, &[8, 1, 16, 7]), 401, "{path} {authorization}");
        }
    }
    assert_eq!(stage.redis.values(":api:"), before);
    assert_eq!(
        post(&stage, "/v1/test/exchange", &format!("authorization: Bearer {TOKEN}\r\n"), &[8, 1, 16, 7]),
        200
    );
    assert_eq!(sent(10), 2);
}

#[test]
fn garbage_on_the_services_port_disturbs_nobody() {
    let stage = start(by_path(&[("api", "quota: 1000, window: 1h", "on_outage: deny")]));
    let token = format!("authorization: Bearer {TOKEN}\r\n");
    for body in [&[0xff; 64][..], &[8, 2], b"{}", &[0; 300_000]] {
        let status = post(&stage, "/v1/test/exchange", &token, body);
        assert!([400, 413, 0].contains(&status), "{status} for {} bytes", body.len());
    }
    assert_eq!(post(&stage, "/v2/test/exchange", &token, &[8, 1]), 400);
    assert_eq!(post(&stage, "/v1/other/exchange", &token, &[8, 1]), 404);
    for _ in 0..20 {
        let mut stream = TcpStream::connect(stage.service.address()).expect("the service");
        let _ = stream.write_all(&[0x16, 3, 1, 0, 0xff, 0, 0]);
    }
    let key = new_key();
    assert_eq!((0..20).map(|n| stage.get(n % 2, "/api").key(&key).admitted_of(1)).sum::<usize>(), 20);
}
