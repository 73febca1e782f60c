//! A fleet as its users meet it: real Envoys with the built module, the service and a real Redis, asked by real
//! clients, with faults between any two of them.
//!
//! `stage` starts a fleet. Every other module is one promise or one family of them. Run it with `make e2e`, which
//! provides Envoy, Redis, the service and the module.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a step of the stage that goes wrong is the failure of the test that took it, and says so where it happens"
)]

/// What the tests of a single Envoy stand on, too.
#[path = "../envoy"]
#[allow(dead_code, unused_imports, reason = "the tests of a single Envoy use the rest")]
mod single {
    pub mod harness;
}

mod algorithms;
mod durability;
mod exactness;
mod faults;
mod forgive;
mod load;
mod mixes;
mod outage;
mod pauses;
mod secrecy;
#[path = "../support/soon.rs"]
mod soon;
mod stage;
mod strangers;
mod trap;

use single::harness;
