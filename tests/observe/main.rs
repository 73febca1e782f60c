//! What operators look at, in front of the real thing: a real Prometheus scrapes two real Envoys with the built
//! module, and the fleet's service, under traffic. Each query of the board, of the rules and of the pages is read
//! out of its file and asked.
//!
//! Run it with `make observe`, which provides Prometheus, Envoy, Redis, the service and the module.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a step that goes wrong is the failure of the test that took it, and says so where it happens"
)]

/// What the tests of a single Envoy stand on, too.
#[path = "../envoy"]
#[allow(dead_code, unused_imports, reason = "the tests of a single Envoy use the rest")]
mod single {
    pub mod harness;
}

/// What the tests of a fleet stand on, too.
#[path = "../fleet"]
#[allow(dead_code, unused_imports, reason = "the tests of a fleet use the rest")]
mod several {
    pub mod stage;
}

mod board;
mod commands;
mod files;
mod labels;
mod prometheus;
mod promtool;
mod queries;
mod scene;

use single::harness;
