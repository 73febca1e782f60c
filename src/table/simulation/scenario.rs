//! The scenario of one run, drawn from its seed: requests, their pace, and what goes wrong.

use super::random::Random;
use super::world::Bug;
use crate::limiter::sliding_window::Slots;
use crate::limiter::{Algorithm, Concurrency, FixedWindow, Limit, LimitId, Penalty, SlidingWindow, Stock};
use crate::table::{ChargeMode, Count, OnContention, TableSize};
use crate::time::{Micros, SECOND};
use std::num::NonZeroU32;

pub const PAGE_BYTES: u16 = 1_536;

#[derive(Debug)]
pub struct Scenario {
    pub workers: usize,
    /// Requests, ends of streams and ticks, of all workers together.
    pub acts: u32,
    pub pages: u32,
    pub policies: Vec<Policy>,
    /// What each worker's policies are from the middle of the run on.
    pub reloaded: Option<Vec<Policy>>,
    pub mode: ChargeMode,
    pub callers: u64,
    /// Whether all policies of one caller count in one record.
    pub one_key: bool,
    pub max_cost: u32,
    /// The mean time between two acts.
    pub gap: Micros,
    /// Whether time passes between a worker's reading of the clock and its write.
    pub held_up: bool,
    /// How many of a thousand acts end an earlier request.
    pub ends: u64,
    /// How many of a thousand ended requests give their units back.
    pub refunds: u64,
    /// How many of a thousand ended requests let the counts begin at zero.
    pub resets: u64,
    /// How many of a thousand acts come after an operator has forgiven somebody something.
    pub forgives: u64,
    /// Whether workers hear of that at once. If not, each at a time of its own.
    pub at_once: bool,
    /// How many of a thousand acts are an operator's who forgives somebody now, by one worker.
    pub operators: u64,
    /// What ended requests may cost on top, if anything: late, and whether or not a quota allows it.
    pub late_costs: &'static [u32],
    /// Whether at the end all streams are ended.
    pub ends_all: bool,
    pub trouble: Trouble,
    pub bug: Bug,
}

/// What goes wrong, each so many times in a thousand; how often changes in the middle of a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trouble {
    /// Writes that meet a conflict.
    pub conflicts: u64,
    /// Reads and writes for which the host returns an error.
    pub unavailable: u64,
    /// Reads and writes at which the worker's VM crashes.
    pub crashes: u64,
    /// Writes after which another module overwrites the page.
    pub damage: u64,
    /// Acts before which the wall clock is stepped.
    pub steps: u64,
}

#[derive(Clone, Debug)]
pub struct Policy {
    pub limits: Vec<Limit>,
    /// Those whose units come back when the stream ends, and the others.
    pub in_flight: Vec<Limit>,
    pub spent: Vec<Limit>,
    pub count: Count,
    pub on_contention: OnContention,
    pub held: bool,
}

impl Policy {
    pub fn new(limits: Vec<Limit>) -> Policy {
        let (in_flight, spent) = limits.iter().partition(|limit: &&Limit| limit.counts_in_flight());
        let (count, on_contention) = Default::default();
        Policy { limits, in_flight, spent, count, on_contention, held: false }
    }

    /// The same policy with a penalty.
    pub fn with_penalty(mut self, length: Micros, penalty: Penalty) -> Policy {
        let penalty = Limit::penalty("p", length, penalty);
        self.limits.push(penalty);
        self.spent.push(penalty);
        self
    }

    /// The length of its block, if the counts begin at zero after it.
    pub fn restarts_after(&self) -> Option<Micros> {
        let penalty = self.limits.last().filter(|limit| limit.algorithm.restarts_after_block())?;
        Some(penalty.window)
    }

    /// The same policy with half or double the quotas.
    pub fn with_quota(&self, half: bool) -> Policy {
        let changed = |limit: &Limit| {
            let quota = if half { limit.quota.get() / 2 } else { limit.quota.get() * 2 };
            Limit { quota: NonZeroU32::new(quota).unwrap_or(NonZeroU32::MIN), ..*limit }
        };
        let limits = self.limits.iter().map(changed).collect();
        Policy {
            count: self.count,
            on_contention: self.on_contention,
            held: self.held,
            ..Policy::new(limits)
        }
    }
}

/// How a limit of a scenario counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Sliding,
    Fixed,
    Concurrency,
    Stock,
}

pub fn limit(id: u32, kind: Kind, quota: u64, window: Micros) -> Limit {
    let quota = NonZeroU32::new(quota as u32).unwrap();
    let room = TableSize { pages: NonZeroU32::MIN, page_bytes: PAGE_BYTES }.max_state_bytes();
    let algorithm = match kind {
        Kind::Sliding => {
            Algorithm::SlidingWindow(SlidingWindow { slots: Slots::that_fit(quota, window, room) })
        }
        Kind::Fixed => Algorithm::FixedWindow(FixedWindow),
        Kind::Concurrency => Algorithm::Concurrency(Concurrency { after: 0 }),
        Kind::Stock => Algorithm::Stock(Stock { reported: false }),
    };
    Limit { id: LimitId(id), quota, window, algorithm }
}

impl Scenario {
    /// Whether records may have fresh starts.
    pub fn has_fresh_starts(&self) -> bool {
        self.forgives > 0 || self.operators > 0
    }

    /// Small quotas, one or two policies of one or two limits, nothing going wrong.
    pub fn small(random: &mut Random) -> Scenario {
        Scenario::small_of(
            random,
            &[Kind::Sliding, Kind::Sliding, Kind::Fixed, Kind::Concurrency, Kind::Stock],
        )
    }

    /// The same with limits of these kinds.
    pub fn small_of(random: &mut Random, kinds: &[Kind]) -> Scenario {
        let window = random.pick(&[SECOND, 2 * SECOND, 10 * SECOND, 60 * SECOND]);
        let acts = random.between(100, 400);
        let windows = random.between(1, 8);
        let workers = random.between(1, 7);
        let policies = random.between(1, 2);
        let policies = (0..policies).map(|n| small_policy(random, n as u32 * 10, window, kinds)).collect();
        Scenario {
            workers: workers as usize,
            acts: acts as u32,
            pages: random.pick(&[3, 64]),
            policies,
            reloaded: None,
            mode: random.pick(&[ChargeMode::AllOrNothing, ChargeMode::Sequential]),
            callers: random.between(1, 3),
            one_key: random.chance(300),
            max_cost: random.pick(&[1, 1, 3]),
            // Every worker must tick often enough, or it is taken to be dead.
            gap: (window * windows / 2 / acts).min(SECOND / workers),
            held_up: random.chance(500),
            ends: random.pick(&[0, 100, 300]),
            refunds: random.pick(&[0, 300, 1_000]),
            resets: 0,
            forgives: 0,
            at_once: true,
            operators: 0,
            late_costs: &[],
            ends_all: false,
            trouble: Trouble::default(),
            bug: Bug::None,
        }
    }

    /// One caller with a quota so large that leases are taken.
    pub fn large(random: &mut Random) -> Scenario {
        let window = random.pick(&[SECOND, 2 * SECOND, 5 * SECOND]);
        let quota = random.between(1_000, 3_000);
        let requests = quota * random.between(11, 25) / 10;
        let mut limits = vec![limit(1, random.pick(&[Kind::Sliding, Kind::Fixed]), quota, window)];
        if random.chance(300) {
            limits.push(limit(2, Kind::Sliding, quota * 2, 3 * window));
        }
        let held = quota.is_multiple_of(2);
        Scenario {
            acts: requests as u32,
            pages: 64,
            policies: vec![Policy { held, ..Policy::new(limits) }],
            callers: 1,
            max_cost: random.pick(&[1, 2]),
            gap: window * random.between(8, 30) / 10 / requests,
            ends: random.pick(&[0, 0, 50]),
            ..Scenario::small(random)
        }
    }

    /// One caller with many requests in flight, of which so many end that workers keep what they have published.
    pub fn large_in_flight(random: &mut Random) -> Scenario {
        let quota = random.between(1_000, 1_200);
        let policies = vec![Policy::new(vec![limit(1, Kind::Concurrency, quota, SECOND)])];
        let workers = random.between(2, 7);
        let acts = 6_000;
        Scenario {
            workers: workers as usize,
            acts,
            pages: 64,
            policies,
            callers: 1,
            max_cost: random.pick(&[1, 40]),
            gap: random.pick(&[200, 1_000]),
            ends: random.pick(&[300, 480]),
            refunds: 0,
            ..Scenario::small(random)
        }
    }

    /// Who answers when a record can't be written, for all policies.
    pub fn answered_by(mut self, on_contention: OnContention) -> Scenario {
        self.policies.iter_mut().for_each(|policy| policy.on_contention = on_contention);
        self
    }

    pub fn with(self, trouble: Trouble) -> Scenario {
        Scenario { trouble, ..self }
    }

    /// At most so long, on average.
    pub fn within(self, length: Micros) -> Scenario {
        Scenario { gap: self.gap.min(length / u64::from(self.acts)), ..self }
    }
}

fn small_policy(random: &mut Random, first_id: u32, window: Micros, kinds: &[Kind]) -> Policy {
    let mut limits = vec![limit(first_id + 1, random.pick(kinds), random.between(1, 60), window)];
    if random.chance(400) {
        limits.push(limit(first_id + 2, random.pick(kinds), random.between(1, 90), 3 * window));
    }
    let mut policy = Policy::new(limits);
    policy.count = random.pick(&[
        Count::Accepted,
        Count::Accepted,
        Count::Accepted,
        Count::Accepted,
        Count::All,
        Count::Rejected,
        Count::Never,
    ]);
    if policy.count == Count::Rejected && !policy.in_flight.is_empty() {
        // The language has no such policy: a rejected request is never in flight.
        policy.count = Count::Accepted;
    }
    policy
}

/// Storms of forced conflicts and errors of the host.
pub fn storms(random: &mut Random) -> Trouble {
    Trouble {
        conflicts: random.pick(&[300, 700, 900, 1_000]),
        unavailable: random.pick(&[0, 0, 50, 400]),
        ..Trouble::default()
    }
}
