//! What a policy is and does, before an Envoy gets to see it: the library behind the `tollgate` command.
//!
//! It uses the filter's own compiler and engine, and reads YAML as Envoy does.

mod applicability;
pub mod command;
pub mod describe;
pub mod document;
pub mod explain;
mod inspect;
pub mod language;
pub mod lint;
pub mod policy_file;
