//! This worker's decisions while a record can't be written, by token buckets of its own, and its debts: what
//! it has admitted or given back without writing it.

use super::charge::{Charge, Correction, OnContention, Verdicts};
use super::forgive::FreshStarts;
use crate::identity::Identity;
use crate::identity_map::IdentityMap;
use crate::limiter::token_bucket::Bucket;
use crate::limiter::{Counter, Limit, LimitId, Verdict};
use crate::time::{MILLISECOND, Micros, Now, SECOND};

/// The maximum number of identities for which a worker has buckets, so that a flood can't grow its memory. It
/// rejects further ones.
const MAX_ALONE: usize = 4096;

/// The maximum number of identities for which it has buckets or debts. It is higher, so that there is room
/// for the debts of requests that are still in flight.
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
    /// Units to be counted in the shared record.
    owed: Entries,
    /// Units to be given back to the shared record.
    owed_back: Entries,
    /// Units that other requests have returned, to be given back to the shared record.
    owed_returns: Entries,
}

impl Account {
    fn owes(&self) -> bool {
        [&self.owed, &self.owed_back, &self.owed_returns].iter().any(|entries| !entries.0.is_empty())
    }

    fn is_idle(&self, now: Micros) -> bool {
        !self.owes() && self.bucket.is_full(now)
    }
}

/// Units, and when they were counted.
#[derive(Default)]
struct Entries(Vec<(Now, u32)>);

impl Entries {
    /// There are rarely more than a few, since the next successful write posts them.
    const MAX: usize = 64;

    fn find(&mut self, at: Now) -> Option<&mut (Now, u32)> {
        self.0.iter_mut().find(|(own, _)| own.mono.div_ceil(MILLISECOND) == at.mono.div_ceil(MILLISECOND))
    }

    /// Adds units. Those of one millisecond share an entry, and further ones the last entry if there is no
    /// room. Its instant is the latest of all its units, so none leaves the window too early.
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

    /// Adds units, unless there is no room. Returns whether they were added. Units can only be given back at
    /// the exact instant they were counted at; units that are not given back cause early rejections, but
    /// never exceed a quota.
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
    /// The verdicts on a charge without the shared record. If they admit it, it becomes a debt, unless it is
    /// not to be counted. `seen` are the verdicts by the record when it was last read.
    pub fn decide(&mut self, charge: &Charge<'_>, seen: Option<Verdicts>, now: Now) -> Verdicts {
        let wait = self.wait(charge, now);
        if wait > 0 {
            return charge.judging().map(|limit| rejection(limit, now.mono, wait)).collect();
        }
        if charge.counts_if_admitted() {
            for account in self.accounts(charge, MAX_ALONE).into_iter().flatten() {
                if charge.limits.iter().any(|limit| limit.id == account.limit.id) {
                    account.bucket.spend(now.mono, charge.cost);
                }
            }
            self.owe(charge, charge.cost, now);
        }
        seen.unwrap_or_else(|| charge.judging().map(|limit| admission(limit, now.mono)).collect())
    }

    /// How long until a charge would be admitted here; 0 if it is now. A charge that could not be owed is not
    /// admitted.
    fn wait(&mut self, charge: &Charge<'_>, now: Now) -> Micros {
        let longest = charge.judging().map(|limit| limit.window).max().unwrap_or_default();
        if charge.on_contention == OnContention::Deny {
            // Conflicts are short, so the client may retry at once.
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

    /// The accounts of a charge's limits that can have debts: all but those that count units in flight, which
    /// every write publishes. `None`: there are too many identities.
    fn debtors(&mut self, charge: &Charge<'_>) -> Option<impl Iterator<Item = &mut Account>> {
        let ids: Vec<LimitId> =
            charge.judging().filter(|limit| !limit.counts_in_flight()).map(|limit| limit.id).collect();
        let accounts = match ids.is_empty() {
            true => &mut [][..],
            false => self.accounts(charge, MAX_OWING)?.as_mut_slice(),
        };
        Some(accounts.iter_mut().filter(move |account| ids.contains(&account.limit.id)))
    }

    /// Owes units to be counted. Returns whether there was room to note them.
    pub fn owe(&mut self, charge: &Charge<'_>, units: u32, at: Now) -> bool {
        let Some(debtors) = self.debtors(charge) else { return false };
        debtors.for_each(|account| account.owed.owe(units, at));
        true
    }

    /// Owes units that are to be given back, in one list of each account. Returns whether there was room to
    /// note them.
    fn owe_back(
        &mut self,
        charge: &Charge<'_>,
        units: Option<(Now, u32)>,
        list: impl Fn(&mut Account) -> &mut Entries,
    ) -> bool {
        let Some((at, units)) = units else { return true };
        let Some(debtors) = self.debtors(charge) else { return false };
        debtors.fold(true, |all, account| list(account).owe_back(units, at) & all)
    }

    /// Owes a correction that could not be written. Returns whether there was room to note its units. The
    /// reported number of a stock and the proof of a record are not noted: the next response has them again.
    pub fn owe_correction(&mut self, charge: &Charge<'_>, correction: &Correction) -> bool {
        let more = correction.more.is_none_or(|(at, units)| self.owe(charge, units, at));
        // Units can't be given back to the overflow record later: it does not say whose they are.
        let back = correction.back.filter(|_| !correction.overflowed);
        let returned = correction.returned.filter(|_| !correction.overflowed);
        let back = self.owe_back(charge, back, |account| &mut account.owed_back);
        self.owe_back(charge, returned, |account| &mut account.owed_returns) && back && more
    }

    /// Posts the debts of a charge's identity to its opened counters. Returns whether there were any. `own`:
    /// the counters are of its own record; only that one has units to give back. Where the counts have begun at
    /// zero (`fresh`), what was owed long before does not count, and nothing goes back.
    pub fn post(
        &self,
        charge: &Charge<'_>,
        counters: &mut [Counter<'_>],
        own: bool,
        fresh: Option<&FreshStarts>,
    ) -> bool {
        /// A worker that decides alone has not seen the record since it read the clock.
        const SKEW: Micros = 2 * SECOND;
        let Some(accounts) = self.accounts.get(charge.identity) else { return false };
        let mut any = false;
        for (i, (limit, counter)) in charge.limits.iter().zip(counters).enumerate() {
            let is_fresh = fresh.is_some_and(|fresh| fresh.since(i) > 0);
            let counts = |at: &Now| fresh.is_none_or(|fresh| fresh.is_new(i, at.mono, SKEW));
            for account in accounts.iter().filter(|account| account.limit.id == limit.id && account.owes()) {
                let owed = account.owed.0.iter().filter(|(at, _)| counts(at));
                owed.for_each(|(at, units)| counter.charge(*at, *units));
                let back = account.owed_back.0.iter().filter(|_| own && !is_fresh);
                back.for_each(|(at, units)| counter.refund(*at, *units));
                let returned = account.owed_returns.0.iter().filter(|_| own);
                returned.for_each(|(at, units)| counter.give_back_newest(*at, *units));
                any = true;
            }
        }
        any
    }

    /// Clears the debts of a charge's limits, which have been written, and drops accounts without any other
    /// use.
    pub fn posted(&mut self, charge: &Charge<'_>, now: Micros) {
        let Some(accounts) = self.accounts.get_mut(charge.identity) else { return };
        for account in accounts.iter_mut() {
            if charge.limits.iter().any(|limit| limit.id == account.limit.id) {
                (account.owed, account.owed_back, account.owed_returns) = Default::default();
            }
        }
        if accounts.iter().all(|account| account.is_idle(now)) {
            self.accounts.remove(charge.identity);
        }
    }

    /// The identities with debts, and the limits of these.
    pub fn owing(&self) -> Vec<(Identity, Vec<Limit>)> {
        let owing = |(identity, accounts): (Identity, &Vec<Account>)| {
            let owing = accounts.iter().filter(|account| account.owes());
            (identity, owing.map(|account| account.limit).collect::<Vec<_>>())
        };
        self.accounts.iter().map(owing).filter(|(_, limits)| !limits.is_empty()).collect()
    }

    /// Drops accounts without debts whose bucket is full.
    pub fn forget_the_idle(&mut self, now: Micros) {
        let is_idle = |account: &Account| account.is_idle(now);
        let idle = self.accounts.iter().filter(|(_, accounts)| accounts.iter().all(is_idle));
        let idle: Vec<Identity> = idle.map(|(identity, _)| identity).collect();
        idle.into_iter().for_each(|identity| drop(self.accounts.remove(identity)));
    }

    /// The accounts of a charge's identity, inserted if need be for each of its limits. Penalties have none,
    /// since a worker alone can neither know of one nor start one. `None`: there are accounts of `max` other
    /// identities.
    fn accounts(&mut self, charge: &Charge<'_>, max: usize) -> Option<&mut Vec<Account>> {
        let accounts = self.accounts.open(charge.identity, max)?;
        for limit in charge.judging() {
            match accounts.iter_mut().find(|account| account.limit.id == limit.id) {
                Some(account) => account.limit = *limit,
                None => accounts.push(Account {
                    limit: *limit,
                    bucket: Bucket::of_worker(limit),
                    owed: Entries::default(),
                    owed_back: Entries::default(),
                    owed_returns: Entries::default(),
                }),
            }
        }
        Some(accounts)
    }
}

/// The verdict without the shared count: nothing is promised beyond this request.
fn admission(limit: &Limit, now: Micros) -> Verdict {
    let full_reset = now.saturating_add(limit.window);
    Verdict {
        admitted: true,
        quota: limit.quota.get(),
        remaining: 0,
        next_slot: full_reset,
        full_reset,
        retry_after: 0,
    }
}

fn rejection(limit: &Limit, now: Micros, wait: Micros) -> Verdict {
    Verdict {
        admitted: false,
        quota: limit.quota.get(),
        remaining: 0,
        next_slot: now.saturating_add(wait),
        full_reset: now.saturating_add(limit.window),
        retry_after: wait.max(1),
    }
}
