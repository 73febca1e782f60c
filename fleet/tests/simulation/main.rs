//! Many proxies, stateless services and one engine, in simulated time, with everything going wrong that can.
//!
//! ```text
//! adversary ─▶ proxy (Units) ─▶ network ─▶ service (apply) ─▶ engine (text, compare-and-swap)
//!                 │                 loses, repeats, delays           steps, fails over, is emptied
//!                 └─ what was admitted ─▶ truth: judges it by the engine's clock
//! ```
//! The proxies and what is applied to records are the production code; messages and records are encoded and
//! read again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod adversary;
mod bound;
mod clocks;
mod cost;
mod engine;
mod exactness;
mod forgiven;
mod network;
mod policy;
mod proxy;
mod random;
mod scenario;
mod service;
mod truth;
mod world;
