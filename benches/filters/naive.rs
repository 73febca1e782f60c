//! A limiter as one would write it first: two layers, each a counter of its own in shared data, read and
//! written by compare-and-swap with each request. Keys are never forgotten, nor hidden; a count is a fixed
//! window's.

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::{Action, Status};
use std::time::UNIX_EPOCH;

const WINDOW: u64 = 60;
const TRIES: usize = 20;

/// Far more than a benchmark asks for: nothing is rejected.
const QUOTA: u64 = 1_000_000_000;

#[derive(Default)]
struct Naive {
    now: u64,
    remaining: u64,
}

impl Naive {
    /// Counts a request, and answers how many the window has had.
    fn count(&self, key: &str) -> u64 {
        let window = self.now / WINDOW;
        for _ in 0..TRIES {
            let (data, cas) = self.get_shared_data(key);
            let count = match data.as_deref().and_then(|bytes| bytes.split_first_chunk::<8>()) {
                Some((of, count)) if u64::from_le_bytes(*of) == window => {
                    count.try_into().map_or(0, u64::from_le_bytes) + 1
                }
                _ => 1,
            };
            let value = [window.to_le_bytes(), count.to_le_bytes()].concat();
            match self.set_shared_data(key, Some(&value), cas) {
                Err(Status::CasMismatch) => {}
                Ok(()) | Err(_) => return count,
            }
        }
        0 // and so it fails open, as they do
    }
}

impl Context for Naive {}

impl HttpContext for Naive {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        self.now = self.get_current_time().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let address = self.get_property(vec!["source", "address"]).unwrap_or_default();
        let address = String::from_utf8_lossy(&address);
        let ip = address.rsplit_once(':').map_or("", |(ip, _)| ip);
        let key = self.get_http_request_header_bytes("authorization").unwrap_or_default();
        let key = String::from_utf8_lossy(&key);
        let key = key.get(..23).unwrap_or(&key); // "Bearer " and 16 characters
        let count = self.count(&format!("naive:ip:{ip}")).max(self.count(&format!("naive:key:{key}")));
        if count > QUOTA {
            self.send_http_response(429, vec![("retry-after", "60")], None);
            return Action::Pause;
        }
        self.remaining = QUOTA - count;
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        let reset = (self.now / WINDOW + 1) * WINDOW;
        self.set_http_response_header("x-ratelimit-limit", Some(&QUOTA.to_string()));
        self.set_http_response_header("x-ratelimit-remaining", Some(&self.remaining.to_string()));
        self.set_http_response_header("x-ratelimit-reset", Some(&reset.to_string()));
        Action::Continue
    }
}

proxy_wasm::main! {{
    proxy_wasm::set_http_context(|_, _| Box::<Naive>::default());
}}
