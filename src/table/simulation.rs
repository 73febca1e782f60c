//! A deterministic simulator of 1 to 64 workers that share a table, to test it under contention.
//!
//! Each worker is a [`Table`] of its own on a thread of its own, and runs requests, ends of streams and ticks
//! until the run is over ([`worker`]). Only one runs at a time: at every read and write the seed decides who
//! goes on ([`stage`]), so interleavings are arbitrary, and a run is the same each time. The store has the
//! host's exact semantics, with forced conflicts, errors, crashes and damage on top ([`world`]). The true
//! history is kept beside it ([`truth`]), and the tests compare the promises with it.
//!
//! A failure prints the run's seed; `Run::of(seed, …)` with it runs the same again.

mod bound;
mod cap;
mod crowded;
mod entries;
mod forgiven;
mod found;
mod planted;
mod random;
mod restarts;
mod scenario;
mod stage;
mod steady;
mod streams;
mod truth;
mod wall;
mod worker;
mod world;

use super::{Charge, Count, OnContention, Table, TableStats};
use crate::identity::Identity;
use crate::limiter::{Algorithm, FixedWindow, Limit};
use crate::time::{MILLISECOND, Micros, Now};
use random::Random;
use scenario::{Policy, Scenario, Trouble};
use stage::{Aborted, Stage, View};
use std::fmt;
use std::num::NonZeroU32;
use std::ops::Range;
use std::panic::resume_unwind;
use std::thread;
use truth::{Since, Truth};
use worker::Worker;
use world::World;

/// Slightly longer than a lease.
const TERM: Micros = 501 * MILLISECOND;

/// A run that is over.
struct Run {
    seed: u64,
    scenario: Scenario,
    stage: Stage,
    tables: Vec<Table>,
    stats: TableStats,
    /// The acts of the busiest worker while writes may have been impossible.
    stormy: u64,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {:#x}, {:?}, {:?}", self.seed, self.stats, self.scenario)
    }
}

impl Run {
    /// Runs what a seed draws.
    fn of(seed: u64, draw: impl FnOnce(&mut Random) -> Scenario) -> Run {
        let mut random = Random::new(seed);
        let scenario = draw(&mut random);
        let stage = Stage::new(World::new(random, scenario.acts, scenario.bug), &scenario);
        let mut workers = run(&stage, &scenario).unwrap_or_else(|why| {
            eprintln!("seed {seed:#x}");
            resume_unwind(why)
        });
        let stats = workers.iter().fold(TableStats::default(), |all, worker| worker::sum(all, worker.stats));
        let stormy = workers.iter().map(|worker| worker.stormy).max().unwrap_or_default();
        let tables = workers.drain(..).map(|worker| worker.table).collect();
        drop(workers);
        Run { seed, scenario, stage, tables, stats, stormy }
    }

    fn calm(&self) -> View<'_> {
        self.stage.world().trouble = Trouble::default();
        View { stage: &self.stage, me: None }
    }

    fn truth<T>(&self, look: impl FnOnce(&Truth) -> T) -> T {
        look(&self.stage.world().truth)
    }

    /// All workers tick until nothing is owed or leased. Returns when that was.
    fn settle(&mut self) -> Now {
        for wait in [0, TERM] {
            self.stage.world().mono += wait;
            let now = self.stage.now();
            let mut tables = std::mem::take(&mut self.tables);
            tables.iter_mut().for_each(|table| table.begin(&self.calm(), now).settle());
            self.tables = tables;
        }
        self.stage.now()
    }

    /// All limits of all records.
    fn counters(&self) -> Vec<(Identity, Limit)> {
        let policies = self.scenario.reloaded.as_ref().unwrap_or(&self.scenario.policies);
        let of_policy = |(n, policy): (usize, &Policy)| {
            let limits: Vec<Limit> =
                policy.limits.iter().filter(|limit| !limit.is_penalty()).copied().collect();
            let callers = (0..self.scenario.callers).map(move |caller| (n, caller));
            callers.flat_map(move |caller| limits.clone().into_iter().map(move |limit| (caller, limit)))
        };
        let all = policies.iter().enumerate().flat_map(of_policy);
        all.map(|((n, caller), limit)| (worker::identity(&self.scenario, n, caller), limit)).collect()
    }

    /// What the shared table counts, even above the quota.
    fn counted(&self, identity: Identity, limit: &Limit) -> u64 {
        let unlimited = [Limit { quota: NonZeroU32::MAX, ..*limit }];
        let charge = Charge {
            identity,
            limits: &unlimited,
            cost: 0,
            count: Count::Never,
            on_contention: OnContention::Deny,
            held: false,
            fleet: None,
        };
        let mut observer = worker::new_table(&self.scenario, 0);
        let verdict = observer.begin(&self.calm(), self.stage.now()).look(&charge).verdicts[0];
        u64::from(u32::MAX) - verdict.remaining
    }

    /// What the workers may have admitted above a limit while they could not write: the bound of
    /// [`crate::limiter::token_bucket`], with a cost above the burst in its place.
    fn excess(&self, limit: &Limit) -> u64 {
        let (contended, crashes) = self.truth(|truth| (truth.contended(), truth.crashes));
        if self.truth(|truth| truth.alone.is_none()) {
            return 0;
        }
        let quota = u64::from(limit.quota.get());
        let burst = (quota / 64).max(u64::from(self.scenario.max_cost));
        let rate = (quota * contended.min(limit.window)).div_ceil(limit.window);
        (self.scenario.workers as u64 + crashes) * (burst + rate)
    }

    /// No limit was passed by more than `excess` units.
    fn assert_cap(&self, since: Since, excess: impl Fn(&Limit) -> u64) {
        for (identity, limit) in self.counters() {
            let most = self.truth(|truth| truth.most(identity, &limit, since));
            let (quota, excess) = (u64::from(limit.quota.get()), excess(&limit));
            assert!(most <= quota + excess, "{most} > {quota} + {excess} of {limit:?}, {self}");
        }
    }

    /// The cap holds between fresh starts, and once settled the count is what was counted since the last one.
    fn check_fresh_starts(mut self) -> TableStats {
        self.assert_cap(Since::Known, |limit| self.excess(limit));
        if !self.scenario.held_up {
            self.assert_cap(Since::Asked, |limit| self.excess(limit));
        }
        self.settle();
        // What a worker has admitted alone is counted late, also after a fresh start.
        if self.stats.degraded == 0 {
            self.assert_count()
        } else {
            self.assert_no_less()
        }
        self.stats
    }

    /// The cap holds, and once settled nothing that was admitted is missing.
    fn check_no_less(mut self) -> TableStats {
        self.assert_cap(Since::Known, |limit| self.excess(limit));
        self.settle();
        self.assert_no_less();
        self.stats
    }

    /// The shared count is the truth, and may be more only where the table errs on the side of caution.
    fn assert_count(&self) {
        self.assert_counts(|limit| self.is_exact(limit));
    }

    /// The shared count is no less than the truth.
    fn assert_no_less(&self) {
        self.assert_counts(|_| false);
    }

    fn assert_counts(&self, is_exact: impl Fn(&Limit) -> bool) {
        let now = self.stage.now();
        for (identity, limit) in self.counters() {
            // More than the largest quota is not told apart.
            let truth = self.truth(|truth| truth.count(identity, &limit, now.mono)).min(u32::MAX.into());
            let counted = self.counted(identity, &limit);
            let right = if is_exact(&limit) { counted == truth } else { counted >= truth };
            assert!(right, "{counted} counted, {truth} spent of {limit:?}, {self}");
        }
    }

    /// The counters of what is in flight.
    fn in_flight(&self) -> impl Iterator<Item = (Identity, Limit)> {
        self.counters().into_iter().filter(|(_, limit)| limit.counts_in_flight())
    }

    /// What is in flight is the truth.
    fn assert_in_flight(&self) {
        let now = self.stage.now();
        for (identity, limit) in self.in_flight() {
            let truth = self.truth(|truth| truth.count(identity, &limit, now.mono));
            assert_eq!(self.counted(identity, &limit), truth, "in flight of {limit:?}, {self}");
        }
    }

    /// Whether a limit's count must be the truth to the unit.
    fn is_exact(&self, limit: &Limit) -> bool {
        // Beyond 64 debts of one record some are posted with a later time.
        let few_debts = self.scenario.trouble.conflicts == 0 || self.stormy <= 64;
        // A worker held up over an edge counts in the window it finds.
        few_debts && !(self.scenario.held_up && limit.algorithm == Algorithm::FixedWindow(FixedWindow))
    }
}

/// Runs and checks each seed. Returns the sum of the statistics.
fn each(
    seeds: Range<u64>,
    draw: impl Fn(&mut Random) -> Scenario,
    check: impl Fn(Run) -> TableStats,
) -> TableStats {
    let start = std::time::Instant::now();
    let more: u64 = std::env::var("SEEDS").map_or(1, |times| times.parse().unwrap());
    let seeds = seeds.start << 16..(seeds.start << 16) + (seeds.end - seeds.start) * more;
    let (mut handovers, runs) = (0, seeds.end - seeds.start);
    let all = seeds.fold(TableStats::default(), |all, seed| {
        let run = Run::of(seed, &draw);
        handovers += run.stage.world().handovers;
        worker::sum(all, check(run))
    });
    // Shown with `--nocapture`.
    println!("{runs} runs, {handovers} interleavings in {:?}: {all:?}", start.elapsed());
    all
}

/// Runs all workers of a scenario to the end.
fn run<'a>(stage: &'a Stage, scenario: &'a Scenario) -> thread::Result<Vec<Worker<'a>>> {
    let workers: Vec<_> = (0..scenario.workers).map(|me| Worker::new(me, stage, scenario)).collect();
    thread::scope(|scope| {
        let threads: Vec<_> = workers.into_iter().map(|worker| scope.spawn(|| worker.live())).collect();
        stage.begin(threads.iter().map(|handle| handle.thread().clone()).collect());
        let ended: Vec<_> = threads.into_iter().map(|handle| handle.join()).collect();
        let failure = |ended: &thread::Result<_>| ended.as_ref().is_err_and(|why| !why.is::<Aborted>());
        let mut ended = ended;
        if let Some(failed) = ended.iter().position(failure) {
            ended.swap(0, failed);
        }
        ended.into_iter().collect()
    })
}
