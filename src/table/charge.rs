//! What is asked of the table for one request, and what it answers.

use crate::key::Identity;
use crate::limiter::{Limit, Verdict};

/// What one policy asks of one identity's record.
#[derive(Clone, Copy, Debug)]
pub struct Charge<'a> {
    /// Whose record.
    pub identity: Identity,
    /// The limits that must all admit it, and after them the policy's penalty, if it has one.
    pub limits: &'a [Limit],
    /// Units.
    pub cost: u32,
    /// Which requests count.
    pub count: Count,
    /// Who answers when the record can't be written.
    pub on_contention: OnContention,
}

/// Which requests count against a policy.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Count {
    /// Those that are admitted.
    #[default]
    Accepted,
    /// All, refused ones too.
    All,
    /// Those whose response says so: now they are only judged.
    Later,
}

/// Who answers when a record can't be written, since its tries are spent or the host refuses.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum OnContention {
    /// The worker's own token bucket, within the stated bound; what it admits is posted later.
    #[default]
    Bucket,
    /// The request is refused: never a unit too many.
    Deny,
    /// The request is admitted, and posted later: never a unit too few.
    Allow,
}

/// How several charges of one request depend on each other.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Charging {
    /// A refusal anywhere spends nothing anywhere.
    #[default]
    AllOrNothing,
    /// In order: a refusal has spent what came before it, and nothing after it.
    Sequential,
}

/// The answers of one charge's limits, in their order. A penalty has none: it makes the others refuse.
pub type Verdicts = Vec<Verdict>;

/// Whether all of them admit.
pub fn admitted(verdicts: &[Verdict]) -> bool {
    verdicts.iter().all(|verdict| verdict.admitted)
}

/// What became of one charge.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// One for each of its limits, a penalty apart.
    pub verdicts: Verdicts,
    /// Whether it was counted, and may have to be given back.
    pub charged: bool,
}

impl Outcome {
    /// Whether all its limits admit.
    pub fn admitted(&self) -> bool {
        admitted(&self.verdicts)
    }

    pub(super) fn uncounted(verdicts: Verdicts) -> Outcome {
        Outcome { verdicts, charged: false }
    }
}
