//! What is asked of the table for one request, and what it answers.

use crate::key::Identity;
use crate::limiter::{Limit, Verdict};
use crate::time::Now;

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
    /// All, rejected ones too.
    All,
    /// None: the request is only judged.
    Never,
}

/// Who answers when a record can't be written, since its tries are spent or the host rejects.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum OnContention {
    /// The worker's own token bucket, within the stated bound; what it admits is posted later.
    #[default]
    Bucket,
    /// The request is rejected: never a unit too many.
    Deny,
    /// The request is admitted, and posted later: never a unit too few.
    Allow,
}

/// How several charges of one request depend on each other.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum ChargeMode {
    /// A rejection anywhere spends nothing anywhere.
    #[default]
    AllOrNothing,
    /// In order: a rejection has spent what came before it, and nothing after it.
    Sequential,
}

/// The answers of one charge's limits, in their order. A penalty has none: it makes the others reject.
pub type Verdicts = Vec<Verdict>;

/// Whether all of them admit.
pub fn admitted(verdicts: &[Verdict]) -> bool {
    verdicts.iter().all(|verdict| verdict.admitted)
}

/// What became of one charge.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// One for each of its limits, a penalty apart.
    pub verdicts: Verdicts,
    /// Whether it was counted, and may have to be given back.
    pub charged: bool,
    /// Whether it was judged, and counted, in the record that the newcomers of a full page share.
    pub overflowed: bool,
    /// Whether its record has used half of a quota and is not proven: a full page may drop it. See [`Correction::proves`].
    pub unproven: bool,
}

/// What a response, or the end of a stream, changes about a charge that was decided before. Nothing of it is judged.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Correction {
    /// Units to take back, and when they were counted.
    pub back: Option<(Now, u32)>,
    /// Units to count.
    pub more: Option<(Now, u32)>,
    /// Units of a stock that are no longer being created.
    pub settled: u32,
    /// How many units of a stock there really are, and when the request was admitted whose answer says so.
    pub stock: Option<(u64, Now)>,
    /// The upstream has answered this caller well: its record is proven.
    pub proves: bool,
    /// Whether the charge was counted in the overflow record ([`Outcome::overflowed`]).
    pub overflowed: bool,
}

impl Correction {
    /// Whether it changes nothing.
    pub fn is_none(&self) -> bool {
        let Correction { back, more, settled, stock, proves, overflowed: _ } = *self;
        back.is_none() && more.is_none() && settled == 0 && stock.is_none() && !proves
    }
}

impl Outcome {
    /// Whether all its limits admit.
    pub fn admitted(&self) -> bool {
        admitted(&self.verdicts)
    }

    pub(super) fn uncounted(verdicts: Verdicts) -> Outcome {
        Outcome { verdicts, ..Outcome::default() }
    }
}
