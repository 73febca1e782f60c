//! SafePays' document, clause by clause, on the policy file that ships.
//!
//! Its windows are the clock's, so what is to be in one of them is done again if it was over before the end.

mod counting;
mod rejection;
mod scope;
mod windows;

use std::net::SocketAddr;

use crate::harness::{Gateway, Period, Request, Setup, end_of, new_key};

/// A key with higher limits.
const BUSY: &str = "sp_busy";

fn file() -> Setup {
    Setup::file("safepays.yaml")
}

/// With five a minute, and the hour as it is.
fn five_a_minute() -> Setup {
    file().replacing("quota: 1000,", "quota: 5,")
}

/// With limit headers that tell of the hour; the file has none.
fn telling_the_hour() -> Setup {
    file().replacing("reject:", "headers: { preset: x-ratelimit, describes: api/hour }\nreject:")
}

fn ask(gateway: &Gateway, key: &str) -> Request {
    gateway.get("/api/v2/invoice/7").key(key)
}

/// What `act` answers if all of it is done within one minute.
fn within_a_minute<T>(act: impl FnMut() -> T) -> T {
    end_of(Period::Minute, act).0
}
