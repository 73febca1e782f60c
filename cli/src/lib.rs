//! The library behind the command `tollgate`, which checks, describes and explains policies before Envoy
//! loads them.
//!
//! It uses the filter's own compiler and engine, and reads YAML exactly as Envoy does.

mod applicability;
pub mod cases;
pub mod command;
pub mod describe;
pub mod diff;
pub mod document;
pub mod explain;
mod inspect;
pub mod language;
pub mod lint;
pub mod policy_file;
pub mod replay;
