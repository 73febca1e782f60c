//! The fleet: limits that several proxies share.
//!
//! ```text
//! worker of a proxy                       the service                     the engine
//!   Units ──── Exchange: reports, asks ──▶ applies it to a record ──────▶ compare-and-swap
//!     ▲                                       of one caller                of one value
//!     └─────── Answer: verdicts, grants ──────┘
//! ```
//!
//! A grant is units that a worker may admit requests with until the grant's **end**. They are counted at that
//! end when they are granted, so no unit leaves its window earlier than it would with its true time, whatever
//! gets lost. The worker reports the true times later, and unused units go back.
//!
//! Messages carry lengths of time, which each side adds to its own clock. The only instants in them are the
//! engine's: a worker does not read them, and sends them back to name units.

mod answer;
mod limit;
pub mod member;
pub mod message;
pub mod units;
mod wire;

pub use wire::Malformed;

use crate::limiter::Limit;
use crate::time::{MILLISECOND, Micros, SECOND};

/// The most limits of a policy, its penalty included. The service rejects messages with more.
pub const MAX_LIMITS: usize = 16;

/// Two clocks run at rates that differ by at most 1 / `DRIFT`.
pub const DRIFT: u64 = 500;

/// How long after its end a grant without a report is kept. Then all of it is taken for used.
pub const REPORT_TIME: Micros = 10 * SECOND;

/// An instant so long ago. Clocks may run at slightly different rates: rather too late than too early.
pub fn past(age: Micros, now: Micros) -> Micros {
    now.saturating_sub(age - age / DRIFT)
}

/// How a policy's charges are counted by the fleet.
#[derive(Clone, Copy, Debug)]
pub struct Share<'a> {
    /// The policy's name.
    pub policy: &'a str,
    /// What decides while the service does not answer.
    pub on_outage: OnOutage,
    /// Whether units may go back once they are spent.
    pub gives_back: bool,
    /// Nobody waits for the decision. It is made with what is known, and the service is asked for later ones.
    pub in_background: bool,
}

/// What decides while the service does not answer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum OnOutage {
    /// This worker alone, with its share of the quota. What it admits is counted afterwards.
    #[default]
    Local,
    /// Requests are answered with 503.
    Deny,
    /// Requests are admitted, and counted afterwards.
    Allow,
}

/// How long a grant of these limits may be used: a fraction of the shortest window.
pub fn term(limits: &[Limit]) -> Micros {
    let windows = limits.iter().filter(|limit| !limit.is_penalty()).map(|limit| limit.window);
    (windows.min().unwrap_or(SECOND) / 32).clamp(50 * MILLISECOND, 2 * SECOND)
}

#[cfg(test)]
mod tests;
