//! Which requests are limited at all: SP-7, SP-9, SP-10.

use super::*;

/// How many of ten requests pass.
fn admitted_of_ten(request: &Request) -> usize {
    within_a_minute(|| request.clone().key(new_key()).admitted_of(10))
}

#[test]
fn sp_7_only_what_is_below_api_v2_is_limited() {
    let gateway = five_a_minute().start();
    for path in ["/api/v2/invoice/7", "/api/v2/customer", "/api/v2/", "/api/v2?x=/api/v1", "/api/x/../v2/a"] {
        assert_eq!(admitted_of_ten(&gateway.get(path)), 5, "{path}");
        assert_eq!(admitted_of_ten(&gateway.request("DELETE", path)), 5, "{path}");
    }
    for path in ["/", "/api/v1/invoice/7", "/api/v22/invoice", "/api", "/docs/api/v2/", "/?path=/api/v2/x"] {
        assert_eq!(admitted_of_ten(&gateway.get(path)), 10, "{path}");
    }
}

#[test]
fn sp_7_all_paths_and_methods_of_the_api_share_a_keys_limit() {
    let gateway = five_a_minute().start();
    let statuses = within_a_minute(|| {
        let key = new_key();
        ["/customer", "/customer/7", "/invoice", "/invoice/7", "/invoice/8", "/customer"]
            .map(|path| gateway.request("PUT", &format!("/api/v2{path}")).key(&key))
            .map(|request| request.header("content-length", "0").send().status)
    });
    assert_eq!(statuses, [200, 200, 200, 200, 200, 429]);
}

#[test]
fn sp_9_without_a_key_a_request_is_the_upstreams_to_reject() {
    let gateway = five_a_minute().start();
    let bare = gateway.get("/api/v2/invoice/7").answered(401);
    for request in [
        bare.clone(),
        bare.clone().header("authorization", "Bearer"),
        bare.clone().header("authorization", "Basic dXNlcjpwYXNz"),
    ] {
        for _ in 0..10 {
            assert_eq!(request.send().status, 401);
        }
    }
}

#[test]
fn sp_10_what_goes_out_is_limited_neither_by_its_path_nor_if_it_is_left_out() {
    let out = "exempt: [{ host: \"*.customer.example\" }]\npolicies:";
    let gateway = five_a_minute().replacing("policies:", out).start();
    assert_eq!(admitted_of_ten(&gateway.request("POST", "/webhooks/7").header("content-length", "0")), 10);
    // A customer's address may look like the API's.
    for (host, admitted) in [("hooks.customer.example", 10), ("api.safepays.example", 5)] {
        assert_eq!(admitted_of_ten(&gateway.get("/api/v2/hook").host(host)), admitted, "{host}");
    }
}
