//! Tollgate: an exact, bounded rate-limiting filter for Envoy.
//!
//! The way of a request, each step a module:
//!
//! ```text
//! configuration ──config──▶ value ──policy::compile──▶ PolicySet          once, at load
//!
//! request ──▶ engine::decide                                             per request
//!               │ policy    which policies apply
//!               │ identity  who is asking  ──key──▶ Identity (a keyed hash)
//!               │ table     one transaction over all limits
//!               │             page, store   where counts live
//!               │             limiter       one formula per algorithm
//!               │             fallback      while a record can't be written
//!               ▼
//!             Decision ──response──▶ pass on │ reply, and limit headers on the way back
//! ```
//!
//! All of that is pure: no host call, no clock, no global. `filter` is the thin glue to Envoy, and
//! `filter::proxy_wasm` the only part that calls it.
//!
//! Modules behind the feature `cli` are for the command line tool: files as they lie on disk (`policy_file`, `document`),
//! what the filter would do with a request (`explain`), and the language as data (`language`).

pub mod compile;
pub mod config;
pub mod decision;
pub mod engine;
pub mod http;
pub mod identity;
mod identity_map;
pub mod limiter;
pub mod reply;
pub mod rules;
pub mod table;
pub mod time;
mod varint;

// What a module is made of, and its tests. A native build has no host for it.
#[cfg(any(target_arch = "wasm32", test))]
mod filter;
