//! The host calls of a request that two layers refuse, and nothing else: the key's header, the client's address, the
//! clock, and a reply as Tollgate's. No limiter that looks at the caller can refuse for less this way.

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
        let headers = vec![
            ("content-type", "application/json"),
            ("cache-control", "no-store"),
            ("retry-after", "60"),
            ("x-ratelimit-limit", "50"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "1763800000"),
        ];
        let body = br#"{"statusCode":429,"message":"ThrottlerException: Too Many Requests","error":"Too Many Requests"}"#;
        self.send_http_response(429, headers, Some(body));
        Action::Pause
    }
}

proxy_wasm::main! {{
    proxy_wasm::set_http_context(|_, _| Box::new(Floor));
}}
