//! What one worker owes the shared table, and how it answers while a record can't be written: by token
//! buckets of its own, whose admissions are debts.

use super::in_flight::is_held;
use super::{Charge, Correction, Count, OnContention, Verdicts};
use crate::identity_map::IdentityMap;
use crate::key::Identity;
use crate::limiter::token_bucket::Bucket;
use crate::limiter::{Counter, Limit, LimitId, Verdict};
use crate::time::{MILLISECOND, Micros, Now};

/// A worker alone decides about so many identities at once, and rejects further ones: a flood must not grow its memory.
const MAX_ALONE: usize = 4096;

/// And owes so many. What requests still in flight come to owe finds room above those.
const MAX_OWING: usize = 2 * MAX_ALONE;

/// The buckets and debts of one worker.
#[derive(Default)]
pub(super) struct Fallback {
    accounts: IdentityMap<Vec<Account>>,
}

/// One limit of one identity.
struct Account {
    limit: Limit,
    bucket: Bucket,
    /// Admitted here and not yet counted there.
    owed: Entries,
    /// Counted there and to be taken back.
    owed_back: Entries,
}

impl Account {
    fn owes(&self) -> bool {
        !self.owed.0.is_empty() || !self.owed_back.0.is_empty()
    }

    fn is_idle(&self, now: Micros) -> bool {
        !self.owes() && self.bucket.is_full(now)
    }
}

/// Units and when.
#[derive(Default)]
struct Entries(Vec<(Now, u32)>);

impl Entries {
    /// Posting happens with the next write that succeeds, so there are rarely more than a few.
    const MAX: usize = 64;

    fn find(&mut self, at: Now) -> Option<&mut (Now, u32)> {
        self.0.iter_mut().find(|(own, _)| own.mono.div_ceil(MILLISECOND) == at.mono.div_ceil(MILLISECOND))
    }

    /// Up to one whole millisecond, and when there are too many, the later instant stands for all: a unit counted
    /// at it is out of the window never too early.
    fn owe(&mut self, units: u32, at: Now) {
        let full = self.0.len() >= Self::MAX;
        match self.find(at) {
            Some(entry) => *entry = (later(entry.0, at), entry.1.saturating_add(units)),
            None => match self.0.last_mut().filter(|_| full) {
                Some(entry) => *entry = (later(entry.0, at), entry.1.saturating_add(units)),
                None => self.0.push((at, units)),
            },
        }
    }

    /// What is given back must be at its instant, so when there are too many it is kept: a rejection too early,
    /// never a unit too many. Answers whether it is noted.
    fn owe_back(&mut self, units: u32, at: Now) -> bool {
        let full = self.0.len() >= Self::MAX;
        match self.0.iter_mut().find(|(own, _)| *own == at) {
            Some((_, owed)) => *owed = owed.saturating_add(units),
            None if full => return false,
            None => self.0.push((at, units)),
        }
        true
    }
}

fn later(one: Now, other: Now) -> Now {
    if one.mono >= other.mono { one } else { other }
}

impl Fallback {
    /// Answers a charge without the shared record, and owes what it admits, unless that is not counted. `seen` is
    /// how the record answered when it was last read.
    pub fn answer(&mut self, charge: &Charge<'_>, seen: Option<Verdicts>, now: Now) -> Verdicts {
        let wait = self.wait(charge, now);
        if wait > 0 {
            return charge.answering().map(|limit| rejection(limit, now.mono, wait)).collect();
        }
        if charge.count != Count::Never {
            for account in self.accounts(charge, MAX_ALONE).into_iter().flatten() {
                if charge.limits.iter().any(|limit| limit.id == account.limit.id) {
                    account.bucket.charge(now.mono, charge.cost);
                }
            }
            self.owe(charge, charge.cost, now);
        }
        seen.unwrap_or_else(|| charge.answering().map(|limit| admission(limit, now.mono)).collect())
    }

    /// How long until a charge would be admitted here, 0 if it is. What could not be owed is not admitted.
    fn wait(&mut self, charge: &Charge<'_>, now: Now) -> Micros {
        let longest = charge.answering().map(|limit| limit.window).max().unwrap_or_default();
        if charge.on_contention == OnContention::Deny {
            // A conflict is over in no time: the client may come again at once, as soon as it can be told to.
            return 1;
        }
        match (charge.on_contention, self.accounts(charge, MAX_ALONE)) {
            (_, None) => longest,
            (OnContention::Allow | OnContention::Deny, Some(_)) => 0,
            (OnContention::Bucket, Some(accounts)) => {
                let own = |account: &&Account| charge.limits.iter().any(|limit| limit.id == account.limit.id);
                let waits =
                    accounts.iter().filter(own).map(|account| account.bucket.wait(now.mono, charge.cost));
                waits.max().unwrap_or_default()
            }
        }
    }

    /// The accounts of a charge's limits that can owe. What is in flight can't: each write tells it anew. `None`: too many
    /// identities.
    fn debtors(&mut self, charge: &Charge<'_>) -> Option<impl Iterator<Item = &mut Account>> {
        let ids: Vec<LimitId> =
            charge.answering().filter(|limit| !is_held(limit)).map(|limit| limit.id).collect();
        let accounts = match ids.is_empty() {
            true => &mut [][..],
            false => self.accounts(charge, MAX_OWING)?.as_mut_slice(),
        };
        Some(accounts.iter_mut().filter(move |account| ids.contains(&account.limit.id)))
    }

    /// Owes units of a charge that was admitted, or is to be counted although it was not. Answers whether that is noted.
    pub fn owe(&mut self, charge: &Charge<'_>, units: u32, at: Now) -> bool {
        let Some(debtors) = self.debtors(charge) else { return false };
        debtors.for_each(|account| account.owed.owe(units, at));
        true
    }

    /// Owes units back that were counted at `at`. Answers whether that is noted.
    fn owe_back(&mut self, charge: &Charge<'_>, units: u32, at: Now) -> bool {
        let Some(debtors) = self.debtors(charge) else { return false };
        debtors.fold(true, |all, account| account.owed_back.owe_back(units, at) & all)
    }

    /// Owes a correction that could not be written. Answers whether all of it that must not be lost is noted: what a stock
    /// really is, or that a record is proven, the next response says again.
    pub fn owe_correction(&mut self, charge: &Charge<'_>, correction: &Correction) -> bool {
        let more = correction.more.is_none_or(|(at, units)| self.owe(charge, units, at));
        // In the overflow record nobody's units can be told apart any more.
        let back = correction.back.filter(|_| !correction.overflowed);
        back.is_none_or(|(at, units)| self.owe_back(charge, units, at)) && more
    }

    /// Enters the debts of a charge's identity into its opened counters: those of its own record or, if that is gone, of one
    /// that has nothing to give back. Answers whether there were any.
    pub fn post(&self, charge: &Charge<'_>, counters: &mut [Counter<'_>], own: bool) -> bool {
        // Nearly always there is nothing here, and then nothing is looked up.
        let Some(accounts) = self.accounts.get(charge.identity) else { return false };
        let mut any = false;
        for (limit, counter) in charge.limits.iter().zip(counters) {
            for account in accounts.iter().filter(|account| account.limit.id == limit.id && account.owes()) {
                account.owed.0.iter().for_each(|(at, units)| counter.charge(*at, *units));
                let back = account.owed_back.0.iter().filter(|_| own);
                back.for_each(|(at, units)| counter.refund(*at, *units));
                any = true;
            }
        }
        any
    }

    /// The debts of a charge's limits are in the shared record now. An account that has no other use is closed.
    pub fn posted(&mut self, charge: &Charge<'_>, now: Micros) {
        let Some(accounts) = self.accounts.get_mut(charge.identity) else { return };
        for account in accounts.iter_mut() {
            if charge.limits.iter().any(|limit| limit.id == account.limit.id) {
                (account.owed, account.owed_back) = Default::default();
            }
        }
        if accounts.iter().all(|account| account.is_idle(now)) {
            self.accounts.remove(charge.identity);
        }
    }

    /// Who has debts, and for which limits.
    pub fn owing(&self) -> Vec<(Identity, Vec<Limit>)> {
        let owing = |(identity, accounts): (Identity, &Vec<Account>)| {
            let owing = accounts.iter().filter(|account| account.owes());
            (identity, owing.map(|account| account.limit).collect::<Vec<_>>())
        };
        self.accounts.iter().map(owing).filter(|(_, limits)| !limits.is_empty()).collect()
    }

    /// Forgets accounts that owe nothing and whose bucket is full again.
    pub fn forget_the_idle(&mut self, now: Micros) {
        let is_idle = |account: &Account| account.is_idle(now);
        let idle = self.accounts.iter().filter(|(_, accounts)| accounts.iter().all(is_idle));
        let idle: Vec<Identity> = idle.map(|(identity, _)| identity).collect();
        idle.into_iter().for_each(|identity| drop(self.accounts.remove(identity)));
    }

    /// The accounts of a charge's identity, opened for each of its limits that answer: a worker alone can't know of a
    /// penalty, nor start one. `None`: they would be those of more than `max` identities.
    fn accounts(&mut self, charge: &Charge<'_>, max: usize) -> Option<&mut Vec<Account>> {
        let accounts = self.accounts.open(charge.identity, max)?;
        for limit in charge.answering() {
            match accounts.iter_mut().find(|account| account.limit.id == limit.id) {
                Some(account) => account.limit = *limit,
                None => accounts.push(Account {
                    limit: *limit,
                    bucket: Bucket::of_worker(limit),
                    owed: Entries::default(),
                    owed_back: Entries::default(),
                }),
            }
        }
        Some(accounts)
    }
}

/// What can be said without the shared count: nothing is promised beyond this request.
fn admission(limit: &Limit, now: Micros) -> Verdict {
    let full_reset = now.saturating_add(limit.window);
    Verdict {
        admitted: true,
        quota: limit.quota,
        remaining: 0,
        next_slot: full_reset,
        full_reset,
        retry_after: 0,
    }
}

fn rejection(limit: &Limit, now: Micros, wait: Micros) -> Verdict {
    Verdict {
        admitted: false,
        quota: limit.quota,
        remaining: 0,
        next_slot: now.saturating_add(wait),
        full_reset: now.saturating_add(limit.window),
        retry_after: wait.max(1),
    }
}
