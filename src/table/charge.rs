//! What is charged to the table for a request, and the outcome.

use crate::fleet::Share;
use crate::identity::Identity;
use crate::limiter::{Limit, LimitId, Verdict};
use crate::time::{Micros, Now};

/// One policy's charge to one identity's record.
#[derive(Clone, Copy, Debug)]
pub struct Charge<'a> {
    /// Selects the record.
    pub identity: Identity,
    /// The policy's limits, which must all admit the charge, and after them its penalty, if it has one.
    pub limits: &'a [Limit],
    /// Units. With 0 the request only looks at what is left: its verdicts never reject it.
    pub cost: u32,
    /// Which requests are counted.
    pub count: Count,
    /// Who decides if the record can't be written.
    pub on_contention: OnContention,
    /// Whether the request only holds its units, which come back with most responses.
    pub held: bool,
    /// Set if the fleet counts it, rather than the table.
    pub fleet: Option<Share<'a>>,
}

impl Charge<'_> {
    /// The limits that have verdicts: all but a penalty.
    pub(super) fn judging(&self) -> impl Iterator<Item = &Limit> {
        self.limits.iter().filter(|limit| !limit.is_penalty())
    }

    /// Whether the request costs nothing here. It only looks: no limit is asked, and nothing is counted.
    pub(super) fn is_peek(&self) -> bool {
        self.cost == 0
    }

    /// How long a unit is in flight before a limit of the charge counts it. 0: it counts at once.
    pub(super) fn counted_after(&self, limit: LimitId) -> Micros {
        let own = self.limits.iter().find(|own| own.id == limit);
        own.map_or(0, |own| own.algorithm.counted_after())
    }

    /// Whether a limit counts the request as soon as it is admitted.
    pub(super) fn counts_on_arrival(&self) -> bool {
        self.limits.iter().any(Limit::counts_on_arrival)
    }

    /// Whether a limit counts units in flight.
    pub(super) fn counts_any_in_flight(&self) -> bool {
        self.limits.iter().any(Limit::counts_in_flight)
    }

    /// Whether the charge is counted if the request is admitted.
    pub(super) fn counts_if_admitted(&self) -> bool {
        match self.count {
            Count::Accepted | Count::All => true,
            Count::Rejected | Count::Never => false,
        }
    }
}

/// Which requests a policy counts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Count {
    /// Admitted requests.
    #[default]
    Accepted,
    /// All requests, including rejected ones.
    All,
    /// Requests that this charge would admit and another charge of the request rejects.
    Rejected,
    /// None: requests are only judged.
    Never,
}

/// Who decides if a record can't be written, because of conflicts or an error of the host.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum OnContention {
    /// The worker's own token bucket, within the documented bound. What it admits is posted later.
    #[default]
    Bucket,
    /// The request is rejected. The quota is never exceeded.
    Deny,
    /// The request is admitted, and posted later.
    Allow,
}

/// How the charges of one request depend on each other.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum ChargeMode {
    /// If one is rejected, none is counted.
    #[default]
    AllOrNothing,
    /// In order: if one is rejected, those before it have been counted, and those after it are not.
    Sequential,
}

/// One verdict for each limit of a charge, in order. Penalties have none; they make the limits' verdicts
/// rejections.
pub type Verdicts = Vec<Verdict>;

/// Whether all verdicts admit.
pub fn admitted(verdicts: &[Verdict]) -> bool {
    verdicts.iter().all(|verdict| verdict.admitted)
}

/// What a charge remembers for its refund, by [`crate::limiter::Counter::hold`], for the first four limits of the
/// charge. If the policy's counts may begin at zero, the last of these is the mark of its penalty instead. A charge
/// of the fleet has the number of its grant first. Refunds of further ones, and of charges that could not be
/// written, may give back less.
///
/// The fifth is the last fresh start that the charge has found; 0: none.
pub type Holds = [u64; 5];

/// The outcome of one charge.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// One for each limit of the charge, without the penalty.
    pub verdicts: Verdicts,
    /// Whether the charge was counted, and may have to be given back.
    pub charged: bool,
    /// Whether it was judged and counted in the overflow record, which newcomers of a full page share.
    pub overflowed: bool,
    /// What the charge remembers for its refund. See [`Holds`].
    pub holds: Holds,
    /// Whether its record has used half of a quota and is not proven, so that a full page may drop it. See
    /// [`Correction::proves`].
    pub unproven: bool,
    /// Whether the fleet has judged and counted it.
    pub in_fleet: bool,
    /// Whether it is rejected because the fleet's service does not answer.
    pub unavailable: bool,
}

impl Outcome {
    /// Whether all limits admit the charge.
    pub fn admitted(&self) -> bool {
        admitted(&self.verdicts)
    }

    pub(super) fn uncounted(verdicts: Verdicts) -> Outcome {
        Outcome { verdicts, ..Outcome::default() }
    }
}

/// What a response or the end of a stream changes about an earlier charge.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Correction {
    /// Units to give back, and when they were counted.
    pub back: Option<(Now, u32)>,
    /// Units that were counted together with those of `back`, and stay counted.
    pub kept: u32,
    /// What the charge remembers for its refund.
    pub holds: Holds,
    /// Units to count, and when.
    pub more: Option<(Now, u32)>,
    /// Units that another request returns, and when. Those that were counted last are given back.
    pub returned: Option<(Now, u32)>,
    /// Units of a reported stock that are no longer in flight.
    pub settled: u32,
    /// The reported number of units of a stock, and when the request of the reporting response was admitted.
    pub stock: Option<(u64, Now)>,
    /// Whether the counts of the charge's limits begin at zero, but for those that count what exists.
    pub restart: bool,
    /// Whether the record is proven now: the upstream has accepted this caller.
    pub proves: bool,
    /// Whether the charge was counted in the overflow record ([`Outcome::overflowed`]).
    pub overflowed: bool,
}

impl Correction {
    /// Whether it changes nothing.
    pub fn is_none(&self) -> bool {
        let Correction {
            back,
            kept: _,
            holds: _,
            more,
            returned,
            settled,
            stock,
            restart,
            proves,
            overflowed: _,
        } = *self;
        let moves = back.is_some() || more.is_some() || returned.is_some() || settled > 0;
        !moves && stock.is_none() && !restart && !proves
    }
}
