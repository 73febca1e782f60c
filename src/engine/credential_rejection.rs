//! Credentials whose validity the upstream tells (PA-8): a rejected one is marked in its own record, in the table,
//! and as good as absent until the mark has left its window.
//!
//! A credential that is rejected counts where a caller without it does. But that is known only by the answer, and a client could
//! send any number of made-up ones at once, or leave before each is rejected. So until an answer has proved a credential, its
//! requests also hold units of the limits of a caller without it, in a record apart ([`Identity::on_trial`]): whoever shows
//! none spends nothing of what a newcomer needs. A good answer gives them back, and is remembered for as long as a mark
//! would be.

use super::selection::{applying, judges};
use super::{Engine, answer};
use crate::decision::{Applied, Credential, CredentialCheck, Decision, PolicyDecision};
use crate::http::{Request, RequestCache, Response, is_good};
use crate::identity::{Identity, Seed};
use crate::rules::{CredentialRejection, Policy, Validity};
use crate::table::{Charge, ChargeMode, Correction, Count, OnContention, Store, Table};
use crate::time::Now;

/// What became of a request's credentials that are on trial.
#[derive(Default)]
pub(super) struct CheckedCredentials {
    /// Keys, by index, that were rejected of late.
    pub rejected: Vec<usize>,
    /// Credentials that may be rejected now.
    pub credentials: Vec<Credential>,
}

impl CheckedCredentials {
    /// Whether an answer can reject any.
    pub fn is_open(&self) -> bool {
        !self.credentials.is_empty()
    }
}

impl Engine {
    /// Looks for marks in the records of the credentials that are on trial.
    #[inline(never)]
    pub(super) fn check_credentials<R: Request>(
        &self,
        asked: &RequestCache<'_, R>,
        table: &mut Table,
        store: &impl Store,
        now: Now,
    ) -> CheckedCredentials {
        let mut checked = CheckedCredentials::default();
        let seed = *table.seed();
        let caller = self.caller(asked, &seed, &[]);
        for (key, identity) in caller.on_trial() {
            let Some(rejection) = self.rejection(key) else { continue };
            let look = [look(identity, rejection)];
            let outcomes = table.begin(store, now).charge(&look, ChargeMode::AllOrNothing);
            let mut none =
                outcomes.iter().flat_map(|outcome| &outcome.verdicts).map(|verdict| verdict.admitted);
            let (unmarked, unproved) = (none.next().unwrap_or(true), none.next().unwrap_or(true));
            match unmarked {
                true => checked.credentials.push(Credential { key, identity, proved: !unproved }),
                false => checked.rejected.push(key),
            }
        }
        checked
    }

    /// What is to be done if the answer rejects the credentials, and which policies hold units until then.
    #[inline(never)]
    pub(super) fn trial<R: Request>(
        &self,
        checked: &CheckedCredentials,
        asked: &RequestCache<'_, R>,
        applied: &[Applied],
        seed: &Seed,
        now: Now,
    ) -> (CredentialCheck, Vec<(Applied, u32)>) {
        let CheckedCredentials { rejected, credentials } = checked;
        let without = rejected.iter().copied().chain(credentials.iter().map(|one| one.key));
        let without: Vec<usize> = without.collect();
        let anonymous = self.caller(asked, seed, &without);
        let as_anonymous = applying(&self.rules, asked, &anonymous, now.wall);
        // What has judged the request already has counted it already.
        let place = |one: &Applied| (one.policy, one.identity);
        let is_new = |(one, _): &(Applied, u32)| !applied.iter().any(|other| place(other) == place(one));
        let anonymous = as_anonymous.iter().map(place).collect();
        let as_anonymous: Vec<(Applied, u32)> = judges(&as_anonymous).filter(is_new).collect();
        let proved = credentials.iter().all(|one| one.proved);
        let held = as_anonymous.iter().filter(|(one, _)| !proved && !one.shadow);
        let apart =
            |(one, cost): &(Applied, u32)| (Applied { identity: one.identity.on_trial(), ..*one }, *cost);
        let held = held.map(apart).collect();
        (
            CredentialCheck { credentials: credentials.clone(), as_anonymous, held: Vec::new(), anonymous },
            held,
        )
    }

    /// Marks the credentials that a response rejects, and counts the request where that of a caller without them counts. Notes
    /// those that it proves.
    #[inline(never)]
    pub(super) fn record_rejection(
        &self,
        decision: &Decision,
        response: &impl Response,
        table: &mut Table,
        store: &impl Store,
        now: Now,
    ) {
        let Some(trial) = decision.credential_check() else { return };
        let status = Some(response.status());
        let rejects = |one: &&Credential| {
            self.rejection(one.key).is_some_and(|rejection| rejection.statuses.contains(status))
        };
        let rejected = trial.credentials.iter().any(|one| rejects(&one));
        let good = !rejected && is_good(response);
        // Of several credentials nobody can tell which one the upstream believed.
        let proves = good && trial.credentials.len() == 1;
        if rejected {
            self.spare_the_rejected(decision, table, store, now);
        }
        for one in &trial.credentials {
            let Some(rejection) = self.rejection(one.key) else { continue };
            let more = Some((now, 1));
            if rejects(&one) {
                let mark = Correction { more, ..Correction::default() };
                table.begin(store, now).correct(&charge(one.identity, rejection.mark()), &mark);
            } else if proves && !one.proved {
                let proof = Correction { more, proves: true, ..Correction::default() };
                table.begin(store, now).correct(&charge(one.identity, rejection.proof()), &proof);
            }
        }
        for answer in &trial.held {
            let held = answer.charged(decision.now);
            // Any other answer says nothing of the credentials.
            let correction = match good {
                true => Correction { settled: answer.cost, ..held.give_back() },
                false => held.count_at(now, answer.cost),
            };
            self.correct(answer, correction, table, store, now);
        }
        for one in trial.as_anonymous.iter().filter(|_| rejected) {
            let Some(policy) = self.policy(one.0.policy) else { continue };
            let unheld = answer(*one, Default::default());
            let correction = match policy.response.follows() {
                true => policy.response.answered(response, unheld.charged(now), decision.now, now).0,
                false => Correction { more: Some((now, one.1)), ..Correction::default() },
            };
            self.correct(&unheld, correction, table, store, now);
        }
    }

    /// Gives back what a request with rejected credentials has spent as theirs: whoever shares a prefix with the one that was
    /// made up must not pay for it. Policies that count by the response have their own rule.
    fn spare_the_rejected(&self, decision: &Decision, table: &mut Table, store: &impl Store, now: Now) {
        let Some(trial) = decision.credential_check() else { return };
        let theirs = |one: &&PolicyDecision| !trial.anonymous.contains(&(one.policy, one.identity));
        for answer in decision.all_answers().filter(theirs) {
            let waits = |policy: &Policy| policy.response.follows() || policy.counts_all();
            if self.policy(answer.policy).is_some_and(|policy| !waits(policy)) {
                self.correct(answer, answer.charged(decision.now).give_back(), table, store, now);
            }
        }
    }

    fn rejection(&self, key: usize) -> Option<&CredentialRejection> {
        match &self.rules.callers.keys.get(key)?.validity {
            Validity::Unless(rejection) => Some(rejection),
            Validity::Present | Validity::Consumer | Validity::Metadata(_) => None,
        }
    }
}

/// The mark and the proof as a charge that only looks: all units of each are free if none is taken.
fn look(identity: Identity, rejection: &CredentialRejection) -> Charge<'_> {
    Charge { cost: rejection.units(), ..charge(identity, &rejection.limits) }
}

fn charge(identity: Identity, limits: &[crate::limiter::Limit]) -> Charge<'_> {
    Charge { identity, limits, cost: 0, count: Count::Never, on_contention: OnContention::Allow }
}
