//! The oracle of reported times: it waits. Each question is asked of the real engine, on a copy of the table
//! and at a later instant, and the first instant at which the answer is yes is found by halving. So it knows
//! no algorithm and no formula, only what a caller would see who sends nothing else in between.

use super::*;
use crate::identity::Seed;
use crate::limiter::concurrency::WorkerId;
use crate::table::Table;
use crate::table::memory::MemoryStore;
use crate::time::Micros;

/// The oracle waits no longer than this. Twice the longest window, and some debts.
const HORIZON: Micros = 3 * 366 * 86_400 * SECOND;

pub struct Oracle<'a> {
    pub fixture: &'a Fixture,
    /// A request that costs one unit.
    pub probe: &'a FakeRequest,
}

impl Oracle<'_> {
    /// What another worker would decide at `at`, on the monotonic clock.
    fn ask(&self, request: &FakeRequest, at: Micros) -> Decision {
        let Fixture { engine, store, now, .. } = self.fixture;
        let copy = MemoryStore::default();
        for page in store.pages() {
            copy.overwrite(page, &store.page(page));
        }
        let size = engine.rules().table_size;
        let mut table = Table::new(Seed::new([7; Seed::LEN]), size, WorkerId(2));
        engine.decide(request, &mut table.begin(&copy, Now { mono: at, wall: now.wall_at(at) }))
    }

    /// The units of a limit that a caller could spend at `at`.
    pub fn free(&self, limit: usize, at: Micros) -> u64 {
        let decision = self.ask(self.probe, at);
        let verdict = decision.verdict(0, limit).unwrap();
        let counted = verdict.admitted && decision.policies()[0].outcome.charged;
        verdict.remaining + u64::from(counted)
    }

    /// When the next unit of a limit is available.
    pub fn next_unit(&self, limit: usize) -> Micros {
        let free = self.free(limit, self.fixture.now.mono);
        self.first(|at| self.free(limit, at) > free)
    }

    /// When all units of a limit are available.
    pub fn all_units(&self, limit: usize, quota: u64) -> Micros {
        self.first(|at| self.free(limit, at) == quota)
    }

    /// When this request is admitted.
    pub fn admission(&self, request: &FakeRequest) -> Micros {
        self.first(|at| !self.ask(request, at).rejected())
    }

    /// The first instant from now on at which something holds that holds from then on.
    fn first(&self, holds: impl Fn(Micros) -> bool) -> Micros {
        let mut from = self.fixture.now.mono;
        if holds(from) {
            return from;
        }
        let mut until = from + HORIZON;
        assert!(holds(until), "it never happens");
        while until - from > 1 {
            let middle = from + (until - from) / 2;
            if holds(middle) { until = middle } else { from = middle }
        }
        until
    }
}
