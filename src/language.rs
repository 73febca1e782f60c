//! The policy language: each object once, in a file of its own, with its fields, their types, ranges, words,
//! defaults and documentation.
//!
//! The compiler reads a configuration by these declarations; the JSON Schema, the reference page and the
//! descriptions in words are made from them. To add a field, add a constant to the file of its object, name it
//! in the object, and read it in [`compile`](crate::compile).
//!
//! What a registry has, such as the sources of keys, declares its own fields; the object names the registry.

pub mod access_log;
pub mod configuration;
pub mod consumer;
pub mod cost_body;
pub mod cost_from;
pub mod cost_header;
pub mod cost_term;
pub mod cost_weights;
pub mod exception;
pub mod fleet;
pub mod forgive;
pub mod headers;
pub mod key;
pub mod limit;
pub mod metrics;
pub mod names;
pub mod paths;
pub mod policy;
pub mod quota_from;
pub mod rejection;
pub mod request_match;
pub mod retry_after;
pub mod returning;
pub mod span;
pub mod stock_header;
pub mod table;
pub mod tiers;

pub use crate::config::{forms, is_name, is_token};

/// The version of the policy language. It grows by one with the first release whose language is not that of the
/// release before, whatever the change is: a new field, another default, a stricter rule. So builds with the same
/// number read a policy file alike, and what `tollgate check` says of it holds for the module.
pub const VERSION: u32 = 1;

/// What a build is called: `0.1.0 (1a2b3c4) language 1`.
pub fn build_name(version: &str, commit: &str) -> String {
    format!("{version} ({commit}) language {VERSION}")
}
