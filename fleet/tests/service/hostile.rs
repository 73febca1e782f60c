//! Whoever reaches the port without being a proxy, and proxies that are broken.

use crate::support::{Certificates, Client, Fleet, Folder, caller, claim_of, connect, exchange_of, limit};
use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};
use tollgate::fleet::message::Exchange;
use tollgate::time::SECOND;
use tollgate_fleet::engine::{Engine, Memory};
use tollgate_fleet::server::{Limits, Setup};
use tollgate_fleet::token::Token;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

fn memory() -> Setup {
    Fleet::setup(Engine::Memory(Memory::new(1_000)))
}

fn is_fine(fleet: &Fleet) {
    let limits = [limit(3, 60 * SECOND)];
    assert_eq!(fleet.worker().admitted(&claim_of(caller(1), &limits), 1), 1);
}

#[test]
fn garbage_ends_its_own_connection_only() {
    let fleet = Fleet::in_memory();
    let mut state = 1u64;
    for round in 0..200 {
        let mut bytes = if round % 3 == 0 { PREFACE.to_vec() } else { Vec::new() };
        for _ in 0..round * 5 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            bytes.push((state >> 56) as u8);
        }
        let mut stream = connect(fleet.address);
        let _ = stream.write_all(&bytes);
    }
    is_fine(&fleet);
}

#[test]
fn random_bytes_as_a_message_are_a_bad_request() {
    let fleet = Fleet::in_memory();
    let mut client = fleet.client();
    for length in 0..200u8 {
        let bytes: Vec<u8> = (0..length).map(|i| i.wrapping_mul(length)).collect();
        let (status, _) = client.post("/v1/test/exchange", &bytes);
        assert_eq!(status, 400, "{bytes:?}");
    }
    assert_eq!(fleet.metric("malformed_total"), 200);
}

#[test]
fn an_unknown_version_is_answered_with_those_that_are_known() {
    let fleet = Fleet::in_memory();
    for (path, body) in [("/v1/test/exchange", &[8, 7][..]), ("/v7/test/exchange", &[8, 1])] {
        let (status, text) = fleet.client().post(path, body);
        assert_eq!(status, 400);
        assert_eq!(String::from_utf8(text).unwrap(), "found version 7; this service supports version 1\n");
    }
}

#[test]
fn fields_of_a_later_version_are_skipped() {
    let fleet = Fleet::in_memory();
    let bytes = [exchange_of(1).encode(), vec![0xF8, 0x07, 5, 0xFA, 0x07, 2, 1, 2]].concat();
    assert_eq!(fleet.client().post("/v1/test/exchange", &bytes).0, 200);
}

#[test]
fn messages_above_a_limit_are_refused() {
    let fleet = Fleet::in_memory();
    let base = exchange_of(1);
    let entry = base.entries[0].clone();
    let of = |entries| Exchange { entries, ..base.clone() }.encode();
    let with = |change: &dyn Fn(&mut tollgate::fleet::message::Entry)| {
        let mut entry = entry.clone();
        change(&mut entry);
        of(vec![entry])
    };
    let cases = [
        ("found 65 entries; at most 64", of(vec![entry.clone(); 65])),
        ("found 17 limits", with(&|entry| entry.limits = vec![entry.limits[0]; 17])),
        ("an entry has no limit", with(&|entry| entry.limits.clear())),
        ("a policy's name has", with(&|entry| entry.policy = "x".repeat(65))),
        ("a policy's name has", with(&|entry| entry.policy = "a:b".into())),
        ("a policy's name has", with(&|entry| entry.policy.clear())),
        ("found 1025 open numbers", with(&|entry| entry.open = vec![1; 1_025])),
    ];
    for (expected, bytes) in cases {
        let (status, text) = fleet.client().post("/v1/test/exchange", &bytes);
        let text = String::from_utf8(text).unwrap();
        assert_eq!(status, 400, "{text}");
        assert!(text.starts_with(expected), "{text}");
    }
    is_fine(&fleet);
}

#[test]
fn an_oversized_body_is_refused_without_being_read() {
    let fleet = Fleet::in_memory();
    let mut stream = connect(fleet.address);
    let length = 10_000_000_000u64;
    write!(stream, "POST /v1/test/exchange HTTP/1.1\r\nhost: f\r\ncontent-length: {length}\r\n\r\n").unwrap();
    let chunk = vec![0; 65_536];
    (0..5).for_each(|_| drop(stream.write_all(&chunk)));
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    is_fine(&fleet);
}

#[test]
fn oversized_headers_are_refused() {
    let fleet = Fleet::in_memory();
    let mut client = fleet.client();
    client.headers = format!("x: {}\r\n", "y".repeat(40_000));
    assert!(client.send("POST", "/v1/test/join", &[]).map_or(true, |(status, _)| status == 431));
    is_fine(&fleet);
}

fn with_token(folder: &Folder) -> Fleet {
    let token = Token::load(folder.file("token", "correct-horse-battery\n")).unwrap();
    Fleet::with(Setup { token: Some(token), ..memory() })
}

#[test]
fn without_the_right_token_there_is_no_answer() {
    let folder = Folder::new();
    let fleet = with_token(&folder);
    let wrong = ["", "authorization: Bearer \r\n", "authorization: Bearer correct-horse-batterz\r\n"];
    let more = [
        "authorization: Bearer correct-horse-battery2\r\n",
        "authorization: Basic correct-horse-battery\r\n",
    ];
    for headers in wrong.iter().chain(&more) {
        let mut client = fleet.client();
        client.headers = (*headers).into();
        for path in ["/v1/test/join", "/v1/test/exchange", "/v9/other"] {
            let mut client = fleet.client();
            client.headers = (*headers).into();
            assert_eq!(client.post(path, &[]).0, 401, "{headers}");
        }
    }
    assert_eq!(fleet.metric("unauthorized_total"), 15);
    let mut client = fleet.client();
    client.headers = "authorization: Bearer correct-horse-battery\r\n".into();
    assert_eq!(client.post("/v1/test/join", &[]).0, 200);
}

#[test]
fn a_token_that_was_replaced_counts_within_seconds_and_an_empty_file_changes_nothing() {
    let folder = Folder::new();
    let fleet = with_token(&folder);
    let status = |token: &str| {
        let mut client = fleet.client();
        client.headers = format!("authorization: Bearer {token}\r\n");
        client.post("/v1/test/join", &[]).0
    };
    folder.file("token", "");
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(status("correct-horse-battery"), 200);
    folder.file("token", "another-token-of-some-length");
    crate::support::eventually("the new token", Duration::from_secs(3), || {
        status("another-token-of-some-length") == 200
    });
    assert_eq!(status("correct-horse-battery"), 401);
}

/// Connects, says a bit, and returns how long it is suffered.
fn suffered(fleet: &Fleet, said: &[u8]) -> Duration {
    let start = Instant::now();
    let mut stream = connect(fleet.address);
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    stream.write_all(said).unwrap();
    let mut bytes = [0; 1_024];
    loop {
        match stream.read(&mut bytes) {
            Ok(0) => return start.elapsed(),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return start.elapsed(),
        }
        // Drip by drip.
        let _ = stream.write_all(b"x");
        assert!(start.elapsed() < Duration::from_secs(15), "still connected after {said:?}");
    }
}

#[test]
fn whoever_says_little_or_nothing_is_cut_off() {
    let times = Duration::from_secs(1);
    let limits = Limits { header_time: times, body_time: times, idle_time: times, ..Limits::default() };
    let fleet = Fleet::with(Setup { limits, ..memory() });
    let join = b"POST /v1/test/join HTTP/1.1\r\nhost: f\r\ncontent-length: 0\r\n\r\n";
    let body = b"POST /v1/test/exchange HTTP/1.1\r\nhost: f\r\ncontent-length: 1000\r\n\r\n";
    for said in [&b""[..], b"PO", b"POST / HTTP/1.1\r\nx: ", &PREFACE[..20], PREFACE, join, body] {
        let took = suffered(&fleet, said);
        assert!(took < Duration::from_secs(8), "{took:?} for {said:?}");
    }
    is_fine(&fleet);
}

#[test]
fn a_proxy_that_was_served_may_be_silent_for_longer() {
    let limits = Limits { header_time: Duration::from_millis(300), ..Limits::default() };
    let fleet = Fleet::with(Setup { limits, ..memory() });
    let mut client = fleet.client();
    assert_eq!(client.post("/v1/test/join", &[]).0, 200);
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(client.post("/v1/test/join", &[]).0, 200);
}

#[test]
fn connections_above_the_limit_are_closed_and_those_below_go_on() {
    let limits = Limits { connections: 3, ..Limits::default() };
    let fleet = Fleet::with(Setup { limits, ..memory() });
    let mut clients: Vec<Client> = (0..3).map(|_| fleet.client()).collect();
    assert!(clients.iter_mut().all(|client| client.post("/v1/test/join", &[]).0 == 200));
    assert_eq!(fleet.metric("connections"), 3);
    assert!(fleet.client().send("POST", "/v1/test/join", &[]).is_err());
    assert_eq!(fleet.metric("refused_connections_total"), 1);
    assert!(clients.iter_mut().all(|client| client.post("/v1/test/join", &[]).0 == 200));
}

#[test]
fn a_crowd_of_workers_does_not_make_a_record_grow_without_bound() {
    let redis = crate::support::RedisServer::start();
    let fleet = Fleet::at(&redis.url());
    for holder in 1..400 {
        let mut exchange = exchange_of(1);
        exchange.holder = holder;
        exchange.entries[0].number = 10_000_000;
        exchange.entries[0].open = (1..=1_024).map(|number| number + 9_000_000).collect();
        assert_eq!(fleet.client().post("/v1/test/exchange", &exchange.encode()).0, 200);
    }
    let length: usize = redis.cli(&["STRLEN", &redis.records()[0]]).parse().unwrap();
    assert!((10_000..110_000).contains(&length), "{length}");
}

#[test]
fn a_full_memory_serves_those_it_knows() {
    let engine = Engine::Memory(Memory::new(11));
    let fleet = Fleet::on(engine);
    fleet.join();
    let limits = [limit(1_000, 60 * SECOND)];
    let mut worker = fleet.worker();
    let mut served = |number| worker.is_served(&claim_of(caller(number), &limits));
    assert!((0..10).all(&mut served));
    assert!(!(10..30).any(&mut served));
    let mut other = fleet.worker();
    assert!((0..10).all(|number| other.is_served(&claim_of(caller(number), &limits))));
    assert_eq!(fleet.metric("engine_full_total"), 20);
}

#[test]
fn without_tls_the_port_of_a_tls_service_ends_the_connection() {
    let certificates = Certificates::new();
    let (cert, key) = certificates.server.clone();
    let files = tollgate_fleet::tls::ServerFiles { cert, key, client_ca: None };
    let fleet = Fleet::with(Setup { tls: Some(files), ..memory() });
    assert!(fleet.client().send("POST", "/v1/test/join", &[]).is_err());
}
