//! The calls of `floor`, with no other callback exported than those that make them, and no SDK: the lowest
//! price at which these calls can be made. Not even a stream's end is heard of, which a limiter must hear of.

mod abi;

use abi::{CONTINUE, header, now, property, set_header};
use std::hint::black_box;

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(_: u32, _: usize, _: u32) -> u32 {
    black_box(header(b"authorization"));
    black_box(property(b"source\0address"));
    black_box(now());
    CONTINUE
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_headers(_: u32, _: usize, _: u32) -> u32 {
    set_header("x-ratelimit-limit", "300");
    set_header("x-ratelimit-remaining", "299");
    set_header("x-ratelimit-reset", "1763800000");
    CONTINUE
}
