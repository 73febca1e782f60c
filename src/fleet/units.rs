//! The units that one worker has in hand, and what it still has to say about them. Pure: time and messages are
//! arguments.

mod account;
mod alone;
mod correction;
mod corrections;
mod demand;
mod grant;

pub use correction::Change;

use super::OnOutage;
use super::message::{Answer, EntryAnswer, Exchange};
use crate::identity::{Identity, same_identity};
use crate::identity_map::IdentityMap;
use crate::limiter::{Forgiven, Limit, Verdict};
use crate::time::{MILLISECOND, Micros, Now};
use account::Account;

/// The most callers that a worker knows of at once, so that a flood can't grow its memory.
pub const MAX_ACCOUNTS: usize = 16_384;

/// The most entries of one message.
pub const MAX_ENTRIES: usize = 64;

/// One request's claim on a record.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The caller, hashed with the fleet's seed and the policy's name.
    pub caller: Identity,
    /// The policy's name.
    pub policy: &'a str,
    /// The policy's limits, and last its penalty, if it has one.
    pub limits: &'a [Limit],
    /// In units.
    pub cost: u32,
    /// Whether an admitted request counts. If not, it is only judged.
    pub spends: bool,
    /// Whether rejected requests count.
    pub count_rejected: bool,
    /// Whether units may go back once they are spent, so that a rejection may soon be wrong.
    pub gives_back: bool,
    /// What an operator forgives the caller.
    pub forgiven: &'a [Forgiven],
}

/// What a worker can say about a request without asking.
#[derive(Clone, Debug, PartialEq)]
pub enum InHand {
    /// These units were in hand, and are spent; or the request is admitted and not counted.
    Admitted {
        /// One for each limit, without the penalty.
        verdicts: Vec<Verdict>,
        /// The number of the grant that they were of; 0 if nothing was spent.
        grant: u64,
    },
    /// It is rejected: the service has just said so.
    Rejected(Vec<Verdict>),
    /// It has to ask.
    Ask,
}

/// An exchange that was sent: which entries it has.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// When, on the worker's monotonic clock.
    at: Micros,
    /// Caller and number of each entry.
    entries: Vec<(Identity, u64)>,
}

impl Sent {
    /// The callers whose entries it has.
    pub fn callers(&self) -> impl Iterator<Item = Identity> {
        self.entries.iter().map(|(caller, _)| *caller)
    }
}

/// All units that one worker has in hand.
pub struct Units {
    holder: u64,
    /// The last number that was given to an entry or a correction.
    last: u64,
    accounts: IdentityMap<Account>,
    /// Callers with requests that wait, and whose units nobody has asked for yet.
    asking: Vec<Identity>,
    /// Callers about whom there is something to say although nobody asks.
    due: Vec<Identity>,
    /// The number of corrections that were lost because a caller had too many.
    dropped: u64,
    /// When room was last made for further callers.
    made_room: Micros,
}

impl Units {
    /// A worker without units. `holder` is a random number that no other worker has.
    pub fn new(holder: u64) -> Units {
        let accounts = IdentityMap::default();
        Units { holder, last: 0, accounts, asking: Vec::new(), due: Vec::new(), dropped: 0, made_room: 0 }
    }

    /// Whether a claim can be decided without asking. Nothing is spent.
    pub fn can_decide(&self, claim: &Claim<'_>, now: Now) -> bool {
        self.known(claim, now).is_some_and(|account| {
            account.rejects(claim.cost, now)
                || match claim.spends {
                    true => account.can_serve(claim.cost, now),
                    false => account.has_standing(now),
                }
        })
    }

    /// The caller's account, if nothing has changed about its limits, and nothing new is forgiven.
    fn known(&self, claim: &Claim<'_>, now: Now) -> Option<&Account> {
        let account = self.accounts.get(claim.caller)?;
        (account.limits == claim.limits && account.has_followed(claim, now)).then_some(account)
    }

    /// The caller's account with the claim's limits. `None`: there are too many accounts.
    fn open(&mut self, claim: &Claim<'_>, now: Now) -> Option<&mut Account> {
        self.open_or_forget(claim, false, now)
    }

    /// The same. `forgets_shares`: if there is no room, callers of an outage are forgotten.
    #[inline(never)]
    fn open_or_forget(&mut self, claim: &Claim<'_>, forgets_shares: bool, now: Now) -> Option<&mut Account> {
        if self.accounts.get(claim.caller).is_none() && self.accounts.len() >= MAX_ACCOUNTS {
            self.make_room(forgets_shares, now);
        }
        let account = self.accounts.open(claim.caller, MAX_ACCOUNTS)?;
        if account.limits.is_empty() {
            account.take_limits(claim, now);
        }
        Some(account)
    }

    /// Spends a claim's units, if they are in hand.
    pub fn spend(&mut self, claim: &Claim<'_>, now: Now) -> InHand {
        let Some(account) = self.accounts.get_mut(claim.caller) else { return InHand::Ask };
        if account.limits != claim.limits || !account.has_followed(claim, now) {
            return InHand::Ask;
        }
        if !claim.spends {
            return self.look(claim, now);
        }
        if let Some((verdicts, grant)) = account.serve(claim.cost, now) {
            if account.wants_renewal(now) {
                self.asking.push(claim.caller);
            }
            return InHand::Admitted { verdicts, grant };
        }
        if !account.rejects(claim.cost, now) {
            return InHand::Ask;
        }
        let verdicts = account.rejection(now);
        if claim.count_rejected {
            self.owe(claim, now);
        }
        InHand::Rejected(verdicts)
    }

    /// As [`Units::spend`], for a claim that nobody waits for: until units come back, what the service has said
    /// last is relied on. If that is not enough, the next message asks for the next ones.
    pub fn spend_in_background(&mut self, claim: &Claim<'_>, now: Now) -> InHand {
        let known = self.spend(claim, now);
        if known != InHand::Ask {
            return known;
        }
        if let Some(account) = self.known(claim, now).filter(|account| account.is_exhausted(claim.cost, now))
        {
            return InHand::Rejected(account.look(claim.cost, now));
        }
        self.note_waiting(&Claim { spends: false, ..*claim }, false, now);
        InHand::Ask
    }

    /// What is known about a claim that is not counted.
    #[inline(never)]
    pub fn look(&self, claim: &Claim<'_>, now: Now) -> InHand {
        match self.known(claim, now) {
            Some(account) if account.rejects(claim.cost, now) => InHand::Rejected(account.rejection(now)),
            Some(account) if account.has_standing(now) => {
                let verdicts = account.look(claim.cost, now);
                match verdicts.iter().all(|verdict| verdict.admitted) {
                    true => InHand::Admitted { verdicts, grant: 0 },
                    false => InHand::Rejected(verdicts),
                }
            }
            Some(_) | None => InHand::Ask,
        }
    }

    /// Whether a caller's units are enough for a claim, which is not spent.
    pub fn look_in_hand(&self, claim: &Claim<'_>, now: Now) -> InHand {
        match self.known(claim, now) {
            Some(account) if claim.spends && account.can_serve(claim.cost, now) => {
                InHand::Admitted { verdicts: account.look(claim.cost, now), grant: 0 }
            }
            Some(account) if account.rejects(claim.cost, now) => InHand::Rejected(account.rejection(now)),
            Some(_) | None if claim.spends => InHand::Ask,
            Some(_) | None => self.look(claim, now),
        }
    }

    /// Notes that a request waits for units, since the service answers. `false`: the worker knows of too many
    /// callers already.
    pub fn wait(&mut self, claim: &Claim<'_>, now: Now) -> bool {
        // The callers of an outage must not keep others out until their windows have passed.
        self.note_waiting(claim, true, now)
    }

    fn note_waiting(&mut self, claim: &Claim<'_>, forgets_shares: bool, now: Now) -> bool {
        let Some(account) = self.open_or_forget(claim, forgets_shares, now) else { return false };
        account.take_limits(claim, now);
        let is_first = !account.is_asking();
        account.wait(claim.cost, claim.spends);
        if is_first {
            self.asking.push(claim.caller);
        }
        true
    }

    /// Decides a claim without the service. What it admits is counted afterwards. `None`: the worker knows of
    /// too many callers already.
    pub fn decide_alone(
        &mut self,
        claim: &Claim<'_>,
        on_outage: OnOutage,
        workers: u32,
        now: Now,
    ) -> Option<Vec<Verdict>> {
        let account = self.open(claim, now)?;
        account.take_limits(claim, now);
        let cost = if claim.spends { claim.cost } else { 0 };
        let verdicts = match on_outage {
            OnOutage::Local => account.decide_alone(cost, workers, now),
            OnOutage::Deny | OnOutage::Allow => Vec::new(),
        };
        let admitted = verdicts.iter().all(|verdict| verdict.admitted) && on_outage != OnOutage::Deny;
        if admitted && claim.spends {
            account.begin(claim.cost);
        }
        if claim.spends && (admitted || claim.count_rejected) {
            self.owe(claim, now);
        }
        Some(verdicts)
    }

    /// Counts a claim's units although they were not granted.
    pub fn owe(&mut self, claim: &Claim<'_>, now: Now) -> bool {
        self.correct(claim, Change { more: Some((now, claim.cost)), ..Change::default() }, now)
    }

    /// Corrects a request that was decided before. `false`: the correction is lost.
    #[inline(never)]
    pub fn correct(&mut self, claim: &Claim<'_>, mut change: Change, now: Now) -> bool {
        let number = self.last + 1;
        let Some(account) = self.open(claim, now) else {
            self.dropped += 1;
            return false;
        };
        if let Some((at, units)) = change.back
            && account.take_back(change.grant, at.mono, units)
        {
            change.back = None;
        }
        if change.is_none() {
            return true;
        }
        let noted = account.correct(number, change);
        self.last = number;
        self.dropped += u64::from(!noted);
        noted
    }

    /// Removes units in flight: their stream has ended.
    pub fn release(&mut self, claim: &Claim<'_>) {
        if let Some(account) = self.accounts.get_mut(claim.caller) {
            account.end(claim.cost);
        }
    }

    /// The exchange for requests that wait, for at most `wait`: to be sent at once. `None`: none waits.
    pub fn ask(&mut self, wait: Micros, now: Now) -> Option<(Exchange, Sent)> {
        let mut callers = Vec::new();
        let mut later = Vec::new();
        for caller in std::mem::take(&mut self.asking) {
            if callers.len() == MAX_ENTRIES {
                later.push(caller);
                continue;
            }
            let account = self.accounts.get(caller).filter(|account| account.is_asking());
            match account.map(Account::may_ask) {
                Some(true) if callers.contains(&caller) => {}
                Some(true) => callers.push(caller),
                Some(false) => later.push(caller),
                None => {}
            }
        }
        self.asking = later;
        self.exchange(callers, wait, now)
    }

    /// Notes the callers about whom there is something to say although nobody asks. Called by ticks: it looks
    /// at all accounts.
    pub fn note_due(&mut self, now: Now) {
        self.due = self.callers_with(&|account| account.is_due(now));
    }

    /// The exchange about callers who do not come back. `None`: there is nothing to say about anyone.
    pub fn report(&mut self, wait: Micros, now: Now) -> Option<(Exchange, Sent)> {
        let mut callers = Vec::new();
        while callers.len() < MAX_ENTRIES {
            let Some(caller) = self.due.pop() else { break };
            if self.accounts.get(caller).is_some_and(|account| account.is_due(now)) {
                callers.push(caller);
            }
        }
        self.exchange(callers, wait, now)
    }

    fn exchange(&mut self, callers: Vec<Identity>, wait: Micros, now: Now) -> Option<(Exchange, Sent)> {
        let (mut exchange, mut sent) = self.nothing(now);
        for caller in callers {
            let Some(account) = self.accounts.get_mut(caller) else { continue };
            self.last += 1;
            exchange.entries.push(account.entry(caller, self.last, wait, now));
            sent.entries.push((caller, self.last));
        }
        (!sent.entries.is_empty()).then_some((exchange, sent))
    }

    /// An exchange without entries: the service answers whether the engine does.
    pub fn nothing(&self, now: Now) -> (Exchange, Sent) {
        (Exchange { holder: self.holder, entries: Vec::new() }, Sent { at: now.mono, entries: Vec::new() })
    }

    /// The answer to an exchange has come.
    pub fn answered(&mut self, sent: &Sent, answer: &Answer, now: Now) {
        let nothing = EntryAnswer::default();
        for (i, (caller, number)) in sent.entries.iter().enumerate() {
            let entry = answer.entries.get(i).unwrap_or(&nothing);
            let Some(account) = self.accounts.get_mut(*caller) else { continue };
            account.answered(*number, entry, sent.at, now);
        }
    }

    /// No answer to an exchange has come, or none that can be read.
    pub fn failed(&mut self, sent: &Sent) {
        for (caller, number) in &sent.entries {
            if let Some(account) = self.accounts.get_mut(*caller) {
                account.failed(*number);
            }
        }
    }

    /// Forgets callers of whom there is nothing left to say.
    pub fn forget(&mut self, now: Now) {
        self.accounts.each_mut(|account| account.give_up(now));
        self.drop_accounts(usize::MAX, &|account| account.is_idle(now));
    }

    /// Forgets callers who lose no counts by it. The service takes their units in hand for used, so whoever
    /// floods the worker with callers gains nothing; those who have some go last, so others hardly lose any.
    #[inline(never)]
    fn make_room(&mut self, forgets_shares: bool, now: Now) {
        const AT_ONCE: usize = 1_024;
        /// It looks at all accounts, so hardly ever if it is in vain.
        const PAUSE: Micros = 10 * MILLISECOND;
        if now.mono.saturating_sub(self.made_room) < PAUSE && now.mono >= self.made_room {
            return;
        }
        self.made_room = now.mono;
        self.drop_accounts(AT_ONCE, &|account| account.may_drop(now) && !account.has_units(now));
        if self.accounts.len() >= MAX_ACCOUNTS {
            self.drop_accounts(AT_ONCE, &|account| account.may_drop(now));
        }
        if forgets_shares && self.accounts.len() >= MAX_ACCOUNTS {
            self.drop_accounts(AT_ONCE, &|account| account.owes_nothing());
        }
    }

    #[inline(never)]
    fn drop_accounts(&mut self, most: usize, may_drop: &dyn Fn(&Account) -> bool) {
        for caller in self.callers_with(may_drop).into_iter().take(most) {
            self.accounts.remove(caller);
        }
    }

    #[inline(never)]
    fn callers_with(&self, is_wanted: &dyn Fn(&Account) -> bool) -> Vec<Identity> {
        let wanted = self.accounts.iter().filter(|(_, account)| is_wanted(account));
        wanted.map(|(caller, _)| caller).collect()
    }

    /// The caller with this fingerprint, proven or not, and the policy that counts it. Looks at all accounts: it is for
    /// operators.
    pub fn find(&self, fingerprint: u64) -> Option<(Identity, &str)> {
        let mut all = self.accounts.iter();
        let found = all.find(|(caller, _)| same_identity(caller.fingerprint, fingerprint));
        found.map(|(caller, account)| (caller, account.policy.as_str()))
    }

    /// Forgets all callers.
    pub fn clear(&mut self) {
        (self.accounts, self.asking, self.due) = (IdentityMap::default(), Vec::new(), Vec::new());
    }

    /// Takes the number of corrections that were lost since the last call.
    pub fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }
}

#[cfg(test)]
mod tests;
