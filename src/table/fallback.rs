//! What one worker knows that the shared table does not yet: token buckets that answer while a record
//! can't be written, and the debts they make.

use super::{Charge, Verdicts};
use crate::key::Identity;
use crate::limiter::token_bucket::Bucket;
use crate::limiter::{Counter, Limit, Verdict};
use crate::time::Micros;
use std::collections::BTreeMap;

/// More identities than this at once are refused: a flood must not grow the worker's memory.
const MOST_IDENTITIES: usize = 4096;

/// The buckets and debts of one worker.
#[derive(Default)]
pub(super) struct Fallback {
    accounts: BTreeMap<Identity, Vec<Account>>,
}

/// One limit of one identity.
struct Account {
    limit: Limit,
    bucket: Bucket,
    /// Admitted here and not yet counted there.
    owed: Entry,
    /// Counted there and to be taken back.
    owed_back: Entry,
}

impl Account {
    fn owes(&self) -> bool {
        self.owed.units > 0 || self.owed_back.units > 0
    }
}

/// Units, and the last instant any of them was admitted at: a stamp is never too early.
#[derive(Clone, Copy, Default)]
struct Entry {
    units: u32,
    at: Micros,
}

impl Entry {
    fn add(&mut self, units: u32, at: Micros) {
        self.units = self.units.saturating_add(units);
        self.at = self.at.max(at);
    }
}

impl Fallback {
    /// Answers a charge from the buckets, and owes what they admit. `seen` is how the shared record would
    /// have answered when it was last read.
    pub fn charge(&mut self, charge: &Charge<'_>, seen: Option<Verdicts>, now: Micros) -> Verdicts {
        let Some(accounts) = self.accounts(charge) else {
            return charge.limits.iter().map(|limit| refusal(limit, now, limit.window)).collect();
        };
        let mut wait = 0;
        for account in accounts.iter().filter(|account| charge.limits.contains(&account.limit)) {
            wait = wait.max(account.bucket.wait(&account.limit, now, charge.cost));
        }
        if wait > 0 {
            return charge.limits.iter().map(|limit| refusal(limit, now, wait)).collect();
        }
        for account in accounts.iter_mut().filter(|account| charge.limits.contains(&account.limit)) {
            account.bucket.charge(&account.limit, now, charge.cost);
            account.owed.add(charge.cost, now);
        }
        seen.unwrap_or_else(|| charge.limits.iter().map(|limit| admission(limit, now)).collect())
    }

    /// Owes a charge back: it was counted, and then refused elsewhere.
    pub fn owe_back(&mut self, charge: &Charge<'_>, now: Micros) {
        let Some(accounts) = self.accounts(charge) else { return };
        for account in accounts.iter_mut().filter(|account| charge.limits.contains(&account.limit)) {
            account.owed_back.add(charge.cost, now);
        }
    }

    /// Enters the debts of a charge's identity into its opened counters. Answers whether there were any.
    pub fn post(&self, charge: &Charge<'_>, counters: &mut [Counter<'_>]) -> bool {
        // Nearly always there is nothing here, and then nothing is looked up.
        let Some(accounts) = self.accounts.get(&charge.identity) else { return false };
        let mut any = false;
        for (limit, counter) in charge.limits.iter().zip(counters) {
            for account in accounts.iter().filter(|account| account.limit.id == limit.id && account.owes()) {
                counter.charge(account.owed.at, account.owed.units);
                counter.refund(account.owed_back.at, account.owed_back.units);
                any = true;
            }
        }
        any
    }

    /// The debts of a charge's limits are in the shared record now.
    pub fn posted(&mut self, charge: &Charge<'_>) {
        for account in self.accounts.get_mut(&charge.identity).into_iter().flatten() {
            if charge.limits.iter().any(|limit| limit.id == account.limit.id) {
                (account.owed, account.owed_back) = Default::default();
            }
        }
    }

    /// Who has debts.
    pub fn owing(&self) -> Vec<Identity> {
        let owing = self.accounts.iter().filter(|(_, accounts)| accounts.iter().any(Account::owes));
        owing.map(|(identity, _)| *identity).collect()
    }

    /// The limits an identity has accounts for.
    pub fn limits_of(&self, identity: Identity) -> Vec<Limit> {
        self.accounts.get(&identity).into_iter().flatten().map(|account| account.limit).collect()
    }

    /// Forgets accounts that owe nothing and whose bucket is full again.
    pub fn forget_the_idle(&mut self, now: Micros) {
        let idle = |account: &Account| {
            let burst = Bucket::burst(&account.limit);
            !account.owes() && account.bucket.wait(&account.limit, now, burst) == 0
        };
        self.accounts.retain(|_, accounts| !accounts.iter().all(idle));
    }

    /// The accounts of a charge's identity, opened for each of its limits. `None`: too many identities.
    fn accounts(&mut self, charge: &Charge<'_>) -> Option<&mut Vec<Account>> {
        if self.accounts.len() >= MOST_IDENTITIES && !self.accounts.contains_key(&charge.identity) {
            return None;
        }
        let accounts = self.accounts.entry(charge.identity).or_default();
        for limit in charge.limits {
            match accounts.iter_mut().find(|account| account.limit.id == limit.id) {
                Some(account) => account.limit = *limit,
                None => accounts.push(Account {
                    limit: *limit,
                    bucket: Bucket::default(),
                    owed: Entry::default(),
                    owed_back: Entry::default(),
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
