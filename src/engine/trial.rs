//! Credentials whose validity the upstream tells (PA-8): a refused one is marked in its own record, in the table,
//! and as good as absent until the mark has left its window.
//!
//! A credential that is refused counts where a caller without it does. But that is known only by the answer, and a client could
//! send any number of made-up ones at once, or leave before each is refused. So until an answer has proved a credential, its
//! requests also hold units of the limits of a caller without it, in a record apart ([`Identity::on_trial`]): whoever shows
//! none spends nothing of what a newcomer needs. A good answer gives them back, and is remembered for as long as a mark
//! would be.

use super::{Engine, answer, is_good, judges};
use crate::decision::{Answer, Decision};
use crate::identity::{Caller, Refusal, Validity};
use crate::key::{Identity, Seed};
use crate::policy::{Applied, Policy};
use crate::request::{Asked, Request, Response};
use crate::table::{Charge, ChargeMode, Correction, Count, OnContention, Store, Table};
use crate::time::Now;

/// What became of a request's credentials that are on trial.
#[derive(Default)]
pub(super) struct Tried {
    /// Keys, by index, that were refused of late.
    pub refused: Vec<usize>,
    /// Credentials that may be refused now.
    pub credentials: Vec<Credential>,
}

impl Tried {
    /// Whether an answer can refuse any.
    pub fn is_open(&self) -> bool {
        !self.credentials.is_empty()
    }
}

/// A credential that an answer may refuse.
#[derive(Clone, Copy, Debug)]
pub struct Credential {
    /// Its key, by index.
    pub key: usize,
    /// Its record.
    pub identity: Identity,
    /// Whether an answer has proved it of late.
    pub proved: bool,
}

/// What an answer can say about a request's credentials.
#[derive(Clone, Debug, Default)]
pub struct Trial {
    /// Credentials that the answer may refuse.
    pub credentials: Vec<Credential>,
    /// The policies that would have judged the request without those keys, and what it costs there: they count it if the
    /// keys are refused.
    pub otherwise: Vec<(Applied, u32)>,
    /// Their answers, apart, until an answer has proved the keys.
    pub held: Vec<Answer>,
    /// Who judges a caller without those keys: by policy, and whom it counts.
    anonymous: Vec<(usize, Identity)>,
}

impl Trial {
    /// Takes the answers of the policies that hold units, the last `held`. If one of them rejects the request, it is answered as
    /// that of a caller without the keys.
    pub(super) fn with_answers(mut self, held: usize, answers: &mut Vec<Answer>) -> Trial {
        self.held = answers.split_off(answers.len().saturating_sub(held));
        if self.held.iter().any(Answer::refused) {
            let said = |one: &Answer| self.anonymous.contains(&(one.policy, one.identity));
            let (mut said, unsaid): (Vec<Answer>, Vec<Answer>) = answers.drain(..).partition(said);
            said.append(&mut self.held);
            *answers = said;
            // What these have counted has to be settled all the same.
            self.held = unsaid;
        }
        self
    }
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
            let look = [look(identity, refusal)];
            let outcomes = table.begin(store, now).charge(&look, ChargeMode::AllOrNothing);
            let mut none =
                outcomes.iter().flat_map(|outcome| &outcome.verdicts).map(|verdict| verdict.admitted);
            let (unmarked, unproved) = (none.next().unwrap_or(true), none.next().unwrap_or(true));
            match unmarked {
                true => tried.credentials.push(Credential { key, identity, proved: !unproved }),
                false => tried.refused.push(key),
            }
        }
        tried
    }

    /// What is to be done if the answer refuses the credentials, and which policies hold units until then.
    #[inline(never)]
    pub(super) fn trial<R: Request>(
        &self,
        tried: &Tried,
        asked: &Asked<'_, R>,
        applied: &[Applied],
        seed: &Seed,
        now: Now,
    ) -> (Trial, Vec<(Applied, u32)>) {
        let Tried { refused, credentials } = tried;
        let without = refused.iter().copied().chain(credentials.iter().map(|one| one.key));
        let without: Vec<usize> = without.collect();
        let anonymous = Caller::new(asked, self.policies.directory(), seed, &without);
        let otherwise = self.policies.that_apply(asked, &anonymous, now.wall);
        // What has judged the request already has counted it already.
        let place = |one: &Applied| (one.policy, one.identity);
        let is_new = |(one, _): &(Applied, u32)| !applied.iter().any(|other| place(other) == place(one));
        let anonymous = otherwise.iter().map(place).collect();
        let otherwise: Vec<(Applied, u32)> = judges(&otherwise).filter(is_new).collect();
        let proved = credentials.iter().all(|one| one.proved);
        let held = otherwise.iter().filter(|(one, _)| !proved && !one.shadow);
        let apart =
            |(one, cost): &(Applied, u32)| (Applied { identity: one.identity.on_trial(), ..*one }, *cost);
        let held = held.map(apart).collect();
        (Trial { credentials: credentials.clone(), otherwise, held: Vec::new(), anonymous }, held)
    }

    /// Marks the credentials that a response refuses, and counts the request where that of a caller without them counts. Notes
    /// those that it proves.
    #[inline(never)]
    pub(super) fn sentence(
        &self,
        decision: &Decision,
        response: &impl Response,
        table: &mut Table,
        store: &impl Store,
        now: Now,
    ) {
        let Some(trial) = decision.trial() else { return };
        let status = Some(response.status());
        let refuses = |one: &&Credential| {
            self.refusal(one.key).is_some_and(|refusal| refusal.statuses.contains(status))
        };
        let refused = trial.credentials.iter().any(|one| refuses(&one));
        let good = !refused && is_good(response);
        // Of several credentials nobody can tell which one the upstream believed.
        let proves = good && trial.credentials.len() == 1;
        if refused {
            self.spare_the_refused(decision, table, store, now);
        }
        for one in &trial.credentials {
            let Some(refusal) = self.refusal(one.key) else { continue };
            let more = Some((now, 1));
            if refuses(&one) {
                let mark = Correction { more, ..Correction::default() };
                table.begin(store, now).correct(&charge(one.identity, refusal.mark()), &mark);
            } else if proves && !one.proved {
                let proof = Correction { more, proves: true, ..Correction::default() };
                table.begin(store, now).correct(&charge(one.identity, refusal.proof()), &proof);
            }
        }
        for answer in &trial.held {
            let held = answer.held(decision.now);
            // Any other answer says nothing of the credentials.
            let correction = match good {
                true => Correction { settled: answer.cost, ..held.give_back() },
                false => held.count_at(now, answer.cost),
            };
            self.correct(answer, correction, table, store, now);
        }
        for one in trial.otherwise.iter().filter(|_| refused) {
            let Some(policy) = self.policy(one.0.policy) else { continue };
            let unheld = answer(*one, Default::default());
            let correction = match policy.on_response().follows() {
                true => policy.on_response().answered(response, unheld.held(now), decision.now, now).0,
                false => Correction { more: Some((now, one.1)), ..Correction::default() },
            };
            self.correct(&unheld, correction, table, store, now);
        }
    }

    /// Gives back what a request with refused credentials has spent as theirs: whoever shares a prefix with the one that was
    /// made up must not pay for it. Policies that count by the response have their own rule.
    fn spare_the_refused(&self, decision: &Decision, table: &mut Table, store: &impl Store, now: Now) {
        let Some(trial) = decision.trial() else { return };
        let theirs = |one: &&Answer| !trial.anonymous.contains(&(one.policy, one.identity));
        for answer in decision.all_answers().filter(theirs) {
            let waits = |policy: &Policy| policy.on_response().follows() || policy.counts_all();
            if self.policy(answer.policy).is_some_and(|policy| !waits(policy)) {
                self.correct(answer, answer.held(decision.now).give_back(), table, store, now);
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

/// The mark and the proof as a charge that only looks: all units of each are free if none is taken.
fn look(identity: Identity, refusal: &Refusal) -> Charge<'_> {
    Charge { cost: refusal.units(), ..charge(identity, &refusal.limits) }
}

fn charge(identity: Identity, limits: &[crate::limiter::Limit]) -> Charge<'_> {
    Charge { identity, limits, cost: 0, count: Count::Never, on_contention: OnContention::Allow }
}
