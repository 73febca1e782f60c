//! What is counted while a log is replayed. Its memory is bounded by the number of callers, and that by
//! [`MAX_CALLERS`].

use std::collections::{BTreeMap, HashMap};
use tollgate::decision::{Decision, PolicyDecision};
use tollgate::identity::Identity;
use tollgate::limiter::Verdict;
use tollgate::rules::PolicySet;
use tollgate::time::{Micros, SECOND};

/// The maximum number of callers that are told apart, each counted once for every policy that counts it. Some
/// 400 bytes each, with the room that a map leaves.
pub const MAX_CALLERS: usize = 1_000_000;

/// The maximum number of hours that are told apart: some eleven years.
const MAX_HOURS: usize = 100_000;

/// What happened under one configuration.
#[derive(Debug)]
pub struct Tally {
    /// The number of requests.
    pub requests: u64,
    /// How many of them were rejected.
    pub rejected: u64,
    /// One entry for each policy.
    pub policies: Vec<PolicyTally>,
    /// The callers, by policy and identity.
    pub callers: HashMap<(usize, Identity), CallerTally>,
    /// The number of decisions about callers that there was no room for.
    pub unlisted: u64,
    /// Requests and rejections in each hour since the UNIX epoch.
    pub hours: BTreeMap<u64, (u64, u64)>,
    max_callers: usize,
}

/// What one policy did.
#[derive(Clone, Debug, Default)]
pub struct PolicyTally {
    /// The requests that it judged.
    pub judged: u64,
    /// How many of them it rejected, or would have.
    pub rejected: u64,
    /// How many of these rejections were not enforced.
    pub shadow: u64,
    /// One entry for each limit, the penalty last.
    pub limits: Vec<LimitTally>,
}

/// What one limit did.
#[derive(Clone, Copy, Debug, Default)]
pub struct LimitTally {
    /// The requests that it judged.
    pub judged: u64,
    /// How many of them it rejected, or would have.
    pub rejected: u64,
    /// The most that one caller had used of it after a request, in thousandths of the quota.
    pub fullest: u64,
    /// The longest wait that it asked for.
    pub longest_wait: Micros,
}

/// One caller of one policy.
#[derive(Clone, Debug)]
pub struct CallerTally {
    /// How it is shown.
    pub label: Box<str>,
    /// Its tier, as an index.
    pub tier: Option<usize>,
    /// The requests that the policy judged.
    pub requests: u64,
    /// How many of them it rejected.
    pub rejected: u64,
    /// The most that the caller had used of a quota, in thousandths.
    pub fullest: u64,
    /// When that was, since the UNIX epoch.
    pub fullest_at: Micros,
    /// The limit with that quota, as an index.
    pub fullest_limit: usize,
    /// When it was first rejected.
    pub first_rejected: Option<Micros>,
    /// Requests that are rejected now and were not by the other policy.
    pub newly: u64,
    /// Requests that were rejected by the other policy and are not now.
    pub no_longer: u64,
}

impl Tally {
    /// A tally for these policies, with at most this number of callers.
    pub fn new(rules: &PolicySet, max_callers: usize) -> Tally {
        let policies = rules.policies.iter().map(|policy| PolicyTally {
            limits: vec![LimitTally::default(); policy.limits().len()],
            ..PolicyTally::default()
        });
        Tally {
            requests: 0,
            rejected: 0,
            policies: policies.collect(),
            callers: HashMap::new(),
            unlisted: 0,
            hours: BTreeMap::new(),
            max_callers,
        }
    }

    /// Counts a decision. `describe` says how a new caller is shown, and its tier.
    pub fn count(
        &mut self,
        rules: &PolicySet,
        decision: &Decision,
        describe: impl Fn(&PolicyDecision) -> (Box<str>, Option<usize>),
    ) {
        let (rejected, at) = (decision.rejected(), decision.now.wall);
        self.requests += 1;
        self.rejected += u64::from(rejected);
        self.count_hour(at, rejected);
        for one in decision.policies() {
            self.count_policy(rules, one, at, false, &describe);
        }
        for one in decision.shadows() {
            self.count_policy(rules, one, at, true, &describe);
        }
    }

    fn count_hour(&mut self, at: Micros, rejected: bool) {
        const HOUR: Micros = 3_600 * SECOND;
        if self.hours.len() < MAX_HOURS || self.hours.contains_key(&(at / HOUR)) {
            let (requests, rejections) = self.hours.entry(at / HOUR).or_default();
            *requests += 1;
            *rejections += u64::from(rejected);
        }
    }

    fn count_policy(
        &mut self,
        rules: &PolicySet,
        one: &PolicyDecision,
        at: Micros,
        shadow: bool,
        describe: &impl Fn(&PolicyDecision) -> (Box<str>, Option<usize>),
    ) {
        let Some(policy) = rules.policies.get(one.policy) else { return };
        let limit_set = one.own_limits.as_deref().unwrap_or_else(|| policy.limit_sets.get(one.limit_set));
        let judging = limit_set.judging();
        let rejected = one.rejected();
        let (mut fullest, mut fullest_limit) = (0, 0);
        if let Some(tally) = self.policies.get_mut(one.policy) {
            tally.judged += 1;
            tally.rejected += u64::from(rejected);
            tally.shadow += u64::from(rejected && shadow);
            for (place, verdict) in one.outcome.verdicts.iter().enumerate() {
                let index = judging.as_ref().map_or(Some(place), |judging| judging.get(place).copied());
                let Some((index, limit)) =
                    index.and_then(|index| Some((index, tally.limits.get_mut(index)?)))
                else {
                    continue;
                };
                let used = used(verdict);
                limit.judged += 1;
                limit.rejected += u64::from(!verdict.admitted);
                limit.fullest = limit.fullest.max(used);
                limit.longest_wait = limit.longest_wait.max(verdict.retry_after);
                if used > fullest {
                    (fullest, fullest_limit) = (used, index);
                }
            }
        }
        let Some(caller) = self.caller(one, describe) else { return };
        caller.requests += 1;
        if rejected {
            caller.rejected += 1;
            caller.first_rejected = caller.first_rejected.or(Some(at));
        }
        if fullest > caller.fullest {
            (caller.fullest, caller.fullest_at, caller.fullest_limit) = (fullest, at, fullest_limit);
        }
    }

    /// The entry of a caller. `None`: there is no room for another one.
    pub fn caller(
        &mut self,
        one: &PolicyDecision,
        describe: &impl Fn(&PolicyDecision) -> (Box<str>, Option<usize>),
    ) -> Option<&mut CallerTally> {
        let key = (one.policy, one.identity.known(false));
        if self.callers.len() >= self.max_callers && !self.callers.contains_key(&key) {
            self.unlisted += 1;
            return None;
        }
        Some(self.callers.entry(key).or_insert_with(|| {
            let (label, tier) = describe(one);
            CallerTally {
                label,
                tier,
                requests: 0,
                rejected: 0,
                fullest: 0,
                fullest_at: 0,
                fullest_limit: 0,
                first_rejected: None,
                newly: 0,
                no_longer: 0,
            }
        }))
    }
}

/// How much of its quota a caller has used after a request, in thousandths. A caller that is rejected has used
/// what is not left, which may be less than all: the request may cost more.
fn used(verdict: &Verdict) -> u64 {
    let quota = u64::from(verdict.quota);
    match quota {
        0 => 1_000,
        quota => quota.saturating_sub(verdict.remaining).saturating_mul(1_000) / quota,
    }
}
