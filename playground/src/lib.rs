//! The playground's half in Rust: a policy, its traffic and its answers, on the filter's own core.
//!
//! The page asks through `page`, which is nothing but a translation to JavaScript. All that it answers is
//! computed here, without a clock and without chance, so that a browser and a native test agree to the byte.

pub mod callers;
pub mod input;
pub mod log;
#[cfg(target_arch = "wasm32")]
mod page;
pub mod policy;
pub mod reply;
pub mod simulation;
pub mod timeline;
pub mod traffic;
