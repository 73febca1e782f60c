//! Credentials whose validity the upstream tells (PA-8): a refused one is marked in its own record, in the table,
//! and as good as absent until the mark has left its window.

use super::{Engine, judges};
use crate::decision::Decision;
use crate::identity::{Caller, Refusal, Validity};
use crate::key::{Identity, Seed};
use crate::policy::Applied;
use crate::request::{Asked, Request};
use crate::table::{Charge, Charging, Count, OnContention, Store, Table};
use crate::time::Now;

/// What became of a request's credentials that are on trial.
#[derive(Default)]
pub(super) struct Tried {
    /// Keys, by index, that were refused of late.
    pub refused: Vec<usize>,
    /// Keys, by index, that may be refused now, and their records.
    pub credentials: Vec<(usize, Identity)>,
}

/// What an answer can say about a request's credentials.
#[derive(Clone, Debug, Default)]
pub struct Trial {
    /// Keys, by index, that the answer may refuse, and their records.
    pub credentials: Vec<(usize, Identity)>,
    /// The policies that would have judged the request without those keys, and what it costs there: they count it
    /// if the keys are refused.
    pub otherwise: Vec<(Applied, u32)>,
}

impl Engine {
    /// Looks for marks in the records of the credentials that are on trial.
    #[inline(never)]
    pub(super) fn try_credentials<R: Request>(
        &self,
        asked: &Asked<'_, R>,
        table: &mut Table,
        store: &impl Store,
        now: Now,
    ) -> Tried {
        let mut tried = Tried::default();
        let seed = *table.seed();
        let caller = Caller::new(asked, self.policies.directory(), &seed, &[]);
        for (key, identity) in caller.on_trial() {
            let Some(refusal) = self.refusal(key) else { continue };
            let look = [mark(identity, refusal)];
            let outcomes = table.transact(store, &look, Charging::AllOrNothing, now);
            if outcomes.iter().all(|outcome| outcome.admitted()) {
                tried.credentials.push((key, identity));
            } else {
                tried.refused.push(key);
            }
        }
        tried
    }

    /// What is to be done if the answer refuses the credentials.
    #[inline(never)]
    pub(super) fn follow_up<R: Request>(
        &self,
        tried: Tried,
        asked: &Asked<'_, R>,
        applied: &[Applied],
        seed: &Seed,
        now: Now,
    ) -> Trial {
        let refused = tried.refused.into_iter().chain(tried.credentials.iter().map(|(key, _)| *key));
        let refused: Vec<usize> = refused.collect();
        let stranger = Caller::new(asked, self.policies.directory(), seed, &refused);
        let otherwise = self.policies.that_apply(asked, &stranger, now.wall);
        // What has judged the request already has counted it already.
        let place = |one: &Applied| (one.policy, one.identity);
        let is_new = |(one, _): &(Applied, u32)| !applied.iter().any(|other| place(other) == place(one));
        let otherwise = judges(&otherwise).filter(is_new).collect();
        Trial { credentials: tried.credentials, otherwise }
    }

    /// Marks the credentials that a status refuses, and counts the request where a stranger's counts.
    #[inline(never)]
    pub(super) fn sentence(
        &self,
        decision: &Decision,
        status: u16,
        table: &mut Table,
        store: &impl Store,
        now: Now,
    ) {
        let Some(trial) = decision.trial() else { return };
        let mut any = false;
        for (key, identity) in &trial.credentials {
            if let Some(refusal) =
                self.refusal(*key).filter(|refusal| refusal.statuses.contains(Some(status)))
            {
                table.charge_late(store, &Charge { cost: 1, ..mark(*identity, refusal) }, now);
                any = true;
            }
        }
        for (one, cost) in trial.otherwise.iter().filter(|_| any) {
            let Some(policy) = self.policy(one.policy).filter(|policy| !policy.counts_later()) else {
                continue;
            };
            if let Some(charge) = policy.spent(one.identity, one.terms, *cost) {
                table.charge_late(store, &charge, now);
            }
        }
    }

    fn refusal(&self, key: usize) -> Option<&Refusal> {
        match &self.policies.directory().keys.get(key)?.validity {
            Validity::Unless(refusal) => Some(refusal),
            Validity::Present | Validity::Consumer | Validity::Metadata(_) => None,
        }
    }
}

/// The mark as a charge that only looks: all units are free if none is taken.
fn mark(identity: Identity, refusal: &Refusal) -> Charge<'_> {
    Charge {
        identity,
        limits: std::slice::from_ref(&refusal.mark),
        cost: refusal.mark.quota.get(),
        count: Count::Later,
        on_contention: OnContention::Allow,
    }
}
