//! Whether a policy's rejections are enforced, or only noted.

use crate::time::Micros;

/// When a policy is enforced. In shadow it judges and counts as if it were, and rejects nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Mode {
    /// Always.
    #[default]
    Enforce,
    /// Never: it is being tried out.
    Shadow,
    /// From this instant of the wall clock on (FP-3).
    EnforceFrom(Micros),
}

impl Mode {
    /// Whether a rejection at an instant of the wall clock is only noted.
    pub fn is_shadow(self, wall: Micros) -> bool {
        match self {
            Mode::Enforce => false,
            Mode::Shadow => true,
            Mode::EnforceFrom(instant) => wall < instant,
        }
    }
}
