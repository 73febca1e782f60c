//! The operator's view, on a UNIX socket of an Envoy with two workers.

use crate::harness::{Connection, Files, Gateway, Request, Response, Setup, eventually};
use std::io::{BufReader, Write};
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

const MANY: usize = 40;

const POLICY: &str = "keys:
  api_key: { header: x-key }
policies:
  - { name: api, key: api_key, limits: [{ name: hour, quota: 5, window: 1h }] }
  - { name: login, key: api_key, match: [{ path: /login }], block_for: 1h, limits: [{ quota: 2, window: 1s }] }
";

struct Operated {
    gateway: Gateway,
    socket: PathBuf,
    _files: Files,
}

fn start(policy: &str) -> Operated {
    let files = Files::new();
    let socket = files.file("operator.sock");
    let option = socket.display().to_string();
    let gateway = Setup::printed(policy, &["--operator-socket", &option]).start();
    Operated { gateway, socket, _files: files }
}

/// One request on a connection of its own, so that either worker may get it.
fn ask(socket: &Path, method: &str, target: &str, value: &[u8]) -> Response {
    let mut stream = UnixStream::connect(socket).expect("the operator's socket");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a time limit");
    let head =
        format!("{method} {target} HTTP/1.1\r\nhost: tollgate\r\ncontent-length: 0\r\nx-tollgate-value: ");
    stream.write_all(&[head.as_bytes(), value, b"\r\n\r\n"].concat()).expect("a request sent");
    Response::read(&mut BufReader::new(stream), method).expect("a response")
}

/// How many of many requests pass, each on a connection of its own.
fn admitted(request: &Request) -> usize {
    (0..MANY).map(|_| request.admitted_of(1)).sum()
}

#[test]
fn an_operator_sees_a_limited_caller_and_forgives_it_for_exactly_its_quota() {
    let Operated { gateway, socket, _files } = start(POLICY);
    let (shop, bank) = (gateway.get("/").header("x-key", "shop"), gateway.get("/").header("x-key", "bank"));
    assert_eq!((admitted(&shop), admitted(&bank)), (5, 5));
    for _ in 0..MANY {
        let seen = ask(&socket, "GET", "/caller?key=api_key", b"shop");
        assert_eq!((seen.status, seen.value("cache-control")), (200, "no-store"), "{}", seen.text());
        let limit = &seen.json()["policies"][0]["limits"][0];
        assert_eq!((limit["used"].as_u64(), limit["remaining"].as_u64()), (Some(5), Some(0)), "{limit}");
        assert!(
            limit["all_units_in"].as_u64().is_some_and(|wait| (3_500..=3_600).contains(&wait)),
            "{limit}"
        );
        assert!(!seen.text().contains("shop"));
    }
    assert_eq!(admitted(&shop), 0, "to look forgives nothing");

    let forgiven = ask(&socket, "POST", "/forgive?key=api_key&policy=api", b"shop");
    assert_eq!((forgiven.status, &forgiven.json()["policies"][0]["forgiven"]), (200, &true.into()));
    assert_eq!((admitted(&shop), admitted(&bank)), (5, 0), "exactly its quota, and nobody else");
    let seen = ask(&socket, "GET", "/caller?key=api_key", b"shop");
    let limit = &seen.json()["policies"][0]["limits"][0];
    assert!(limit["used"] == 5 && limit["forgiven_since"].is_string(), "{limit}");
}

#[test]
fn an_operator_ends_a_block() {
    let Operated { gateway, socket, _files } = start(POLICY);
    let login = gateway.get("/login").header("x-key", "ann");
    assert_eq!(admitted(&login), 2);
    let seen = ask(&socket, "GET", "/caller?key=api_key", b"ann");
    assert!(seen.json()["policies"][1]["blocked_until"].is_string(), "{}", seen.text());
    assert_eq!(ask(&socket, "POST", "/forgive?key=api_key&policy=login", b"ann").status, 200);
    assert_eq!(login.admitted_of(2), 2);
}

#[test]
fn an_operator_finds_a_caller_by_the_pseudonym_of_the_access_log_and_forgives_it() {
    let files = Files::new();
    let socket = files.file("operator.sock");
    let policy = format!("access_log: {{ caller: true }}\n{POLICY}");
    let option = socket.display().to_string();
    let gateway = Setup::printed(&policy, &["--access-log", "--operator-socket", &option]).start();
    let (shop, bank) = (gateway.get("/").header("x-key", "shop"), gateway.get("/").header("x-key", "bank"));
    assert_eq!((admitted(&bank), admitted(&shop)), (5, 5));
    let log = eventually("a line for each request", || {
        let log = gateway.log();
        (log.matches("caller=").count() == 2 * MANY).then_some(log)
    });
    let last = log.rsplit("caller=").next().expect("a line");
    let pseudonym = &last[..last.find(|char: char| !char.is_ascii_hexdigit()).expect("its end")];
    for _ in 0..9 {
        let seen = ask(&socket, "GET", &format!("/caller?caller={pseudonym}"), b"-");
        let limit = &seen.json()["policies"][0]["limits"][0];
        assert_eq!(
            (seen.status, &limit["used"], &limit["quota"]),
            (200, &5.into(), &5.into()),
            "{}",
            seen.text()
        );
    }
    let forgiven = ask(&socket, "POST", &format!("/forgive?caller={pseudonym}"), b"-");
    assert_eq!((forgiven.status, &forgiven.json()["policies"][0]["forgiven"]), (200, &true.into()));
    assert_eq!((admitted(&shop), admitted(&bank)), (5, 0), "exactly its quota, and nobody else");
    let unknown = ask(&socket, "GET", "/caller?caller=0123456789abcdef", b"-");
    assert!(
        unknown.status == 404 && unknown.text().contains("nobody has this pseudonym"),
        "{}",
        unknown.text()
    );
}

#[test]
fn only_the_owner_may_open_the_operators_socket() {
    let operated = start(POLICY);
    let mode = operated.socket.metadata().expect("the socket's file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn an_operator_gets_only_what_there_is_and_nothing_of_a_hostile_value() {
    let Operated { gateway, socket, _files } = start(POLICY);
    let table = ask(&socket, "GET", "/table", b"-");
    assert_eq!((table.status, table.json()["pages"].as_u64()), (200, Some(16_384)), "{}", table.text());
    for (method, target, status) in [
        ("GET", "/", 404),
        ("POST", "/table", 405),
        ("GET", "/forgive?key=api_key", 405),
        ("GET", "/caller?key=none", 404),
        ("GET", "/caller", 400),
        ("POST", "/forgive?key=api_key&policy=none", 409),
        ("GET", "/caller?key=api_key&key=api_key", 400),
    ] {
        let refused = ask(&socket, method, target, b"s3cret");
        assert_eq!(refused.status, status, "{target}: {}", refused.text());
        assert!(refused.json()["allowed"].is_string() && !refused.text().contains("s3cret"));
    }
    let long = vec![b'x'; 50_000];
    for value in [&b"\xff\xfe\x80"[..], b"\"}]", &long] {
        let seen = ask(&socket, "GET", "/caller?key=api_key", value);
        assert_eq!((seen.status, &seen.json()["policies"][0]["limits"][0]["used"]), (200, &0.into()));
    }
    assert_eq!(ask(&socket, "GET", "/caller?key=api_key", &[b'x'; 65_536]).status, 431, "Envoy's own limit");
    assert_eq!(gateway.get("/").header("x-key", "new").admitted_of(9), 5, "the filter serves on");
}

const PROXY_PROTOCOL: &str = "      listener_filters:
        - name: envoy.filters.listener.proxy_protocol
          typed_config:
            \"@type\": type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol
            allow_requests_without_proxy_protocol: true
      filter_chains:";

#[test]
fn an_operator_is_refused_on_a_port_whatever_headers_and_proxy_lines_say() {
    let operator = format!("role: operator\n{POLICY}");
    let setup =
        Setup::printed(&operator, &[]).replacing("use_remote_address: true", "use_remote_address: false");
    let gateway = setup.replacing("      filter_chains:", PROXY_PROTOCOL).start();
    let forged = |request: Request| {
        let path = "/run/tollgate.sock";
        let request = request.header("x-tollgate-value", "shop").header("x-forwarded-for", path);
        let request = request.header("x-envoy-external-address", path).header("x-real-ip", path);
        request.header("forwarded", format!("for=\"{path}\"")).header("x-envoy-original-dst-host", path)
    };
    for (method, target) in
        [("GET", "/table"), ("GET", "/caller?key=api_key"), ("POST", "/forgive?key=api_key")]
    {
        let request = forged(gateway.request(method, target));
        let refused = request.send();
        assert_eq!(refused.status, 403, "{}", refused.text());
        assert!(refused.text().contains("UNIX socket") && !refused.text().contains("shop"));

        let mut connection = request.connect();
        connection.write(b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n").expect("a PROXY line sent");
        assert_eq!(connection.exchange(&request).status, 403);
        // A line of the second version with the addresses of UNIX sockets: Envoy may hang up.
        let mut connection: Connection = request.connect();
        let mut line = b"\r\n\r\n\0\r\nQUIT\n\x21\x31\x00\xd8".to_vec();
        let mut address = b"/run/tollgate.sock".to_vec();
        address.resize(108, 0);
        line.extend(address.repeat(2));
        connection.write(&line).expect("a PROXY line sent");
        if let Ok(response) = connection.try_exchange(&request) {
            assert_ne!(response.status, 200, "{}", response.text());
        }
    }
    let warnings =
        gateway.log().matches("role: operator answers only on a listener on a UNIX socket").count();
    assert_eq!(warnings, 1, "one a minute");
    let other = gateway.get("/").from(Ipv4Addr::new(127, 0, 0, 9)).send();
    assert_eq!(other.status, 403, "nothing goes to the upstream");
}
