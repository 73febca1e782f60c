//! The files of `deploy/` as their users meet them: each of the five systems' policies in an Envoy in a real
//! container, started by `deploy/docker-compose.yaml`, a fleet of two with the service and Redis, and the
//! module's image.
//!
//! `make container-test` finds or installs what runs containers and then runs these tests. What each policy
//! promises is tested in full by `tests/envoy`; here it is that the same holds in a container: exact counts
//! across Envoy's workers, and what a rejected client reads.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a step of the test that goes wrong is its failure, and says so where it happens"
)]

/// The HTTP client of the end-to-end tests, and what belongs to it.
#[path = "../envoy/harness"]
#[allow(dead_code, reason = "the end-to-end tests use more of it")]
mod harness {
    pub mod admin;
    pub mod caller;
    pub mod clock;
    pub mod connection;
    pub mod crowd;
    pub mod in_flight;
    pub mod metadata;
    pub mod request;
    pub mod response;
    pub mod upstream;
    pub mod wait;
}

mod container;
mod engine;
mod fleet;
mod image;
mod project;
mod systems;
