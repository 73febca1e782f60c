//! The service on a real Redis. Without `redis-server` these tests fail.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod access;
mod cluster;
mod durability;
mod foreign;
mod hostile;
mod http2;
mod options;
mod outage;
mod protocol;
mod sentinel;
mod sharing;
mod shutdown;
mod support;
mod tls;
