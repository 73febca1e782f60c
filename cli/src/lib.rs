//! The library behind the command `tollgate`, which checks, describes and explains policies before Envoy
//! loads them.
//!
//! It uses the filter's own compiler and engine, and reads YAML exactly as Envoy does. The feature `commands`,
//! which is on by default, is the command line itself: the playground does without.

mod applicability;
#[cfg(feature = "commands")]
pub mod cases;
#[cfg(feature = "commands")]
pub mod command;
pub mod describe;
#[cfg(feature = "commands")]
pub mod diff;
pub mod document;
pub mod explain;
mod inspect;
#[cfg(feature = "commands")]
pub mod language;
pub mod lint;
pub mod policy_file;
pub mod replay;
pub mod worker;
