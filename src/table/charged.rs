//! A request that was counted when it was admitted, and how that is corrected later.

use super::charge::{Correction, Holds};
use crate::time::Now;

/// A request that was counted when it was admitted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Charged {
    /// Units.
    pub cost: u32,
    /// When they were counted. `None`: they were not, since nobody could.
    pub at: Option<Now>,
    /// What the charge remembers for its refund.
    pub holds: Holds,
}

impl Charged {
    /// What has to change for it to have cost `units` in the end: more of them are counted `now`.
    pub fn settle(self, units: u32, now: Now) -> Correction {
        let counted = self.at.map_or(0, |_| self.cost);
        let more = units.checked_sub(counted).filter(|more| *more > 0).map(|more| (now, more));
        let back = counted.checked_sub(units).filter(|less| *less > 0);
        let back = self.at.zip(back);
        let kept = if back.is_some() { units } else { 0 };
        Correction { back, kept, more, holds: self.holds, ..Correction::default() }
    }

    /// Takes all of it back.
    pub fn give_back(self) -> Correction {
        Correction { back: self.at.map(|at| (at, self.cost)), holds: self.holds, ..Correction::default() }
    }

    /// Counts it at another instant, and as so many units.
    pub fn count_at(self, now: Now, units: u32) -> Correction {
        let more = (units > 0).then_some((now, units));
        Correction { more, ..self.give_back() }
    }
}
