//! Tollgate: an exact, bounded rate-limiting filter for Envoy.
//!
//! A configuration is compiled once, when Envoy loads it. Each request then passes these modules, from top to
//! bottom:
//!
//! ```text
//!                 configuration
//!                       │ config    reads it as a value
//!                       │ compile   reports every error, or returns
//!                       ▼
//!             PolicySet and ReplyRules                      once, at load
//! ──────────────────────│─────────────────────────────────────────────────
//!                       │                                   per request
//!   request ──▶ engine::Engine::decide
//!      │           │  http       reads the request, matches it against policies
//!      │           │  identity   turns a caller's keys into a keyed hash
//!      │           │  table      asks and counts all limits in one transaction
//!      │           │  limiter    one formula per algorithm
//!      │           ▼
//!      │        Decision ──▶ reply    the reply to a rejected request,
//!      │           │                  limit headers, an access log line
//!      ▼           ▼
//!   response ─▶ engine::Engine::on_response, on_body, on_stream_end   correct the counts
//! ```
//!
//! The modules are floors. Each imports only from floors below its own, and `tests/floors.rs` keeps it so:
//!
//! ```text
//! filter                              the only code that calls Envoy
//! compile                             from a configuration to rules and replies
//! language                            the policy language: each object declared once
//! engine    reply                     decide a request; put a decision into words
//! decision                            what was decided about one request
//! rules                               policies, keys, consumers: compiled; where the values of keys come from
//! table                               the counts
//! fleet                               units that the fleet's service grants, and the messages about them
//! limiter                             algorithms
//! config                              a configuration as written, its errors, and how its language is declared
//! identity_map                        what a worker remembers, by identity
//! time  http  identity  body          these know nothing of limits
//! wire                                protobuf's fields
//! varint                              integers of variable length
//! ```
//!
//! Everything but `filter` is pure: no host call, no clock, no global state. So the whole decision runs in
//! native tests.

pub mod body;
pub mod compile;
pub mod config;
pub mod decision;
pub mod engine;
pub mod fleet;
pub mod http;
pub mod identity;
mod identity_map;
pub mod language;
pub mod limiter;
pub mod reply;
pub mod rules;
pub mod table;
pub mod time;
mod varint;
mod wire;

#[cfg(any(test, all(target_arch = "wasm32", feature = "filter")))]
mod filter;

#[cfg(test)]
mod testing;
