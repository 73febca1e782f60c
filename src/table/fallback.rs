//! What one worker owes the shared table, and how it answers while a record can't be written: by token
//! buckets of its own, whose admissions are debts.

use super::holding::is_held;
use super::{Charge, Count, OnContention, Verdicts};
use crate::by_identity::ByIdentity;
use crate::key::Identity;
use crate::limiter::token_bucket::Bucket;
use crate::limiter::{Counter, Limit, LimitId, Verdict};
use crate::time::{MILLISECOND, Micros, Now};

/// More identities than this at once are refused: a flood must not grow the worker's memory.
const MOST_IDENTITIES: usize = 4096;

/// The buckets and debts of one worker.
#[derive(Default)]
pub(super) struct Fallback {
    accounts: ByIdentity<Vec<Account>>,
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
}

/// Units and when.
#[derive(Default)]
struct Entries(Vec<(Now, u32)>);

impl Entries {
    /// Posting happens with the next write that succeeds, so there are rarely more than a few.
    const MOST: usize = 64;

    fn find(&mut self, at: Now) -> Option<&mut (Now, u32)> {
        self.0.iter_mut().find(|(own, _)| own.mono.div_ceil(MILLISECOND) == at.mono.div_ceil(MILLISECOND))
    }

    /// Up to one whole millisecond, and when there are too many, the later instant stands for all: a unit counted
    /// at it is out of the window never too early.
    fn owe(&mut self, units: u32, at: Now) {
        let full = self.0.len() >= Self::MOST;
        match self.find(at) {
            Some(entry) => *entry = (later(entry.0, at), entry.1.saturating_add(units)),
            None => match self.0.last_mut().filter(|_| full) {
                Some(entry) => *entry = (later(entry.0, at), entry.1.saturating_add(units)),
                None => self.0.push((at, units)),
            },
        }
    }

    /// What is given back must be at its instant, so when there are too many it is kept: a refusal too early,
    /// never a unit too many.
    fn owe_back(&mut self, units: u32, at: Now) {
        let full = self.0.len() >= Self::MOST;
        match self.0.iter_mut().find(|(own, _)| *own == at) {
            Some((_, owed)) => *owed = owed.saturating_add(units),
            None if full => {}
            None => self.0.push((at, units)),
        }
    }
}

fn later(one: Now, other: Now) -> Now {
    if one.mono >= other.mono { one } else { other }
}

impl Fallback {
    /// Answers a charge without the shared record, and owes what it admits, unless that counts later. `seen` is
    /// how the record answered when it was last read.
    pub fn answer(&mut self, charge: &Charge<'_>, seen: Option<Verdicts>, now: Now) -> Verdicts {
        let wait = self.wait(charge, now);
        if wait > 0 {
            return charge.answering().map(|limit| refusal(limit, now.mono, wait)).collect();
        }
        if charge.count != Count::Later {
            for account in self.accounts(charge).into_iter().flatten() {
                if charge.limits.iter().any(|limit| limit.id == account.limit.id) {
                    account.bucket.charge(now.mono, charge.cost);
                }
            }
            self.owe(charge, now);
        }
        seen.unwrap_or_else(|| charge.answering().map(|limit| admission(limit, now.mono)).collect())
    }

    /// How long until a charge would be admitted here, 0 if it is.
    fn wait(&mut self, charge: &Charge<'_>, now: Now) -> Micros {
        let longest = charge.answering().map(|limit| limit.window).max().unwrap_or_default();
        let on_contention = charge.on_contention;
        match (on_contention, self.accounts(charge)) {
            (OnContention::Allow, _) => 0,
            // A conflict is over in no time: the client may come again at once, as soon as it can be told to.
            (OnContention::Deny, _) => 1,
            (OnContention::Bucket, None) => longest,
            (OnContention::Bucket, Some(accounts)) => {
                let own = |account: &&Account| charge.limits.iter().any(|limit| limit.id == account.limit.id);
                let waits =
                    accounts.iter().filter(own).map(|account| account.bucket.wait(now.mono, charge.cost));
                waits.max().unwrap_or_default()
            }
        }
    }

    /// The accounts of a charge's limits that can owe. What is in flight can't: each write tells it anew.
    fn debtors(&mut self, charge: &Charge<'_>) -> impl Iterator<Item = &mut Account> {
        let ids: Vec<LimitId> =
            charge.answering().filter(|limit| !is_held(limit)).map(|limit| limit.id).collect();
        self.accounts(charge).into_iter().flatten().filter(move |account| ids.contains(&account.limit.id))
    }

    /// Owes a charge that was admitted, or is to be counted although it was not.
    pub fn owe(&mut self, charge: &Charge<'_>, at: Now) {
        self.debtors(charge).for_each(|account| account.owed.owe(charge.cost, at));
    }

    /// Owes a charge back that was counted at `at`.
    pub fn owe_back(&mut self, charge: &Charge<'_>, at: Now) {
        self.debtors(charge).for_each(|account| account.owed_back.owe_back(charge.cost, at));
    }

    /// Enters the debts of a charge's identity into its opened counters. Answers whether there were any.
    pub fn post(&self, charge: &Charge<'_>, counters: &mut [Counter<'_>]) -> bool {
        // Nearly always there is nothing here, and then nothing is looked up.
        let Some(accounts) = self.accounts.get(charge.identity) else { return false };
        let mut any = false;
        for (limit, counter) in charge.limits.iter().zip(counters) {
            for account in accounts.iter().filter(|account| account.limit.id == limit.id && account.owes()) {
                account.owed.0.iter().for_each(|(at, units)| counter.charge(*at, *units));
                account.owed_back.0.iter().for_each(|(at, units)| counter.refund(*at, *units));
                any = true;
            }
        }
        any
    }

    /// The debts of a charge's limits are in the shared record now.
    pub fn posted(&mut self, charge: &Charge<'_>) {
        for account in self.accounts.get_mut(charge.identity).into_iter().flatten() {
            if charge.limits.iter().any(|limit| limit.id == account.limit.id) {
                (account.owed, account.owed_back) = Default::default();
            }
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
        let idle = |account: &Account| !account.owes() && account.bucket.is_full(now);
        let idle = self.accounts.iter().filter(|(_, accounts)| accounts.iter().all(idle));
        let idle: Vec<Identity> = idle.map(|(identity, _)| identity).collect();
        idle.into_iter().for_each(|identity| drop(self.accounts.remove(identity)));
    }

    /// The accounts of a charge's identity, opened for each of its limits that answer: a worker alone can't know of a
    /// penalty, nor start one. `None`: too many identities.
    fn accounts(&mut self, charge: &Charge<'_>) -> Option<&mut Vec<Account>> {
        let accounts = self.accounts.open(charge.identity, MOST_IDENTITIES)?;
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

fn refusal(limit: &Limit, now: Micros, wait: Micros) -> Verdict {
    Verdict {
        admitted: false,
        quota: limit.quota,
        remaining: 0,
        next_slot: now.saturating_add(wait),
        full_reset: now.saturating_add(limit.window),
        retry_after: wait.max(1),
    }
}
