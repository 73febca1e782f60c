//! Whether a policy's rejections are enforced.

use crate::time::Micros;

/// When a policy is enforced. In shadow mode it judges and counts requests, but rejects none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Mode {
    /// Always.
    #[default]
    Enforce,
    /// Never.
    Shadow,
    /// From this instant of the wall clock on (FP-3); in shadow mode before it.
    EnforceFrom(Micros),
}

impl Mode {
    /// Whether the policy is in shadow mode at this instant of the wall clock.
    pub fn is_shadow(self, wall: Micros) -> bool {
        match self {
            Mode::Enforce => false,
            Mode::Shadow => true,
            Mode::EnforceFrom(instant) => wall < instant,
        }
    }
}
