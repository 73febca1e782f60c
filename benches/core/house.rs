//! One worker with its store and its clock.

use super::Subject;
use crate::host::Host;
use std::num::NonZeroU32;
use tollgate::identity::{Identity, Seed};
use tollgate::limiter::concurrency::WorkerId;
use tollgate::limiter::{Algorithm, Limit, LimitId};
use tollgate::table::{Charge, ChargeMode, Count, OnContention, Table, TableSize, TableStats};
use tollgate::time::{Micros, Now, SECOND};

/// The default table.
pub const DEFAULT: TableSize = TableSize { pages: NonZeroU32::new(16_384).unwrap(), page_bytes: 1_536 };

/// 10 days after the start, on 2026-06-15: all that is to come into force in the policy files is.
const START: Now = Now { mono: 864_000 * SECOND, wall: 1_781_524_800 * SECOND };

pub struct Fixture {
    pub table: Table,
    pub store: Host,
    pub now: Now,
}

impl Fixture {
    pub fn new(table_size: TableSize) -> Fixture {
        let table = Table::new(Seed::new([7; Seed::LEN]), table_size, WorkerId(7));
        Fixture { table, store: Host::default(), now: START }
    }

    /// One request. Answers whether it passed.
    pub fn ask(&mut self, identity: Identity, limits: &[Limit], cost: u32) -> bool {
        let charges = [charge(identity, limits, cost)];
        let outcomes = self.table.begin(&self.store, self.now).charge(&charges, ChargeMode::AllOrNothing);
        outcomes.iter().all(|outcome| outcome.admitted())
    }

    pub fn wait(&mut self, time: Micros) {
        self.now = Now { mono: self.now.mono + time, wall: self.now.wall + time };
    }
}

pub fn charge(identity: Identity, limits: &[Limit], cost: u32) -> Charge<'_> {
    Charge {
        identity,
        limits,
        cost,
        count: Count::Accepted,
        on_contention: OnContention::Deny,
        held: false,
        fleet: None,
    }
}

pub fn limit(quota: u32, window: Micros, algorithm: Algorithm) -> Limit {
    Limit { id: LimitId::new("policy", "limit"), quota: NonZeroU32::new(quota).unwrap(), window, algorithm }
}

/// A house, and what it does once a decision.
pub struct Steady<F> {
    pub house: Fixture,
    pub decide: F,
}

impl<F: FnMut(&mut Fixture) -> bool + 'static> Steady<F> {
    /// So many decisions first, until it is steady.
    pub fn after(warm_up: u32, house: Fixture, decide: F) -> Box<dyn Subject> {
        let mut steady = Steady { house, decide };
        for _ in 0..warm_up {
            steady.decide();
        }
        Box::new(steady)
    }
}

impl<F: FnMut(&mut Fixture) -> bool> Subject for Steady<F> {
    fn decide(&mut self) -> bool {
        (self.decide)(&mut self.house)
    }

    fn stats(&mut self) -> TableStats {
        self.house.table.take_stats()
    }
}
