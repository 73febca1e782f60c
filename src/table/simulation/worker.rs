//! One worker: it sends requests, ends earlier ones, ticks, and sometimes crashes.

use super::entries::Entries;
use super::random::Random;
use super::scenario::{PAGE_BYTES, Policy, Scenario, Trouble};
use super::stage::{Crash, Stage, View};
use super::truth::Spent;
use super::world::World;
use crate::identity::{Identity, Seed};
use crate::limiter::concurrency::WorkerId;
use crate::limiter::{Forgiven, Limit, can_be_forgiven};
use crate::table::{Charge, ChargeMode, Correction, Count, Holds, Outcome, Table, TableSize, TableStats};
use crate::time::{Micros, Now, SECOND};
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

pub struct Worker<'a> {
    me: usize,
    stage: &'a Stage,
    scenario: &'a Scenario,
    pub table: Table,
    /// Requests whose units may still be given back.
    open: Vec<Open<'a>>,
    /// As of the last tick.
    pub wall_ahead: Micros,
    ticked: Micros,
    pub stats: TableStats,
    /// Acts while writes may have been impossible.
    pub stormy: u64,
    /// What it has heard of what an operator forgives.
    entries: Entries,
}

struct Open<'a> {
    at: Now,
    cost: u32,
    /// What each policy did that judged it.
    parts: Vec<Part<'a>>,
}

struct Part<'a> {
    policy: &'a Policy,
    /// The record's.
    identity: Identity,
    /// Whether it was counted there.
    charged: bool,
    holds: Holds,
    /// Where its units begin in the truth.
    spent: usize,
}

enum Act {
    Request {
        caller: u64,
        cost: u32,
    },
    End {
        which: u64,
        refund: bool,
        reset: bool,
        late: Option<u32>,
    },
    Tick,
    /// An operator asks this worker.
    Forgive {
        caller: u64,
    },
}

/// The identity of a policy's caller. The policies may share a key.
pub fn identity(scenario: &Scenario, policy: usize, caller: u64) -> Identity {
    let key = if scenario.one_key { 0 } else { policy as u64 };
    let mut random = Random::new(caller << 8 | key);
    // Most can't be made up.
    Identity { page: random.below(1 << 40), fingerprint: random.below(1 << 40) }.known(random.below(4) > 0)
}

pub fn new_table(scenario: &Scenario, id: u32) -> Table {
    let pages = NonZeroU32::new(scenario.pages).unwrap();
    Table::new(Seed::new([0; Seed::LEN]), TableSize { pages, page_bytes: PAGE_BYTES }, WorkerId(id))
}

/// The charges of one request or its end.
fn charge<'a>(policy: &Policy, limits: &'a [Limit], identity: Identity, cost: u32) -> Charge<'a> {
    Charge {
        identity,
        limits,
        cost,
        count: policy.count,
        on_contention: policy.on_contention,
        held: policy.held,
        fleet: None,
    }
}

impl<'a> Worker<'a> {
    pub fn new(me: usize, stage: &'a Stage, scenario: &'a Scenario) -> Worker<'a> {
        let now = stage.now();
        let (wall_ahead, ticked) = (now.wall - now.mono, now.mono);
        let (mut table, open, stats) =
            (new_table(scenario, me as u32 + 1), Vec::new(), TableStats::default());
        table.set_forgiving(scenario.has_fresh_starts());
        let entries = Entries::default();
        Worker { me, stage, scenario, table, open, wall_ahead, ticked, stats, stormy: 0, entries }
    }

    /// From its first turn to the end of the run.
    pub fn live(mut self) -> Worker<'a> {
        self.stage.wait(self.me);
        while let Some((act, now)) = self.next_act() {
            match catch_unwind(AssertUnwindSafe(|| self.act(act, now))) {
                Ok(()) => {}
                Err(why) if why.is::<Crash>() => self.die(),
                Err(why) => {
                    self.stage.abort();
                    resume_unwind(why);
                }
            }
            self.stage.world().busy -= 1;
            self.stage.pause(self.me);
        }
        self.stage.leave(self.me);
        self
    }

    /// Draws what to do, and reads the clock.
    fn next_act(&mut self) -> Option<(Act, Now)> {
        let crowd = self.scenario.workers as u64 + 1;
        loop {
            let mut world = self.stage.world();
            if world.acts_left == 0 {
                return self.last_act(&mut world);
            }
            // Much time goes by only while nobody is at work.
            if world.time_is_due && world.busy > 0 {
                drop(world);
                self.stage.pause(self.me);
                continue;
            }
            if world.time_is_due {
                world.pass_time(self.scenario.gap * crowd);
            }
            world.time_is_due = world.random.below(crowd) == 0;
            world.acts_left -= 1;
            world.busy += 1;
            // There are no storms in the first and the last third of a run.
            let storm = (self.scenario.acts / 3..self.scenario.acts * 2 / 3).contains(&world.acts_left);
            world.trouble = if storm { self.scenario.trouble } else { Default::default() };
            self.stormy += u64::from(storm);
            let now = world.now(self.wall_ahead);
            if self.scenario.forgives > 0 {
                self.hear_of_entries(&mut world, now);
            }
            return Some((self.draw(&mut world.random, now.mono), now));
        }
    }

    /// The operator may write a new entry, and this worker may get the configuration that has it.
    fn hear_of_entries(&mut self, world: &mut World, now: Now) {
        let World { random, entries, .. } = world;
        if random.chance(self.scenario.forgives) {
            entries.write(random, self.scenario, now.wall);
        }
        if entries.is_newer_than(&self.entries) && (self.scenario.at_once || random.chance(50)) {
            self.entries = entries.clone();
            self.table.set_forgiving(true);
        }
    }

    /// When the run is over, its streams still have to end.
    fn last_act(&self, world: &mut World) -> Option<(Act, Now)> {
        world.trouble = Trouble::default();
        let ends = self.scenario.ends_all && !self.open.is_empty();
        ends.then(|| {
            world.busy += 1;
            (Act::End { which: 0, refund: false, reset: false, late: None }, world.now(self.wall_ahead))
        })
    }

    fn draw(&self, random: &mut Random, now: Micros) -> Act {
        if now - self.ticked > SECOND {
            return Act::Tick;
        }
        if random.chance(self.scenario.ends) && !self.open.is_empty() {
            let which = random.below(self.open.len() as u64);
            let refund = random.chance(self.scenario.refunds);
            let costs = self.scenario.late_costs;
            let late = (!costs.is_empty() && random.chance(300)).then(|| random.pick(costs));
            let reset = self.scenario.resets > 0 && random.chance(self.scenario.resets);
            return Act::End { which, refund, reset, late };
        }
        if self.scenario.operators > 0 && random.chance(self.scenario.operators) {
            return Act::Forgive { caller: random.below(self.scenario.callers) };
        }
        let cost = random.between(1, u64::from(self.scenario.max_cost)) as u32;
        Act::Request { caller: random.below(self.scenario.callers), cost }
    }

    fn act(&mut self, act: Act, now: Now) {
        match act {
            Act::Request { caller, cost } => self.request(caller, cost, now),
            Act::End { which, refund, reset, late } => {
                self.end(which as usize, refund, reset, late, now);
            }
            Act::Forgive { caller } => self.forgive_now(caller, now),
            Act::Tick => {
                self.ticked = now.mono;
                let now = self.stage.now();
                self.wall_ahead = now.wall - now.mono;
                self.table.begin(&self.view(), now).settle();
            }
        }
    }

    pub fn view(&self) -> View<'a> {
        View { stage: self.stage, me: Some(self.me) }
    }

    fn policies(&self) -> &'a [Policy] {
        let late = self.stage.world().acts_left < self.scenario.acts / 2;
        self.scenario.reloaded.as_ref().filter(|_| late).unwrap_or(&self.scenario.policies)
    }

    fn request(&mut self, caller: u64, cost: u32, now: Now) {
        let policies = self.policies().iter().enumerate();
        let asked: Vec<_> =
            policies.map(|(n, policy)| (policy, identity(self.scenario, n, caller))).collect();
        let charges = asked.iter().map(|(policy, identity)| charge(policy, &policy.limits, *identity, cost));
        let charges: Vec<_> = charges.collect();
        let view = self.view();
        let mut transaction = self.table.begin(&view, now);
        for charge in &charges {
            let entries = self.entries.of(charge.identity);
            entries.into_iter().for_each(|entries| transaction.forgive(charge.identity, entries));
        }
        let outcomes = transaction.charge(&charges, self.scenario.mode);
        self.take_stats(now.mono);
        assert_consistent(&charges, &outcomes, self.scenario.mode);
        let mut parts = Vec::new();
        for (((policy, identity), charge), outcome) in asked.into_iter().zip(&charges).zip(&outcomes) {
            let (charged, holds) = (outcome.charged, outcome.holds);
            let spent = if charged { self.spend(charge, outcome.admitted(), now) } else { 0 };
            self.note_block(policy, charge, outcome, now);
            parts.push(Part { policy, identity, charged, holds, spent });
        }
        self.open.push(Open { at: now, cost, parts });
    }

    /// As the operator's filter does it.
    fn forgive_now(&mut self, caller: u64, now: Now) {
        for (n, policy) in self.policies().iter().enumerate() {
            let identity = identity(self.scenario, n, caller);
            let meant = policy.limits.iter().filter(|limit| can_be_forgiven(limit));
            let entries: Arc<[Forgiven]> = meant.map(|limit| Forgiven::new(limit, now.wall)).collect();
            self.stage.world().forgivings += entries.len() as u64;
            let charge = charge(policy, &policy.limits, identity, 0);
            self.table.begin(&self.view(), now).forgive_now(&charge, &entries);
        }
        self.take_stats(now.mono);
    }

    /// With a block after which counts begin at zero, they do so when it begins.
    fn note_block(&self, policy: &Policy, charge: &Charge<'_>, outcome: &Outcome, now: Now) {
        if policy.restarts_after().is_some() && !outcome.admitted() {
            let wait = outcome.verdicts.iter().map(|verdict| verdict.retry_after).max();
            let mut world = self.stage.world();
            let mono = world.mono;
            world.truth.block(charge.identity, charge.limits, now.mono + wait.unwrap_or_default(), mono);
        }
    }

    /// Notes the units of a charge. Returns where they begin.
    fn spend(&self, charge: &Charge<'_>, admitted: bool, at: Now) -> usize {
        let mut world = self.stage.world();
        let known = world.mono;
        let begin = world.truth.spent.len();
        for limit in charge.limits.iter().filter(|limit| !limit.is_penalty()) {
            let (worker, identity, units, limit) = (self.me, charge.identity, charge.cost, limit.id);
            let spent = Spent { worker, identity, limit, units, at, known, given_back: None, admitted };
            world.truth.spent.push(spent);
        }
        begin
    }

    /// Notes units that a response has counted, unless a block lasts after which counts begin at zero.
    fn spend_late(&self, policy: &Policy, charge: &Charge<'_>, now: Now) {
        let blocked = self.stage.world().truth.is_blocked(charge.identity, now.mono);
        let counts = |limit: &&Limit| !blocked || policy.restarts_after().is_none() || !limit.has_window();
        let limits: Vec<Limit> = charge.limits.iter().filter(counts).copied().collect();
        self.spend(&Charge { limits: &limits, ..*charge }, false, now);
    }

    /// The end of a request's stream: what was in flight comes back, the rest if the response says so.
    /// And it may have cost more than it was charged.
    fn end(&mut self, which: usize, refund: bool, reset: bool, late: Option<u32>, now: Now) {
        let open = self.open.swap_remove(which);
        for part in open.parts {
            let Part { policy, identity, charged, .. } = part;
            if charged && !policy.in_flight.is_empty() {
                let charge = charge(policy, &policy.in_flight, identity, open.cost);
                self.give_back(&charge, &part, open.at, now);
            }
            if charged && refund && !policy.spent.is_empty() {
                let charge = charge(policy, &policy.spent, identity, open.cost);
                self.give_back(&charge, &part, open.at, now);
            }
            if reset {
                self.reset(&charge(policy, &policy.limits, identity, open.cost), now);
            }
            if policy.count == Count::Never && refund && !policy.spent.is_empty() {
                let late = charge(policy, &policy.spent, identity, open.cost);
                self.table.begin(&self.view(), now).charge_late(&late);
                self.spend_late(policy, &late, now);
            }
            if let Some(units) = late.filter(|_| charged && !refund && !policy.spent.is_empty()) {
                let late = charge(policy, &policy.spent, identity, units);
                self.table.begin(&self.view(), now).charge_late(&late);
                self.spend_late(policy, &late, now);
            }
        }
        self.take_stats(now.mono);
    }

    fn give_back(&mut self, charge: &Charge<'_>, part: &Part<'_>, at: Now, now: Now) {
        for limit in charge.limits.iter().filter(|limit| !limit.is_penalty()) {
            let mut world = self.stage.world();
            let own = world.truth.spent.iter_mut().skip(part.spent).find(|spent| spent.limit == limit.id);
            let own = own.unwrap();
            assert_eq!((own.worker, own.units, own.at), (self.me, charge.cost, at));
            // Unless the counts have begun at zero since.
            own.given_back.get_or_insert(now.mono);
        }
        let back = Some((at, charge.cost));
        let correction = Correction { back, holds: part.holds, ..Correction::default() };
        self.table.begin(&self.view(), now).release(charge, at, &correction);
    }

    /// A response lets the counts begin at zero. If it can't be written, it does not.
    fn reset(&mut self, charge: &Charge<'_>, now: Now) {
        let correction = Correction { restart: true, ..Correction::default() };
        let left = self.table.begin(&self.view(), now).correct(charge, &correction);
        if left.is_some() {
            let mut world = self.stage.world();
            let mono = world.mono;
            world.truth.restart(charge.identity, charge.limits, mono);
        }
    }

    fn take_stats(&mut self, from: Micros) {
        let new = self.table.take_stats();
        let mut world = self.stage.world();
        if new.degraded > 0 {
            let to = world.mono;
            world.truth.note_alone(from, to);
        }
        self.stats = sum(self.stats, new);
    }

    /// The VM crashes and loses its debts and leases. Another one takes its place.
    fn die(&mut self) {
        let mut world = self.stage.world();
        let now = world.mono;
        world.truth.crash(self.me, now);
        let id = world.random.between(1_000, 1 << 30) as u32;
        drop(world);
        self.table = new_table(self.scenario, id);
        self.table.set_forgiving(self.scenario.has_fresh_starts());
        self.open.clear();
    }
}

/// Checks that exactly the charges are counted that the mode says, whoever decided.
fn assert_consistent(charges: &[Charge<'_>], outcomes: &[Outcome], mode: ChargeMode) {
    let all = outcomes.iter().all(Outcome::admitted);
    let mut before = true;
    for (charge, outcome) in charges.iter().zip(outcomes) {
        let counted = match mode {
            ChargeMode::AllOrNothing => all,
            ChargeMode::Sequential => before && outcome.admitted(),
        };
        match charge.count {
            Count::Accepted => assert_eq!(outcome.charged, counted, "{mode:?}: {outcomes:?}"),
            Count::Rejected => {
                assert_eq!(outcome.charged, !all && outcome.admitted(), "{mode:?}: {outcomes:?}")
            }
            Count::Never => assert!(!outcome.charged, "only judged: {outcomes:?}"),
            Count::All => {}
        }
        before &= outcome.admitted();
    }
}

pub fn sum(one: TableStats, other: TableStats) -> TableStats {
    TableStats {
        evictions: one.evictions + other.evictions,
        overflow: one.overflow + other.overflow,
        damaged: one.damaged + other.damaged,
        cas_misses: one.cas_misses + other.cas_misses,
        degraded: one.degraded + other.degraded,
        leased: one.leased + other.leased,
        leases_full: one.leases_full + other.leases_full,
        debts_dropped: one.debts_dropped + other.debts_dropped,
        forgiven: one.forgiven + other.forgiven,
    }
}
