//! The fleet service: it applies what the workers of many proxies say to one record per caller, and keeps the
//! records in an engine that only compares and swaps.

pub mod apply;
pub mod engine;
pub mod exchange;
pub mod membership;
pub mod metrics;
pub mod options;
pub mod record;
pub mod server;
pub mod show;
mod throttle;
pub mod tls;
pub mod token;
pub mod workers;
