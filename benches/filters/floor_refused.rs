//! The host calls of a request that two layers reject, and nothing else: the key's header, the client's
//! address, the clock, what is stored of either, and a reply as Tollgate's. No limiter that looks at its
//! counts can reject for less this way.

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;
use std::hint::black_box;

struct Floor;

/// As much as Tollgate stores of a caller who shares its page with nobody.
const STORED: [u8; 95] = [0; 95];

impl Context for Floor {}

impl HttpContext for Floor {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        black_box(self.get_http_request_header_bytes("authorization"));
        black_box(self.get_property(vec!["source", "address"]));
        black_box(self.get_current_time());
        for key in ["floor:ip", "floor:key"] {
            if let (None, _) = black_box(self.get_shared_data(key)) {
                // The first request of all: those after it find something.
                let _ = self.set_shared_data(key, Some(&STORED), None);
            }
        }
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
