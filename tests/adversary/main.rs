//! The adversary: hostile histories against the engine in simulated time, and an oracle of what reached the
//! upstream.
//!
//! `script` (a policy) + `cast` (who asks) + `history` (acts from a seed) → `world` (workers, streams,
//! upstream) → `oracle`, which asks `bucket` and `wear` what may pass. [`hunts`] plays many histories of a
//! kind; [`attacks`] has the attacks that once worked, each by its name; [`shut_out`] what it costs to keep
//! newcomers out of a full table.
//!
//! A failure tells its seed. `ADVERSARY_SEED=0x… cargo test --test adversary NAME` plays that one again,
//! `ADVERSARY_TIMES=20` plays twenty times as many.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test"
)]

mod attacks;
mod bucket;
mod call;
mod cast;
mod chronicle;
mod fate;
mod history;
mod hunts;
mod oracle;
mod promise;
#[path = "../../src/table/simulation/random.rs"]
mod random;
mod random_policy;
mod script;
mod shut_out;
mod upstream;
mod wear;
mod world;
