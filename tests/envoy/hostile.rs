//! Requests that nobody honest sends: each is answered, none breaks the filter for those who come after.

use std::sync::LazyLock;

use crate::harness::{Gateway, Request, Setup, Upstream, new_key, per_key};

const QUOTA: usize = 5;

/// One that takes headers of any number and length.
static UPSTREAM: LazyLock<Upstream> = LazyLock::new(|| Upstream::answering(&[]));

/// Lets through to the filter what Envoy by default rejects before it.
fn gateway() -> Gateway {
    Setup::yaml(per_key(5, "1h"))
        .upstream(UPSTREAM.address())
        .manager("max_request_headers_kb: 96")
        .manager("common_http_protocol_options: { max_headers_count: 300 }")
        .manager("http_protocol_options: { accept_http_10: true }")
        .alone()
        .start()
}

/// A request whose answer may be anything but the filter's own failure.
fn answered(request: &Request) -> u16 {
    let status = request.send().status;
    assert!(![500, 503].contains(&status), "the answer is {status}");
    status
}

/// Every worker still serves and limits, and no module has trapped.
fn assert_unbroken(gateway: &Gateway) {
    let request = gateway.get("/").key(new_key());
    let connections = (0..20).map(|_| request.connect());
    let statuses: Vec<_> = connections.map(|mut connection| connection.exchange(&request).status).collect();
    assert_eq!(statuses, [vec![200; QUOTA], vec![429; 20 - QUOTA]].concat());

    let reloads = gateway.admin().statistics("wasm.tollgate.vm_reload");
    assert!(!reloads.is_empty() && reloads.iter().all(|(_, count)| *count == 0), "{reloads:?}");
    let log = gateway.log();
    let trap = log.lines().find(|line| line.contains("Function: proxy_"));
    assert_eq!(trap, None);
}

#[test]
fn keys_of_bytes_that_are_no_text_are_counted_like_any_other_and_apart() {
    let gateway = gateway();
    for key in [b"\xff\xff\xff".as_slice(), b"\xff\xff\xfe", b"\xc3\x28", b"\x80"] {
        assert_eq!(gateway.get("/").key(key).admitted_of(2 * QUOTA), QUOTA, "{key:?}");
    }
    assert_unbroken(&gateway);
}

#[test]
fn bytes_that_are_no_text_are_harmless_wherever_a_client_can_put_them() {
    let gateway = gateway();
    for name in ["host", "authorization", "x-forwarded-for", "x-request-id", "origin", "x-any"] {
        let request = gateway.get("/").without_host();
        let request = match name {
            "host" => request,
            _ => request.header("host", "gateway"),
        };
        answered(&request.header(name, b"\xff\xfe\x80"));
    }
    let preflight = gateway.request("OPTIONS", "/");
    answered(&preflight.header("access-control-request-method", b"\xff"));
    assert_unbroken(&gateway);
}

#[test]
fn a_key_of_60_kilobytes_is_counted_like_any_other() {
    let gateway = gateway();
    let key = "k".repeat(60 * 1024);
    assert_eq!(gateway.get("/").key(&key).admitted_of(2 * QUOTA), QUOTA);
    // The last character counts too.
    assert_eq!(gateway.get("/").key(key + "k").send().status, 200);
    assert_unbroken(&gateway);
}

#[test]
fn an_empty_key_is_no_key() {
    let gateway = gateway();
    for authorization in ["", "Bearer", "Bearer ", "Bearer    ", "\t"] {
        let request = gateway.get("/").header("authorization", authorization);
        assert_eq!(request.admitted_of(2 * QUOTA), 2 * QUOTA, "{authorization:?}");
    }
    assert_unbroken(&gateway);
}

#[test]
fn of_200_authorization_headers_the_first_counts() {
    let gateway = gateway();
    let first = new_key();
    let one = gateway.get("/").key(&first);
    let many = (0..199).fold(one.clone(), |request, _| request.key(new_key()));
    assert_eq!(many.admitted_of(2 * QUOTA), QUOTA);
    assert_eq!(one.send().status, 429);
    assert_unbroken(&gateway);
}

#[test]
fn a_request_without_a_host_is_answered() {
    let gateway = gateway();
    answered(&gateway.get("/").without_host());
    answered(&gateway.get("/").without_host().old());
    answered(&gateway.get("/").without_host().key(new_key()).old());
    answered(&gateway.get("/").header("host", ""));
    answered(&gateway.get("/").host(""));
    assert_unbroken(&gateway);
}

#[test]
fn odd_methods_and_targets_are_answered() {
    let gateway = gateway();
    for (method, target) in [
        ("OPTIONS", "*"),
        ("CONNECT", "gateway:443"),
        ("BREW", "/pot"),
        ("GET", "http://elsewhere/x"),
        ("GET", "/%00%ff"),
        ("GET", "/%zz"),
        ("GET", "/a;b=c#d"),
        ("GET", "?"),
        ("GET", "/../../.."),
    ] {
        answered(&gateway.request(method, target).key(new_key()));
    }
    let far = "/x".repeat(20 * 1024);
    answered(&gateway.get(&far).key(new_key()));
    assert_unbroken(&gateway);
}

#[test]
fn bytes_that_are_no_text_in_the_target_are_answered() {
    let gateway = gateway();
    answered(&gateway.get("/\u{ff}\u{1f4a9}").key(new_key()));
    assert_unbroken(&gateway);
}

#[test]
fn a_body_with_a_rejected_request_breaks_nothing() {
    let gateway = gateway();
    let key = new_key();
    assert_eq!(gateway.get("/").key(&key).admitted_of(QUOTA), QUOTA);
    let post = gateway.request("POST", "/").key(&key);
    // Neither body is sent: the answer must not wait for it.
    assert_eq!(answered(&post.clone().header("content-length", "100000")), 429);
    assert_eq!(answered(&post.header("transfer-encoding", "chunked")), 429);
    assert_unbroken(&gateway);
}

#[test]
fn clients_that_leave_in_the_middle_break_nothing() {
    let gateway = gateway();
    let request = gateway.get("/").key(new_key());
    for length in [5, 20, request.bytes().len()] {
        request.connect().leave_after(&request.bytes()[..length]);
    }
    assert_unbroken(&gateway);
}
