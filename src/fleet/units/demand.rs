//! How many units a caller is expected to ask for.

use crate::time::{Micros, Now};

/// How many units were spent in this span of time and in the one before.
#[derive(Default)]
pub(super) struct Demand {
    since: Micros,
    current: u32,
    previous: u32,
}

impl Demand {
    /// Notes that units were spent. `span` is how long a grant may be used.
    pub fn note(&mut self, units: u32, span: Micros, now: Now) {
        let age = now.mono.saturating_sub(self.since);
        if age >= span {
            self.previous = if age < span.saturating_mul(2) { self.current } else { 0 };
            (self.since, self.current) = (now.mono, 0);
        }
        self.current = self.current.saturating_add(units);
    }

    /// The units that the next span is expected to need.
    pub fn expected(&self) -> u32 {
        // A single unit is no sign of another one, and to return it would cost an exchange.
        let most = self.current.max(self.previous);
        if most < 3 { 0 } else { most.saturating_add(most / 4) }
    }
}
