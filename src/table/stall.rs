//! Times in which this worker did not run, although it should have: the process was stopped, or the machine slept.
//!
//! What others have in flight is believed only for a while after they last said so. In a stall nobody says anything, and
//! the first worker to run again must not take that for their end: for a while it believes what it would have believed
//! when the stall began. By then every worker that lives has said anew what it has.

use crate::time::{Micros, SECOND};

/// Ticks come once a second. Without one for longer than this, nobody ran.
const LONGEST_PAUSE: Micros = 5 * SECOND;

/// So long after a stall the others have not yet had their say.
const GRACE: Micros = 10 * SECOND;

/// What one worker knows of stalls.
#[derive(Default)]
pub(super) struct Stalls {
    /// When the last tick was. `None`: there has been none yet.
    last_tick: Option<Micros>,
    length: Micros,
    /// When the last stall no longer matters.
    forgotten: Micros,
}

impl Stalls {
    /// The worker runs.
    #[inline]
    pub fn notice(&mut self, now: Micros) {
        let pause = self.last_tick.map_or(0, |last| now.saturating_sub(last));
        if pause > LONGEST_PAUSE {
            (self.length, self.forgotten) = (pause, now.saturating_add(GRACE));
        }
    }

    /// The worker ticks.
    pub fn tick(&mut self, now: Micros) {
        self.notice(now);
        self.last_tick = Some(now);
    }

    /// How long the last stall was, while it matters.
    #[inline]
    pub fn length(&self, now: Micros) -> Micros {
        if now < self.forgotten { self.length } else { 0 }
    }
}
