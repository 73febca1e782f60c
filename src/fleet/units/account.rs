//! The units of one caller.

use super::Claim;
use super::alone::Alone;
use super::correction::Change;
use super::corrections::Corrections;
use super::demand::Demand;
use super::grant::Grant;
use crate::fleet::message::{Ask, Entry, EntryAnswer};
use crate::identity::Identity;
use crate::limiter::{Forgiven, Limit, Verdict};
use crate::time::{Micros, Now, SECOND};

/// How often units in flight are renewed. The service believes them for three times as long.
const RENEW_TIME: Micros = 10 * SECOND;

/// The most entries without an answer that the next one names. The service takes what older ones were granted
/// for used.
const MAX_LOST: usize = 16;

/// How long a standing may be relied on where nothing is spent.
const STANDING_TIME: Micros = SECOND;

/// What a worker knows of one caller.
#[derive(Default)]
pub(super) struct Account {
    pub policy: String,
    pub limits: Vec<Limit>,
    /// Whether units may go back once they are spent.
    gives_back: bool,
    grants: Vec<Grant>,
    corrections: Corrections,
    rejected: Option<Rejected>,
    /// What the last answer said, and when it came.
    standing: (Vec<Verdict>, Micros),
    /// The entry without an answer so far. There is at most one.
    awaited: Option<u64>,
    /// Entries that got no answer, since the last one that did. What they were granted is to go back.
    lost: Vec<u64>,
    /// The cost that it asks for at least.
    asked: u32,
    waiting: Waiting,
    renewal: Renewal,
    demand: Demand,
    in_flight: InFlight,
    alone: Alone,
    /// What an operator forgives the caller, as far as it is in effect.
    forgiven: Vec<Forgiven>,
    /// Whether the awaited entry was sent before that.
    awaits_old: bool,
}

/// Units of a concurrency limit.
#[derive(Default)]
struct InFlight {
    units: u32,
    /// What the last answered entry said, and when it was sent.
    published: (u32, Micros),
    /// What the awaited entry says.
    sent: u32,
}

/// The service's last rejection.
struct Rejected {
    cost: u32,
    until: Micros,
    verdicts: Vec<Verdict>,
}

/// The requests that wait for units.
#[derive(Default)]
struct Waiting {
    /// The cost of the first one.
    first: u32,
    /// The cost of all.
    all: u32,
    /// The cost of the first one of those that are only judged.
    judged: u32,
}

/// Units that are asked for before a request needs them.
#[derive(Default)]
struct Renewal {
    wanted: bool,
    /// The service has just granted none.
    not_before: Micros,
}

impl Account {
    /// Whether it has followed all that is forgiven.
    pub fn has_followed(&self, claim: &Claim<'_>, now: Now) -> bool {
        let mut in_effect = claim.forgiven.iter().filter(|one| one.is_in_effect(now.wall));
        in_effect.all(|one| self.forgiven.contains(one))
    }

    /// Forgets what it knows from before the counts begin at zero. Units in hand serve nobody any more, and are
    /// reported.
    #[inline(never)] // rarely called
    fn forgive(&mut self, claim: &Claim<'_>, now: Now) {
        self.forgiven = claim.forgiven.iter().filter(|one| one.is_in_effect(now.wall)).copied().collect();
        (self.rejected, self.standing, self.alone) = Default::default();
        self.grants.iter_mut().for_each(Grant::stop);
        self.awaits_old = self.awaited.is_some();
    }

    /// The limits of the latest configuration.
    pub fn take_limits(&mut self, claim: &Claim<'_>, now: Now) {
        if !self.has_followed(claim, now) {
            self.forgive(claim, now);
        }
        let Claim { policy, limits, .. } = *claim;
        self.gives_back = claim.gives_back;
        if self.limits != limits || self.policy != policy {
            (self.policy, self.limits, self.rejected) = (policy.into(), limits.to_vec(), None);
            self.standing = Default::default();
        }
    }

    pub fn can_serve(&self, cost: u32, now: Now) -> bool {
        self.grants.iter().any(|grant| grant.serves(cost, now))
    }

    pub fn rejects(&self, cost: u32, now: Now) -> bool {
        self.rejected.as_ref().is_some_and(|last| now.mono < last.until && cost >= last.cost)
    }

    /// Whether the last answer is young enough to judge by.
    pub fn has_standing(&self, now: Now) -> bool {
        let (verdicts, at) = &self.standing;
        !verdicts.is_empty() && now.mono.saturating_sub(*at) <= STANDING_TIME
    }

    /// Spends units, if they are in hand. Returns also the number of their grant.
    pub fn serve(&mut self, cost: u32, now: Now) -> Option<(Vec<Verdict>, u64)> {
        let span = self.span();
        let grant = self.grants.iter_mut().find(|grant| grant.serves(cost, now))?;
        grant.note(cost, now);
        let number = grant.number;
        self.demand.note(cost, span, now);
        if self.counts_in_flight() {
            self.in_flight.units = self.in_flight.units.saturating_add(cost);
        }
        Some((self.left_verdicts(now), number))
    }

    fn counts_in_flight(&self) -> bool {
        self.limits.iter().any(Limit::counts_in_flight)
    }

    /// The verdicts of the latest grant, with the units in hand.
    fn left_verdicts(&self, now: Now) -> Vec<Verdict> {
        let left = self.left(now);
        let verdicts = self.grants.last().map_or(&[][..], |grant| &grant.verdicts);
        let with_those_in_hand = |verdict: &Verdict| Verdict {
            remaining: verdict.remaining.saturating_add(left).min(verdict.quota.into()),
            admitted: true,
            retry_after: 0,
            ..*verdict
        };
        verdicts.iter().map(with_those_in_hand).collect()
    }

    /// The verdicts on a request of `cost` units that is not counted, as far as they are known.
    pub fn look(&self, cost: u32, now: Now) -> Vec<Verdict> {
        if self.rejects(cost, now) {
            return self.rejection(now);
        }
        let mut verdicts = self.standing.0.clone();
        let left = self.left(now);
        for verdict in &mut verdicts {
            verdict.remaining = verdict.remaining.saturating_add(left).min(verdict.quota.into());
            verdict.admitted = u64::from(cost) <= verdict.remaining;
            let wait = verdict.next_slot.saturating_sub(now.mono).max(1);
            verdict.retry_after = if verdict.admitted { 0 } else { wait };
        }
        verdicts
    }

    /// Whether too little was left when the last answer came, and nothing can have come back by itself.
    pub fn is_exhausted(&self, cost: u32, now: Now) -> bool {
        let left = self.left(now);
        let lacks = |verdict: &Verdict| {
            u64::from(cost) > verdict.remaining.saturating_add(left) && now.mono < verdict.next_slot
        };
        self.standing.0.iter().any(lacks)
    }

    /// How long a rejection may be repeated at most. A block ends when it ends.
    fn longest_rejection(&self) -> Micros {
        let is_block = self.limits.iter().any(Limit::is_penalty);
        if self.gives_back && !is_block { SECOND } else { Micros::MAX }
    }

    fn span(&self) -> Micros {
        super::super::term(&self.limits)
    }

    #[inline(never)]
    fn left(&self, now: Now) -> u64 {
        let live = self.grants.iter().filter(|grant| grant.is_live(now));
        live.map(|grant| u64::from(grant.left)).sum()
    }

    /// Whether it has units in hand, or units that may soon be given back.
    pub fn has_units(&self, now: Now) -> bool {
        self.left(now) > 0 || self.corrections.may_give_back()
    }

    #[cfg(test)]
    pub fn remembered(&self) -> usize {
        self.corrections.remembered()
    }

    /// Gives units back to the grant that they were taken from. `false`: it has been reported.
    pub fn take_back(&mut self, grant: u64, at: Micros, units: u32) -> bool {
        match self.grants.iter_mut().find(|one| one.number == grant) {
            Some(grant) => grant.take_back(at, units),
            None => grant == 0 && self.corrections.take_back(at, units),
        }
    }

    /// The verdicts of the last rejection, with what is left of the wait.
    #[inline(never)]
    pub fn rejection(&self, now: Now) -> Vec<Verdict> {
        let Some(last) = &self.rejected else { return Vec::new() };
        let mut verdicts = last.verdicts.clone();
        for verdict in verdicts.iter_mut().filter(|verdict| !verdict.admitted) {
            verdict.retry_after = verdict.retry_after.saturating_sub(now.mono).max(1);
        }
        verdicts
    }

    /// Notes a request that waits for units, or to be judged.
    pub fn wait(&mut self, cost: u32, spends: bool) {
        // No limit admits more than it ever has, so no units are asked for.
        let most = self.limits.iter().filter(|limit| !limit.is_penalty()).map(Limit::max_at_once).min();
        if !spends || most.is_some_and(|most| cost > most) {
            self.waiting.judged = self.waiting.judged.max(cost);
            return;
        }
        if self.waiting.all == 0 {
            self.waiting.first = cost;
        }
        self.waiting.all = self.waiting.all.saturating_add(cost);
    }

    /// One entry at a time: the next one can say more.
    pub fn may_ask(&self) -> bool {
        self.awaited.is_none()
    }

    pub fn is_asking(&self) -> bool {
        self.waiting.all > 0 || self.waiting.judged > 0 || self.renewal.wanted
    }

    /// Notes that more units are of use before long. `false`: they are not, or it is noted.
    pub fn wants_renewal(&mut self, now: Now) -> bool {
        let expected = u64::from(self.demand.expected());
        if expected == 0 || self.is_asking() || !self.may_ask() || now.mono < self.renewal.not_before {
            return false;
        }
        let soon = now.mono.saturating_add(self.span() / 4);
        let lasting = self.grants.iter().filter(|grant| grant.is_live(now) && grant.until > soon);
        self.renewal.wanted = lasting.map(|grant| u64::from(grant.left)).sum::<u64>() < expected / 4;
        self.renewal.wanted
    }

    /// Notes a correction. `false`: there are too many, and part of it is lost.
    pub fn correct(&mut self, number: u64, change: Change) -> bool {
        self.corrections.add(number, change)
    }

    /// Whether there is something to say although nobody asks.
    pub fn is_due(&self, now: Now) -> bool {
        let (published, at) = self.in_flight.published;
        let is_old = self.in_flight.units > 0 && now.mono.saturating_sub(at) >= RENEW_TIME;
        self.awaited.is_none()
            && (!self.corrections.is_empty()
                || !self.lost.is_empty()
                || self.grants.iter().any(|grant| grant.is_due(self.span(), now))
                || self.in_flight.units != published
                || is_old)
    }

    /// Whether there is nothing to remember.
    pub fn is_idle(&self, now: Now) -> bool {
        self.grants.is_empty()
            && self.may_drop(now)
            && !self.rejects(u32::MAX, now)
            && !self.has_standing(now)
            && !self.corrections.may_give_back()
    }

    /// Whether no count gets lost with it. The service takes the units in hand for used.
    pub fn may_drop(&self, now: Now) -> bool {
        self.owes_nothing() && self.alone.is_idle(now)
    }

    /// The same, but for the share that it has used in an outage. The service has counted that by now.
    pub fn owes_nothing(&self) -> bool {
        let (published, _) = self.in_flight.published;
        self.corrections.is_empty()
            && self.awaited.is_none()
            && self.lost.is_empty()
            && !self.is_asking()
            && self.in_flight.units == 0
            && published == 0
    }

    /// The entry to send now. It asks for the units that requests wait for, and says all that is to be said.
    pub fn entry(&mut self, caller: Identity, number: u64, wait: Micros, now: Now) -> Entry {
        let reports = self.grants.iter_mut().filter(|grant| grant.is_over(now));
        let reports = reports.map(|grant| grant.report(number, now)).collect();
        let corrections = self.corrections.send(number, &self.grants, now);
        let open = self.grants.iter().filter(|grant| grant.reported.is_none()).map(|grant| grant.number);
        let open = open.chain(self.corrections.unsent()).collect();
        let ask = self.ask(wait, now);
        self.in_flight.sent = self.in_flight.units;
        let in_hand = if self.counts_in_flight() { self.left(now) } else { 0 };
        self.awaited = Some(number);
        let forgive = self.forgiven.iter().filter(|one| self.is_latest(one, now)).copied().collect();
        Entry {
            policy: self.policy.clone(),
            caller,
            limits: self.limits.clone(),
            number,
            open,
            lost: self.lost.clone(),
            reports,
            corrections,
            in_flight: self.in_flight.units.saturating_add(u32::try_from(in_hand).unwrap_or(u32::MAX)),
            ask,
            forgive,
        }
    }

    /// Whether this is in effect, about one of the limits, and the latest about it.
    fn is_latest(&self, one: &Forgiven, now: Now) -> bool {
        let is_later = |other: &Forgiven| other.limit == one.limit && other.before > one.before;
        one.is_in_effect(now.wall)
            && self.limits.iter().any(|limit| limit.id == one.limit)
            && !self.forgiven.iter().any(is_later)
    }

    fn ask(&mut self, wait: Micros, now: Now) -> Option<Ask> {
        if !self.is_asking() {
            return None;
        }
        let waiting = std::mem::take(&mut self.waiting);
        self.renewal.wanted = false;
        let only_judge = waiting.all == 0 && waiting.judged > 0;
        let at_least = if only_judge { waiting.judged } else { waiting.first };
        let in_hand = u32::try_from(self.left(now)).unwrap_or(u32::MAX);
        self.asked = at_least;
        Some(Ask {
            at_least,
            at_most: waiting.all,
            ahead: self.demand.expected().saturating_sub(in_hand),
            term: self.span(),
            wait,
            only_judge,
        })
    }

    /// The answer to an entry that was sent at `sent`. The requests that waited are to be decided again.
    pub fn answered(&mut self, number: u64, answer: &EntryAnswer, sent: Micros, now: Now) {
        if !answer.applied || self.awaited != Some(number) {
            return self.failed(number);
        }
        (self.awaited, self.waiting) = (None, Waiting::default());
        self.lost.clear();
        let reported = self.grants.iter().filter(|grant| grant.is_reported_by(number));
        self.corrections.applied(number, reported, answer, sent, self.gives_back);
        self.grants.retain(|grant| !grant.is_reported_by(number));
        self.in_flight.published = (self.in_flight.sent, sent);
        let mut verdicts = answer.verdicts.clone();
        for verdict in &mut verdicts {
            verdict.next_slot = verdict.next_slot.saturating_add(now.mono);
            verdict.full_reset = verdict.full_reset.saturating_add(now.mono);
        }
        if std::mem::take(&mut self.awaits_old) {
            // It is about counts that are forgiven since.
            if answer.granted > 0 {
                let mut grant = Grant::new(number, answer, sent, verdicts);
                grant.stop();
                self.grants.push(grant);
            }
            return;
        }
        self.standing = (verdicts.clone(), now.mono);
        if answer.granted > 0 {
            self.rejected = None;
            self.grants.push(Grant::new(number, answer, sent, verdicts));
            return;
        }
        self.renewal.not_before = now.mono.saturating_add(self.span());
        if verdicts.iter().any(|verdict| !verdict.admitted) {
            for verdict in verdicts.iter_mut().filter(|verdict| !verdict.admitted) {
                verdict.retry_after = verdict.retry_after.saturating_add(now.mono);
            }
            let until = now.mono.saturating_add(answer.remember.min(self.longest_rejection()));
            self.rejected = Some(Rejected { cost: self.asked, until, verdicts });
        }
    }

    /// No answer: whatever it would have granted is lost, and what was said is said again.
    pub fn failed(&mut self, number: u64) {
        if self.awaited == Some(number) {
            (self.awaited, self.waiting, self.awaits_old) = (None, Waiting::default(), false);
            self.lost.push(number);
            let more = self.lost.len().saturating_sub(MAX_LOST);
            self.lost.drain(..more);
        }
        self.grants.iter_mut().for_each(|grant| grant.repeat(number));
    }

    /// Drops reports that got no answer for too long: the service takes the units for used.
    pub fn give_up(&mut self, now: Now) {
        let forgotten = self.grants.iter().filter(|grant| grant.is_forgotten(now));
        forgotten.for_each(|grant| self.corrections.forgotten(grant, self.gives_back));
        self.grants.retain(|grant| !grant.is_forgotten(now));
        self.corrections.forget(now);
    }

    /// Decides a request without the service, by this worker's share of each quota.
    pub fn decide_alone(&mut self, cost: u32, workers: u32, now: Now) -> Vec<Verdict> {
        self.alone.decide(&self.limits, cost, self.in_flight.units, workers, now)
    }

    /// Adds units in flight that were not granted.
    pub fn begin(&mut self, units: u32) {
        if self.counts_in_flight() {
            self.in_flight.units = self.in_flight.units.saturating_add(units);
        }
    }

    /// Removes units in flight: their stream has ended.
    pub fn end(&mut self, units: u32) {
        self.in_flight.units = self.in_flight.units.saturating_sub(units);
    }
}
