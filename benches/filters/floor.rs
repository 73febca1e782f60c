//! Makes the host calls that two layers with three headers need, and counts nothing: the key's header, the
//! client's address, the clock; then three headers. A limiter can't be cheaper while it makes these calls
//! this way.

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;
use std::hint::black_box;

struct Floor;

impl Context for Floor {}

impl HttpContext for Floor {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        black_box(self.get_http_request_header_bytes("authorization"));
        black_box(self.get_property(vec!["source", "address"]));
        black_box(self.get_current_time());
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        self.set_http_response_header("x-ratelimit-limit", Some("300"));
        self.set_http_response_header("x-ratelimit-remaining", Some("299"));
        self.set_http_response_header("x-ratelimit-reset", Some("1763800000"));
        Action::Continue
    }
}

proxy_wasm::main! {{
    proxy_wasm::set_http_context(|_, _| Box::new(Floor));
}}
