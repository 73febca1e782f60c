//! The host calls of a request of Factuarea's, and nothing else: what its caller and its policies are read from,
//! the clock, what shows whether the response is the upstream's answer, the clock again, and three headers. With
//! higher quotas than the published ones, units come from what the worker has, so nothing shared is touched.

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;
use std::hint::black_box;

struct Floor;

impl Context for Floor {}

impl HttpContext for Floor {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        for name in ["authorization", ":path", ":method"] {
            black_box(self.get_http_request_header_bytes(name));
        }
        black_box(self.get_property(vec!["source", "address"]));
        black_box(self.get_current_time());
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        black_box(self.get_http_response_header_bytes(":status"));
        black_box(self.get_http_response_header_bytes("grpc-status"));
        black_box(self.get_property(vec!["tollgate_rejection"]));
        black_box(self.get_current_time());
        self.set_http_response_header("x-ratelimit-limit", Some("300"));
        self.set_http_response_header("x-ratelimit-remaining", Some("299"));
        self.set_http_response_header("x-ratelimit-reset", Some("1763800000"));
        Action::Continue
    }
}

proxy_wasm::main! {{
    proxy_wasm::set_http_context(|_, _| Box::new(Floor));
}}
