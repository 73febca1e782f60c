//! Stalls: times in which no worker ran, since the process was stopped or the machine was suspended.
//!
//! Other workers' units in flight expire unless they are renewed, and in a stall nobody renews them. So for a
//! while after a stall, a worker uses the instant at which the stall began to decide what has expired. By the
//! end of that while, every other worker that is alive has renewed its units.

use crate::time::{Micros, SECOND};

/// Ticks come once a second. A longer pause is a stall.
const MAX_PAUSE: Micros = 5 * SECOND;

/// How long after a stall the other workers may take to renew their units.
const GRACE: Micros = 10 * SECOND;

/// The last stall that this worker has noticed.
#[derive(Default)]
pub(super) struct Stalls {
    /// `None` before the first tick.
    last_tick: Option<Micros>,
    length: Micros,
    /// When the grace period ends.
    forgotten: Micros,
}

impl Stalls {
    /// Notices a stall that has just ended. Called whenever the worker runs.
    #[inline]
    pub fn notice(&mut self, now: Micros) {
        let pause = self.last_tick.map_or(0, |last| now.saturating_sub(last));
        if pause > MAX_PAUSE {
            (self.length, self.forgotten) = (pause, now.saturating_add(GRACE));
        }
    }

    /// Notes a tick.
    pub fn tick(&mut self, now: Micros) {
        self.notice(now);
        self.last_tick = Some(now);
    }

    /// The length of the last stall, during its grace period; else 0.
    #[inline]
    pub fn length(&self, now: Micros) -> Micros {
        if now < self.forgotten { self.length } else { 0 }
    }
}
