//! The oracle: it knows what has reached the upstream, and tells at each admission whether a promise is
//! broken.
//!
//! What has not been handled yet counts with what it holds, since the upstream may still do it; so a limit of
//! 5 is broken as soon as 6 are on their way. What a `cost_header` costs beyond that counts from the answer
//! on: at most `in flight × (real − hold)` units can pass a quota so, as README says, and no admission after
//! it.

use super::bucket::{Bucket, MAX_DEBT, Rate};
use super::promise::{Handled, Life, Promise};
use super::upstream::Owner;
use super::wear::Wear;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use tollgate::decision::Decision;
use tollgate::engine::Engine;
use tollgate::identity::Identity;
use tollgate::limiter::calendar::Calendar;
use tollgate::limiter::{Algorithm, Limit, can_be_forgiven};
use tollgate::time::{Micros, Now};

/// An admitted request, by number.
pub type StreamId = u64;

/// One limit, by index, of one caller of one policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Account {
    policy: usize,
    limit: usize,
    identity: Identity,
}

/// What was admitted there.
#[derive(Default)]
struct Ledger {
    entries: VecDeque<Entry>,
    /// Things that were deleted.
    deleted: u64,
    /// When it was rejected while it was full.
    throttled: Option<Micros>,
    /// The largest quota that the caller has had.
    fastest: u32,
}

/// An admitted request, what it cost, and the rate of its caller's tier.
struct Entry {
    stream: StreamId,
    cost: u64,
    rate: Rate,
}

/// A promise that was broken.
#[derive(Clone, Debug)]
pub struct Breach {
    pub policy: String,
    pub limit: Limit,
    /// What has truly passed, and the most that may.
    pub passed: u64,
    pub allowed: u64,
    pub at: Micros,
    /// The last requests that it is about.
    pub streams: Vec<StreamId>,
}

/// Who knows what has reached the upstream.
#[derive(Default)]
pub struct Oracle {
    promises: Vec<Promise>,
    lives: HashMap<StreamId, Life>,
    ledgers: HashMap<Account, Ledger>,
}

impl Oracle {
    pub fn new(promises: Vec<Promise>) -> Oracle {
        Oracle { promises, ..Oracle::default() }
    }

    /// The policies are others from now on, and count in the same table. A bucket is told from its whole
    /// history, so those begin anew.
    pub fn update(&mut self, promises: Vec<Promise>, engine: &Engine) {
        self.promises = promises;
        let limits = |account: &Account| engine.rules().policies[account.policy].limits()[account.limit];
        let is_bucket = |account: &Account| {
            matches!(
                limits(account).algorithm,
                Algorithm::TokenBucket(_) | Algorithm::AtOnce(_) | Algorithm::LeakyBucket(_)
            )
        };
        self.ledgers.retain(|account, _| !is_bucket(account));
    }

    /// A request has been admitted. Answers the promise that this breaks, if it breaks one.
    pub fn admit(
        &mut self,
        stream: StreamId,
        engine: &Engine,
        decision: &Decision,
        wear: &Wear,
    ) -> Option<Breach> {
        let now = decision.now;
        self.lives
            .insert(stream, Life { admitted: now, handled: Handled::NotYet, heard: None, ended: false });
        let mut breach = None;
        for (account, limit, cost) in accounts(engine, decision) {
            let ledger = self.ledgers.entry(account).or_default();
            ledger.entries.push_back(Entry { stream, cost, rate: Rate::of(&limit) });
            ledger.fastest = ledger.fastest.max(limit.quota.get());
            breach = breach.or(self.check(account, &limit, now, wear));
        }
        breach
    }

    /// A request has been rejected: whoever is throttled now stays so.
    pub fn reject(&mut self, engine: &Engine, decision: &Decision) {
        let now = decision.now;
        for (account, limit, cost) in accounts(engine, decision) {
            let full = self.promises[account.policy].of_addresses
                && matches!(limit.algorithm, Algorithm::SlidingWindow(_))
                && self.passed(&account, &limit, now) + cost > u64::from(limit.quota.get());
            if let Some(ledger) = self.ledgers.get_mut(&account).filter(|_| full) {
                ledger.throttled = Some(now.mono);
            }
        }
    }

    /// Something has become of an admitted request.
    pub fn note(&mut self, stream: StreamId, change: impl FnOnce(&mut Life)) {
        if let Some(life) = self.lives.get_mut(&stream) {
            change(life);
        }
    }

    pub fn delete(&mut self, (policy, identity): Owner) {
        for (account, ledger) in &mut self.ledgers {
            if (account.policy, account.identity) == (policy, identity) {
                ledger.deleted += 1;
            }
        }
    }

    /// Whoever has been admitted something, in one order: by policy and record.
    pub fn callers(&self) -> Vec<Owner> {
        let mut callers: Vec<Owner> = self.ledgers.keys().map(|one| (one.policy, one.identity)).collect();
        callers.sort_unstable();
        callers.dedup();
        callers
    }

    /// An operator has forgiven a caller: what it was admitted before does not count, but for what exists.
    pub fn forgive(&mut self, (policy, identity): Owner, limits: &[Limit]) {
        for (limit, _) in limits.iter().enumerate().filter(|(_, limit)| can_be_forgiven(limit)) {
            self.ledgers.remove(&Account { policy, limit, identity });
        }
    }

    fn check(&mut self, account: Account, limit: &Limit, now: Now, wear: &Wear) -> Option<Breach> {
        let passed = self.passed(&account, limit, now);
        let allowed = wear.allowed(limit, now.mono).unwrap_or(u64::MAX);
        let allowed = allowed.saturating_add(self.beyond_quota_before(&account, limit, now));
        let freed =
            self.freed_since_throttled(&account, limit, now).filter(|_| wear.forgets(limit, now.mono));
        let (passed, allowed) = freed.unwrap_or((passed, allowed));
        self.forget(&account, limit, now);
        let streams =
            || self.ledgers[&account].entries.iter().rev().take(20).map(|entry| entry.stream).collect();
        (passed > allowed).then(|| Breach {
            policy: self.promises[account.policy].name.clone(),
            limit: *limit,
            passed,
            allowed,
            at: now.mono,
            streams: streams(),
        })
    }

    /// The units that truly count at an instant, and must not be above the quota.
    fn passed(&self, account: &Account, limit: &Limit, now: Now) -> u64 {
        let Some(ledger) = self.ledgers.get(account) else { return 0 };
        let sum = |counts: &dyn Fn(Now) -> bool| {
            let units = self.counted(account.policy, ledger).filter(|(at, _)| counts(*at));
            units.map(|(_, units)| units).sum::<u64>()
        };
        match limit.algorithm {
            // Of a bucket that is refilled at once, a window has one refill.
            Algorithm::SlidingWindow(_) | Algorithm::SlidingCounter(_) | Algorithm::AtOnce(_) => {
                sum(&|at| at.mono + limit.window > now.mono)
            }
            Algorithm::FixedWindow(_) => sum(&|at| at.wall / limit.window == now.wall / limit.window),
            Algorithm::Calendar(calendar) => sum(&|at| is_same_period(calendar, at, now)),
            Algorithm::TokenBucket(_) => self.missing(account.policy, limit, ledger),
            Algorithm::LeakyBucket(_) => self.still_to_come(account.policy, limit, ledger, now),
            Algorithm::Concurrency(_) => {
                let open = |entry: &&Entry| self.lives.get(&entry.stream).is_some_and(|life| !life.ended);
                ledger.entries.iter().filter(open).map(|entry| entry.cost).sum()
            }
            Algorithm::Stock(_) => sum(&|_| true).saturating_sub(ledger.deleted),
            Algorithm::Penalty(_) => 0,
        }
    }

    /// By how much the window before this one passed the quota, since some responses said late what their
    /// requests had cost. An estimate from two counters sees little of it once this window has begun.
    fn beyond_quota_before(&self, account: &Account, limit: &Limit, now: Now) -> u64 {
        let (Algorithm::SlidingCounter(_), Some(ledger)) = (limit.algorithm, self.ledgers.get(account))
        else {
            return 0;
        };
        let before = |(at, _): &(Now, u64)| at.mono / limit.window + 1 == now.mono / limit.window;
        let units = self.counted(account.policy, ledger).filter(before).map(|(_, units)| units);
        units.sum::<u64>().saturating_sub(limit.quota.get().into())
    }

    fn counted<'a>(&'a self, policy: usize, ledger: &'a Ledger) -> impl Iterator<Item = (Now, u64)> + 'a {
        let lives = ledger.entries.iter().filter_map(|one| Some((one.cost, self.lives.get(&one.stream)?)));
        lives.flat_map(move |(cost, life)| self.promises[policy].counted(cost, life))
    }

    /// What is missing in a bucket that was full before.
    fn missing(&self, policy: usize, limit: &Limit, ledger: &Ledger) -> u64 {
        let lives = ledger.entries.iter().filter_map(|one| Some((one, self.lives.get(&one.stream)?)));
        let mut charges: Vec<(Micros, u64, Rate)> = lives
            .flat_map(|(one, life)| {
                self.promises[policy].counted(one.cost, life).map(|(at, units)| (at.mono, units, one.rate))
            })
            .filter(|(_, units, _)| *units > 0)
            .collect();
        charges.sort_by_key(|(at, ..)| *at);
        let mut bucket = Bucket::full(limit);
        charges.into_iter().for_each(|(at, units, rate)| bucket.charge(at, units, rate));
        bucket.missing(Rate::of(limit))
    }

    /// The units that were still to come when the last request was admitted, but for what the clock does not show.
    fn still_to_come(&self, policy: usize, limit: &Limit, ledger: &Ledger, now: Now) -> u64 {
        // Of which tier a caller was in the meantime is not noted.
        let (quota, window) = (i128::from(ledger.fastest), i128::from(limit.window));
        let before = ledger.entries.iter().rev().skip(1);
        let lives = before.filter_map(|one| Some((one.cost, self.lives.get(&one.stream)?)));
        let mut counted: Vec<(Now, u64)> = lives
            .flat_map(|(cost, life)| {
                // What counts with its answer is held from its arrival on.
                let [(_, held), late] = self.promises[policy].counted(cost, life);
                [(life.admitted, held), late]
            })
            .filter(|(_, units)| *units > 0)
            .collect();
        counted.sort_by_key(|(at, _)| at.mono);
        let most = (limit.window + MAX_DEBT) as i128 * quota;
        let left_after = |left: i128, time: Micros| {
            let left = left - i128::from(time) * quota;
            // A request begins when those before it were over, if the clock has shown nothing since.
            if left > -quota { left } else { 0 }
        };
        let follow = |(left, last): (i128, Micros), (at, units): &(Now, u64)| {
            ((left_after(left, at.mono - last) + i128::from(*units) * window).min(most), at.mono)
        };
        let (left, last) = counted.iter().fold((0, 0), follow);
        let left = left_after(left, now.mono - last) - quota;
        u64::try_from(left.max(0).div_euclid(window) + i128::from(left > 0 && left % window > 0)).unwrap()
    }

    /// What a throttled caller has been admitted since, and what has left its window since.
    fn freed_since_throttled(&self, account: &Account, limit: &Limit, now: Now) -> Option<(u64, u64)> {
        let ledger = self.ledgers.get(account)?;
        let since = ledger.throttled.filter(|since| now.mono < since + limit.window)?;
        let sum = |from: Micros, to: Micros| {
            let within = |(at, _): &(Now, u64)| at.mono > from && at.mono <= to;
            self.counted(account.policy, ledger).filter(within).map(|(_, units)| units).sum::<u64>()
        };
        let freed = sum(since.saturating_sub(limit.window), now.mono.saturating_sub(limit.window));
        // Below half it may be forgotten.
        (freed * 2 < u64::from(limit.quota.get())).then(|| (sum(since, now.mono), freed))
    }

    /// Forgets what has left its window long ago.
    fn forget(&mut self, account: &Account, limit: &Limit, now: Now) {
        let Some(ledger) = self.ledgers.get_mut(account) else { return };
        let Algorithm::SlidingWindow(_) = limit.algorithm else { return };
        let gone = |life: &Life| {
            let last = life.heard.unwrap_or(life.admitted);
            life.ended && last.mono + 2 * limit.window < now.mono
        };
        while let Some(Entry { stream, .. }) = ledger.entries.front()
            && self.lives.get(stream).is_none_or(gone)
        {
            ledger.entries.pop_front();
        }
    }
}

fn is_same_period(calendar: Calendar, one: Now, other: Now) -> bool {
    calendar.zone.next_edge(one.wall, calendar.period) == calendar.zone.next_edge(other.wall, calendar.period)
}

/// The limits that have judged a request, and what it cost there.
fn accounts(engine: &Engine, decision: &Decision) -> Vec<(Account, Limit, u64)> {
    let of_policy = |answer: &tollgate::decision::PolicyDecision| {
        let (policy, identity) = (answer.policy, answer.identity);
        let charge = engine.rules().policies[policy].charge(identity, answer.limit_set, answer.cost);
        let limits = charge.limits.iter().enumerate().filter(|(_, limit)| !limit.is_penalty());
        let accounts =
            limits.map(|(limit, rule)| (Account { policy, limit, identity }, *rule, u64::from(answer.cost)));
        accounts.collect::<Vec<_>>()
    };
    decision.policies().iter().flat_map(of_policy).collect()
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Breach { policy, limit, passed, allowed, at, .. } = self;
        write!(f, "policy {policy}: {passed} passed where {allowed} may, at {at} µs, of {limit:?}")
    }
}
