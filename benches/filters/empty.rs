//! Does nothing: the price of being a proxy-wasm filter written with the SDK.

use proxy_wasm::traits::{Context, HttpContext};

struct Empty;

impl Context for Empty {}

impl HttpContext for Empty {}

proxy_wasm::main! {{
    proxy_wasm::set_http_context(|_, _| Box::new(Empty));
}}
