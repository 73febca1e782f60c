//! The host calls of a request of Facturapi's, and nothing else: what its caller and its policies are read from,
//! the clock when it comes and when its stream ends, and a look at the headers of the response, of which those
//! that reveal a limit are removed. With higher quotas than the published ones, units come from what the worker
//! has, so nothing shared is touched.

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;
use std::hint::black_box;

struct Floor;

const CLAIM: [&str; 5] =
    ["metadata", "filter_metadata", "envoy.filters.http.jwt_authn", "payload", "organization"];

impl Context for Floor {}

impl HttpContext for Floor {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        for name in ["authorization", ":path", ":method"] {
            black_box(self.get_http_request_header_bytes(name));
        }
        black_box(self.get_property(CLAIM.to_vec()));
        black_box(self.get_current_time());
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        black_box(self.get_http_response_headers_bytes());
        Action::Continue
    }
}

/// The stream has ended.
impl Drop for Floor {
    fn drop(&mut self) {
        black_box(self.get_current_time());
    }
}

proxy_wasm::main! {{
    proxy_wasm::set_http_context(|_, _| Box::new(Floor));
}}
