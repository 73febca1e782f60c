//! What the configuration that `tollgate bootstrap` prints carries, besides plain HTTP/1.1: gRPC, WebSocket,
//! server-sent events, HTTP/1.0 and `Expect: 100-continue`. A rejection is proper in each of them.

pub mod stage;

use std::io::{BufRead, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::harness::{Gateway, Setup};
use stage::{GrpcStage, Service, conversation, head};

/// One request an hour for each key.
const ONE: &str = "keys: { key: { header: x-key } }
policies: [{ name: one, key: key, limits: [{ quota: 1, window: 1h }] }]
";

/// The printed configuration in front of a service.
fn gateway(service: &Service) -> Gateway {
    Setup::printed(ONE, &["--upstream", &service.address().to_string()]).start()
}

#[test]
fn grpc_passes_by_http2_and_its_rejection_has_status_8() {
    let stage = GrpcStage::start(ONE, &[]);
    let passed = stage.call("ann");
    assert_eq!((passed.status, passed.value("grpc-status"), passed.value("x-service")), (200, "0", "grpc"));
    let rejected = stage.call("ann");
    assert_eq!((rejected.status, rejected.value("grpc-status")), (200, "8"), "{rejected:?}");
    assert!(rejected.number("grpc-retry-pushback-ms") > 3_000_000);
    assert_eq!(stage.served(), 1);
}

/// People read this message in their client's errors; it can hold any text.
#[test]
fn a_grpc_client_gets_the_message_as_its_status_message() {
    let reject = r#"reject: { status: 200, body: '{"error":"{message}"}', message: "Más despacio: 100 %,
  {limit} por hora", envoy_ratelimited: true }
"#;
    let stage = GrpcStage::start(&[ONE, reject].concat(), &[]);
    assert_eq!(stage.call("ann").value("grpc-status"), "0");
    let rejected = stage.call("ann");
    assert_eq!((rejected.status, rejected.value("grpc-status")), (200, "8"), "{rejected:?}");
    assert_eq!(rejected.value("grpc-message"), "M%C3%A1s despacio: 100 %25, 1 por hora");
    assert_eq!(rejected.value("content-type"), "application/grpc");
    assert_eq!(rejected.value("x-envoy-ratelimited"), "true");
    assert_eq!(rejected.text(), "");
    stage.plain("bob");
    let plain = stage.plain("bob");
    assert_eq!((plain.status, plain.text()), (200, r#"{"error":"Más despacio: 100 %, 1 por hora"}"#));
}

#[test]
fn a_service_of_http2_alone_gets_all_requests_by_it_if_asked_for() {
    let stage = GrpcStage::start(ONE, &["--upstream-http2"]);
    let plain = |key: &str| stage.gateway.get("/").header("x-key", key).send();
    assert_eq!((plain("bob").status, plain("bob").status), (200, 429));
    assert_eq!((stage.call("ann").value("grpc-status"), stage.served()), ("0", 2));
}

#[test]
fn plain_requests_of_http2_reach_a_service_of_http1() {
    let service = Service::of(|mut stream| {
        head(&mut stream);
        stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").ok();
    });
    let stage = GrpcStage::before(ONE, service.address(), &[]);
    let passed = stage.plain("ann");
    assert_eq!((passed.status, passed.text()), (200, "ok"));
    assert_eq!(stage.plain("ann").status, 429);
}

#[test]
fn a_websocket_is_opened_and_a_rejected_one_gets_429() {
    // Echoes whatever comes after its handshake.
    let service = Service::of(|mut stream| {
        let head = head(&mut stream);
        let upgrade = head.lines().any(|line| line.eq_ignore_ascii_case("upgrade: websocket"));
        let status = if upgrade { "101 Switching Protocols" } else { "400 Bad Request" };
        let answer = format!(
            "HTTP/1.1 {status}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
        );
        stream.get_mut().write_all(answer.as_bytes()).ok();
        let mut bytes = [0; 64];
        while let Ok(read @ 1..) = stream.read(&mut bytes) {
            stream.get_mut().write_all(&bytes[..read]).ok();
        }
    });
    let gateway = gateway(&service);
    let handshake = "GET /chat HTTP/1.1\r\nhost: gateway\r\nx-key: ann\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let mut open = conversation(&gateway, handshake);
    assert!(head(&mut open).starts_with("HTTP/1.1 101 "));
    for message in [&b"\x81\x85abcdhello"[..], b"\x81\x85abcdagain"] {
        open.get_mut().write_all(message).unwrap();
        let mut echo = vec![0; message.len()];
        open.read_exact(&mut echo).unwrap();
        assert_eq!(echo, message);
    }
    let rejected = head(&mut conversation(&gateway, handshake));
    assert!(rejected.starts_with("HTTP/1.1 429 ") && rejected.contains("retry-after: "), "{rejected}");
}

#[test]
fn the_demo_upstream_answers_a_handshake_at_once() {
    let gateway = Setup::printed(ONE, &[]).start();
    let handshake = "GET / HTTP/1.1\r\nhost: gateway\r\nx-key: ann\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    for status in ["200", "429"] {
        let answer = head(&mut conversation(&gateway, handshake));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
}

#[test]
fn a_client_of_http_1_0_is_served_and_rejected_with_or_without_a_host() {
    let gateway = Setup::printed(ONE, &[]).start();
    for host in ["", "host: gateway\r\n"] {
        let request = format!("GET / HTTP/1.0\r\n{host}x-key: old{}\r\n\r\n", host.len());
        let answers = [0, 1].map(|_| head(&mut conversation(&gateway, &request)));
        let [passed, rejected] = answers.each_ref().map(|head| head.lines().next().unwrap_or_default());
        assert!(passed.contains(" 200 ") && rejected.contains(" 429 "), "{passed}, {rejected}");
    }
}

/// Envoy's default would end the response after 15 s.
#[test]
fn server_sent_events_go_on_for_as_long_as_they_come() {
    const PAUSE: Duration = Duration::from_secs(17);
    let service = Service::of(|mut stream| {
        head(&mut stream);
        let begin = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: first\n\n";
        stream.get_mut().write_all(begin).ok();
        std::thread::sleep(PAUSE);
        stream.get_mut().write_all(b"data: last\n\n").ok();
    });
    let gateway = gateway(&service);
    let request = "GET /events HTTP/1.1\r\nhost: gateway\r\nx-key: ann\r\n\r\n";
    let mut events = conversation(&gateway, request);
    assert!(head(&mut events).starts_with("HTTP/1.1 200 "));
    let begun = Instant::now();
    let mut data = || {
        let mut line = String::new();
        while !line.starts_with("data: ") {
            line.clear();
            assert!(
                events.read_line(&mut line).expect("an event") > 0,
                "cut off after {:?}",
                begun.elapsed()
            );
        }
        line.trim_end().to_owned()
    };
    assert_eq!((data().as_str(), begun.elapsed() < PAUSE / 2), ("data: first", true), "not held back");
    assert_eq!(data(), "data: last");
    let rejected = head(&mut conversation(&gateway, request));
    assert!(rejected.starts_with("HTTP/1.1 429 "), "{rejected}");
}

#[test]
fn who_asks_before_it_sends_a_body_hears_from_the_service_or_is_rejected_before() {
    let service = Service::of(|mut stream| {
        let head = head(&mut stream);
        assert!(head.contains("expect: 100-continue"), "{head}");
        stream.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n").ok();
        let mut body = [0; 5];
        stream.read_exact(&mut body).ok();
        let answer = [b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", &body[..]].concat();
        stream.get_mut().write_all(&answer).ok();
    });
    let gateway = gateway(&service);
    let request =
        "POST / HTTP/1.1\r\nhost: gateway\r\nx-key: ann\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n";
    let mut asking = conversation(&gateway, request);
    assert!(head(&mut asking).starts_with("HTTP/1.1 100 "));
    asking.get_mut().write_all(b"hello").unwrap();
    assert!(head(&mut asking).starts_with("HTTP/1.1 200 "));
    let mut body = [0; 5];
    asking.read_exact(&mut body).unwrap();
    assert_eq!(&body, b"hello");
    let rejected = head(&mut conversation(&gateway, request));
    assert!(rejected.starts_with("HTTP/1.1 429 "), "no 100 before it: {rejected}");
}

#[test]
fn the_printed_access_log_ends_with_the_decision_and_shows_no_query() {
    let gateway = Setup::printed(ONE, &["--access-log"]).start();
    for _ in 0..2 {
        gateway.get("/v1?key=secret").header("x-key", "ann").send();
    }
    let log = || gateway.log();
    crate::harness::eventually("two lines", || (log().matches("decision=").count() == 2).then_some(()));
    let log = log();
    let line = log.lines().find(|line| line.contains("decision=refused")).expect("a line");
    assert!(line.contains(" GET /v1 HTTP/1.1 429 tollgate_refused_by_one "), "{line}");
    assert!(line.contains("policy=one limit=limit quota=1 remaining=0") && !log.contains("secret"), "{log}");
}

#[test]
fn the_printed_listener_is_at_the_address_that_is_asked_for() {
    for (address, reachable) in
        [("0.0.0.0", "127.0.0.2"), ("127.0.0.3", "127.0.0.3"), ("::", "127.0.0.1"), ("::1", "::1")]
    {
        let gateway = Setup::printed(ONE, &["--address", address]).start();
        let port = gateway.admin().listener("gateway").expect("the listener").port();
        let reached = TcpStream::connect((reachable, port));
        assert!(reached.is_ok(), "{address} by {reachable}: {reached:?}");
    }
}
