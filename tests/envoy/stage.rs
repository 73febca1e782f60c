//! What other tests rely on is as they take it to be: the demo upstream, and filters before the module.

use crate::harness::{Gateway, METADATA, Setup, per_address};

fn setup() -> Setup {
    Setup::yaml(per_address(1_000, "1h"))
}

#[test]
fn the_demo_upstream_answers_with_the_status_and_the_headers_that_are_asked_for() {
    let gateway = setup().start();
    let asked =
        gateway.get("/x").answered(201).answered_with("x-cost", "7").answered_with("x-text", "a=b, c");
    let response = asked.send();
    assert_eq!((response.status, response.text()), (201, "GET /x\n"));
    assert_eq!((response.number("x-cost"), response.value("x-text")), (7, "a=b, c"));
    assert_eq!(gateway.get("/").header("x-demo-header", "no value").send().status, 400);
}

#[test]
fn answers_that_have_no_body_have_none() {
    let gateway = setup().start();
    for (method, status) in [("HEAD", 200), ("GET", 204), ("GET", 304), ("DELETE", 204)] {
        let request = gateway.request(method, "/").answered(status).answered_with("x-cost", "7");
        // On one connection: a body would be read as the next response.
        for response in request.connect().exchange_all(&[request.clone(), request]) {
            assert_eq!((response.status, response.number("x-cost")), (status, 7), "{method}");
        }
    }
}

/// Tells in a header of the response what an earlier filter has left.
fn telling(key: &str) -> String {
    format!(
        r#"- name: telling
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua
    default_source_code:
      inline_string: |
        function envoy_on_response(response)
          local metadata = response:streamInfo():dynamicMetadata():get("{METADATA}") or {{}}
          response:headers():add("x-found", metadata["{key}"] or "nothing")
        end"#
    )
}

fn found(gateway: &Gateway, key: &str, value: &str) -> String {
    gateway.get("/").metadata(key, value).send().value("x-found").to_owned()
}

#[test]
fn a_request_can_say_what_an_earlier_filter_has_found_out() {
    let gateway = setup().metadata_from_headers().filter(telling("org")).start();
    assert_eq!(found(&gateway, "org", "org_1"), "org_1");
    assert_eq!(found(&gateway, "org", "a b,c"), "a b,c");
    assert_eq!(found(&gateway, "user", "org_1"), "nothing");
    gateway.get("/").send().lacks("x-meta-org");
}
