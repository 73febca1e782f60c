//! Charges that the fleet counts: served with the units that this worker has in hand. While the service does
//! not answer, each policy says what decides instead.

use super::charge::{Charge, ChargeMode, Correction, Count, Outcome, Verdicts};
use super::forgive::ForgivenCallers;
use super::request::unknown;
use super::store::Store;
use super::transaction::Transaction;
use crate::fleet::member::{Member, NEWCOMERS};
use crate::fleet::units::{Change, Claim, InHand};
use crate::fleet::{OnOutage, Share};
use crate::identity::Identity;
use crate::limiter::{Counter, Limit};
use crate::time::{Now, SECOND};

/// `known` are the callers whose counts are forgiven.
pub(super) fn claim<'c>(charge: &Charge<'c>, share: Share<'c>, known: &'c ForgivenCallers) -> Claim<'c> {
    Claim {
        // The service does not ask who vouches for a caller.
        caller: charge.identity.known(false),
        policy: share.policy,
        limits: charge.limits,
        // Whoever only looks asks what a unit would be answered.
        cost: charge.cost.max(1),
        spends: charge.counts_if_admitted() && !charge.is_peek(),
        count_rejected: charge.count == Count::All,
        gives_back: share.gives_back,
        forgiven: known.of(charge.identity).map_or(&[], |entries| entries),
    }
}

/// What becomes of a fleet's charge that this worker can't decide with what it has in hand.
enum Undecided {
    /// The proxy's own table decides and counts it.
    InTable,
    /// It is admitted, and counted if it spends.
    Admitted,
    /// It is rejected: nobody knows how much is left.
    Unavailable,
}

impl<S: Store> Transaction<'_, S> {
    /// The caller whose units a request has to wait for, if it has to: a charge of the fleet can't be decided
    /// with what this worker has in hand, and the service answers. Nothing is counted.
    #[inline]
    pub fn must_wait(&mut self, charges: &[Charge<'_>], mode: ChargeMode) -> Option<Identity> {
        if self.may_wait { self.must_wait_for(charges, mode) } else { None }
    }

    #[inline(never)]
    fn must_wait_for(&mut self, charges: &[Charge<'_>], mode: ChargeMode) -> Option<Identity> {
        if !charges.iter().any(|charge| charge.fleet.is_some()) {
            return None;
        }
        let now = self.now;
        let member = self.member.as_deref().filter(|member| member.is_up())?;
        if member.seed().is_none() {
            return Some(NEWCOMERS);
        }
        let is_open = |charge: &Charge<'_>| {
            let open = |share| !member.units.can_decide(&claim(charge, share, &self.table.forgiven), now);
            charge.fleet.is_some_and(open) && !is_rejected_without_asking(charge)
        };
        let first = charges.iter().position(is_open)?;
        let open: Vec<Charge<'_>> = charges.iter().copied().filter(is_open).collect();
        // Nothing is asked for a request that is rejected anyway.
        let judged = match mode {
            ChargeMode::AllOrNothing => charges,
            ChargeMode::Sequential => charges.get(..first)?,
        };
        let rejects = |charge: &Charge<'_>| {
            let decided = !charge.is_peek() && !open.iter().any(|other| same(other, charge));
            decided && !self.look(charge).admitted()
        };
        if judged.iter().any(rejects) {
            return None;
        }
        let member = self.member.as_deref_mut()?;
        let mut waits = None;
        for charge in &open {
            let Some(share) = charge.fleet else { continue };
            let claim = claim(charge, share, &self.table.forgiven);
            if member.units.wait(&claim, now) && waits.is_none() {
                waits = Some(claim.caller);
            }
        }
        waits
    }

    /// Charges the fleet. `None`: the table counts it.
    pub(super) fn charge_fleet(&mut self, charge: &Charge<'_>) -> Option<Outcome> {
        let (share, now) = (charge.fleet?, self.now);
        let member = self.member.as_deref_mut()?;
        if member.seed().is_some() {
            let claim = claim(charge, share, &self.table.forgiven);
            let known = match share.in_background {
                true => member.units.spend_in_background(&claim, now),
                false => member.units.spend(&claim, now),
            };
            match known {
                InHand::Admitted { verdicts, grant } => {
                    let charged = charge.counts_if_admitted();
                    return Some(Outcome { charged, holds: [grant, 0, 0, 0, 0], ..in_fleet(verdicts) });
                }
                InHand::Rejected(verdicts) => {
                    let charged = charge.count == Count::All;
                    return Some(Outcome { charged, ..in_fleet(verdicts) });
                }
                InHand::Ask => {}
            }
        }
        if is_never_admitted(charge) {
            let charged = charge.count == Count::All && self.count_in_fleet(charge);
            return Some(Outcome { charged, ..in_fleet(never(charge, now)) });
        }
        let member = self.member.as_deref_mut()?;
        member.count(|stats| stats.alone += u64::from(!share.in_background));
        self.decide_without_fleet(charge, share)
    }

    fn decide_without_fleet(&mut self, charge: &Charge<'_>, share: Share<'_>) -> Option<Outcome> {
        let now = self.now;
        let unknown = || unknown(charge, now);
        let member = self.member.as_deref_mut()?;
        let known = match undecided(member, share) {
            Undecided::InTable => return None,
            Undecided::Unavailable => return Some(unavailable(unknown())),
            Undecided::Admitted if member.seed().is_none() => return Some(in_fleet(unknown())),
            Undecided::Admitted => {
                let workers = member.workers();
                member.units.decide_alone(
                    &claim(charge, share, &self.table.forgiven),
                    share.on_outage,
                    workers,
                    now,
                )
            }
        };
        match known {
            Some(verdicts) => {
                let verdicts = if verdicts.is_empty() { unknown() } else { verdicts };
                let admits = verdicts.iter().all(|verdict| verdict.admitted);
                let charged = charge.counts_if_admitted() && (admits || charge.count == Count::All);
                Some(Outcome { charged, ..in_fleet(verdicts) })
            }
            None => {
                member.count(|stats| stats.full += 1);
                match share.on_outage {
                    OnOutage::Local => None,
                    OnOutage::Deny => Some(unavailable(unknown())),
                    OnOutage::Allow => Some(in_fleet(unknown())),
                }
            }
        }
    }

    /// The outcome of a fleet's charge if it is not counted. `None`: the table judges it.
    pub(super) fn look_in_fleet(&mut self, charge: &Charge<'_>) -> Option<Outcome> {
        let (share, now) = (charge.fleet?, self.now);
        let member = self.member.as_deref()?;
        if member.seed().is_some() {
            match member.units.look_in_hand(&claim(charge, share, &self.table.forgiven), now) {
                InHand::Admitted { verdicts, .. } if verdicts.is_empty() => {
                    return Some(in_fleet(unknown(charge, now)));
                }
                InHand::Admitted { verdicts, .. } | InHand::Rejected(verdicts) => {
                    return Some(in_fleet(verdicts));
                }
                InHand::Ask => {}
            }
        }
        if is_never_admitted(charge) {
            return Some(in_fleet(never(charge, now)));
        }
        // If the request could wait and does not have to, another charge rejects it.
        if self.may_wait && member.is_up() {
            return Some(in_fleet(unknown(charge, now)));
        }
        match undecided(member, share) {
            Undecided::InTable => None,
            Undecided::Unavailable => Some(unavailable(unknown(charge, now))),
            Undecided::Admitted => Some(in_fleet(unknown(charge, now))),
        }
    }

    /// Notes that nobody has judged a charge, if nobody has.
    pub(super) fn note_unavailable(&mut self, outcome: &Outcome) {
        if let Some(member) = self.member.as_deref_mut().filter(|_| outcome.unavailable) {
            member.count(|stats| stats.alone += 1);
        }
    }

    /// Counts a fleet's charge of a request that another charge has rejected. `false`: the table counts it.
    pub(super) fn count_in_fleet(&mut self, charge: &Charge<'_>) -> bool {
        let Some(share) = charge.fleet else { return false };
        let now = self.now;
        let Some(member) = self.member.as_deref_mut().filter(|member| member.seed().is_some()) else {
            return false;
        };
        let claim = claim(charge, share, &self.table.forgiven);
        if member.units.spend(&claim, now) == InHand::Ask {
            member.units.owe(&claim, now);
        }
        true
    }

    /// Corrects a fleet's charge. `false`: the table has counted it.
    pub(super) fn correct_in_fleet(&mut self, charge: &Charge<'_>, correction: &Correction) -> bool {
        let (Some(share), Some(member)) = (charge.fleet, self.member.as_deref_mut()) else { return false };
        let Correction { back, holds, more, returned, settled, stock, .. } = *correction;
        let [grant, ..] = holds;
        let stock = stock.map(|(units, since)| (since, units));
        let change = Change { back, grant, more, returned, settled, stock };
        if !change.is_none() {
            member.units.correct(&claim(charge, share, &self.table.forgiven), change, self.now);
        }
        true
    }

    /// Ends what a fleet's charge has in flight. `false`: the table has counted it.
    pub(super) fn release_in_fleet(&mut self, charge: &Charge<'_>) -> bool {
        let (Some(share), Some(member)) = (charge.fleet, self.member.as_deref_mut()) else { return false };
        member.units.release(&claim(charge, share, &self.table.forgiven));
        true
    }
}

/// Whether a limit of a charge admits less than it costs, whoever asks: a client that presents conflicting
/// values for a key is rejected so, also in an outage.
fn is_never_admitted(charge: &Charge<'_>) -> bool {
    charge.judging().any(|limit| charge.cost > limit.max_at_once())
}

/// Whether such a charge needs no answer. With a penalty it does: the rejection begins it.
fn is_rejected_without_asking(charge: &Charge<'_>) -> bool {
    is_never_admitted(charge) && !charge.limits.iter().any(Limit::is_penalty)
}

/// The verdicts on a charge that is never admitted.
fn never(charge: &Charge<'_>, now: Now) -> Verdicts {
    charge.judging().map(|limit| Counter::empty(limit, now).judge(now, charge.cost)).collect()
}

fn same(one: &Charge<'_>, other: &Charge<'_>) -> bool {
    one.identity == other.identity && std::ptr::eq(one.limits, other.limits)
}

/// What decides, since the service does not answer. A worker that does not know the fleet's seed has no name
/// for callers that the service knows; one that does not know how many workers there are knows no share.
fn undecided(member: &Member, share: Share<'_>) -> Undecided {
    match share.on_outage {
        OnOutage::Local if member.seed().is_none() || member.workers() == 0 => Undecided::InTable,
        OnOutage::Local | OnOutage::Allow => Undecided::Admitted,
        OnOutage::Deny => Undecided::Unavailable,
    }
}

fn in_fleet(verdicts: Verdicts) -> Outcome {
    Outcome { verdicts, in_fleet: true, ..Outcome::default() }
}

/// The client may try again at once, since outages are short.
fn unavailable(mut verdicts: Verdicts) -> Outcome {
    for verdict in &mut verdicts {
        (verdict.admitted, verdict.retry_after) = (false, SECOND);
    }
    Outcome { unavailable: true, ..in_fleet(verdicts) }
}

#[cfg(test)]
mod tests;
