//! Whether a policy's rejections are enforced.

use crate::identity::Identity;
use crate::time::Micros;

/// The share of callers that a policy is enforced for, in percent: 1 to 100. For the others it is in shadow mode.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EnforcedShare(pub u8);

impl EnforcedShare {
    /// All callers.
    pub const ALL: EnforcedShare = EnforcedShare(100);

    /// Whether it is all callers.
    pub fn is_all(self) -> bool {
        self.0 >= EnforcedShare::ALL.0
    }

    /// Whether a caller belongs to it. Whoever belongs to a share belongs to every larger one.
    pub fn has(self, identity: Identity) -> bool {
        identity.percentile() < u64::from(self.0)
    }
}

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
