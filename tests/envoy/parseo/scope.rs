//! Which requests are limited: PA-10.

use super::*;

#[test]
fn pa_10_what_is_not_below_external_v1_is_neither_limited_nor_told_limits() {
    let gateway = small(1, "60s").start();
    for path in [
        "/",
        "/health",
        "/external",
        "/external/v2/invoices",
        "/external/v10/invoices",
        "/internal/v1/invoices",
        "/v1/invoices",
        "/x?y=/external/v1/invoices",
        "/external/v1/../v2/invoices",
    ] {
        let request = gateway.get(path).key(SHOP);
        assert_eq!(request.admitted_of(3), 3, "{path}");
        let response = request.send();
        assert!(response.limit_headers().is_empty(), "{path}: {response:?}");
        assert_eq!(gateway.get(path).admitted_of(ANONYMOUS + 5), ANONYMOUS + 5, "{path}");
    }
    // And nothing of it was counted.
    assert_eq!(quota(&list(&gateway).key(SHOP).send()), (1, 0));
    assert_eq!(quota(&list(&gateway).send()), (20, 19));
}

#[test]
fn pa_10_all_that_is_below_counts_together_however_it_is_spelled() {
    let gateway = small(50, "60s").start();
    let targets = [
        ("GET", "/external/v1"),
        ("GET", "/external/v1/"),
        ("POST", "/external/v1/invoices"),
        ("PUT", "/external/v1/invoices/7"),
        ("PATCH", "/external/v1/invoices/7/lines/8"),
        ("DELETE", "/external/v1/invoices/7?really=yes"),
        ("GET", "//external//v1/invoices"),
        ("GET", "/external/./v1/invoices"),
        ("GET", "/health/../external/v1/invoices"),
        ("GET", "/external/%76%31/invoices"),
    ];
    for ((method, target), left) in targets.into_iter().zip((0..50).rev()) {
        let request = gateway.request(method, target).key(SHOP).header("content-length", "0");
        assert_eq!(quota(&request.send()), (50, left), "{method} {target}");
    }
}
