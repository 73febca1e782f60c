//! What the pages show is true: policies are sound, printed output is what the program prints, links lead
//! somewhere, and figures that the pages state are those that other tests assert.
//!
//! How a page is checked:
//! - A `yaml` block with `policies` must pass `tollgate check --deny-warnings`. One with a file's name behind
//!   `yaml` is that file for the commands of its page instead.
//! - A `console` block with a `tollgate` command must show what that command prints. `UPDATE_DOCS=1` writes
//!   it anew.
//! - Any other `console` block was printed in front of a real Envoy. The comment before it, `<!-- checked
//!   with: … -->`, is a `tollgate explain` whose reply must agree with it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod figures;
mod output;
mod pages;
mod policies;
mod structure;
