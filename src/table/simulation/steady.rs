//! How many requests are wrongly rejected by large quotas on four workers: leases and slots cost little.

use super::random::Random;
use super::scenario::{Kind, Scenario, limit};
use super::worker::{new_table, sum};
use crate::identity::Identity;
use crate::limiter::Limit;
use crate::table::memory::MemoryStore;
use crate::table::{Charge, ChargeMode, Count, OnContention, Table, TableStats};
use crate::time::{Micros, Now, SECOND};

const WORKERS: usize = 4;

/// One caller of four workers, each of which ticks every second.
struct Caller {
    limits: [Limit; 1],
    store: MemoryStore,
    workers: Vec<Table>,
    ticked: Micros,
    stats: TableStats,
}

impl Caller {
    fn new(kind: Kind, quota: u64) -> Caller {
        let scenario = Scenario { pages: 16, ..Scenario::small(&mut Random::new(0)) };
        Caller {
            limits: [limit(1, kind, quota, 60 * SECOND)],
            store: MemoryStore::default(),
            workers: (0..WORKERS).map(|me| new_table(&scenario, me as u32)).collect(),
            ticked: 0,
            stats: TableStats::default(),
        }
    }

    /// Charges one unit at `mono` on a worker. Returns whether it is admitted.
    fn ask(&mut self, worker: usize, mono: Micros) -> bool {
        let now = Now { mono, wall: mono + 1_700_000_000 * SECOND };
        if mono >= self.ticked + SECOND {
            self.ticked = mono;
            self.workers.iter_mut().for_each(|table| table.begin(&self.store, now).settle());
        }
        let (count, on_contention) = (Count::Accepted, OnContention::Bucket);
        let identity = Identity { page: 1, fingerprint: 1 };
        let charge = Charge {
            identity,
            limits: &self.limits,
            cost: 1,
            count,
            on_contention,
            held: false,
            fleet: None,
        };
        let table = &mut self.workers[worker];
        let admitted =
            table.begin(&self.store, now).charge(&[charge], ChargeMode::AllOrNothing)[0].admitted();
        self.stats = sum(self.stats, table.take_stats());
        admitted
    }
}

/// How many requests are rejected of a caller that sends exactly `quota` a minute for five minutes.
fn rejected(kind: Kind, quota: u64) -> u64 {
    let mut caller = Caller::new(kind, quota);
    let mut random = Random::new(quota);
    let rejected = (0..5 * quota).filter(|i| {
        let at = 1_000 * SECOND + i * 60 * SECOND / quota;
        !caller.ask(random.below(WORKERS as u64) as usize, at)
    });
    let rejected = rejected.count() as u64;
    println!("{kind:?} {quota}: {rejected} of {} rejected, {:?}", 5 * quota, caller.stats);
    rejected
}

#[test]
fn pa_7_a_steady_caller_at_exactly_the_limit_is_hardly_rejected() {
    for quota in [600, 1_000] {
        assert_eq!(rejected(Kind::Sliding, quota), 0, "{quota} are counted exactly");
    }
    for quota in [6_000, 20_000] {
        let five_minutes = 5 * quota;
        assert!(rejected(Kind::Sliding, quota) <= five_minutes / 200);
        assert_eq!(rejected(Kind::Fixed, quota), 0);
    }
}

/// How many units four workers admit in the first window, when each asks `times` the limit.
fn hammered(kind: Kind, quota: u64, times: u64) -> u64 {
    let mut caller = Caller::new(kind, quota);
    let start = 60 * SECOND * 100 - 1_700_000_000 * SECOND % (60 * SECOND);
    let asked = quota * times;
    let admitted = (0..asked).filter(|i| caller.ask(*i as usize % WORKERS, start + i * 60 * SECOND / asked));
    let admitted = admitted.count() as u64;
    println!("{kind:?} {quota}: {admitted} admitted of {asked}, {:?}", caller.stats);
    admitted
}

#[test]
fn ten_thousand_a_minute_hammered_by_four_workers_admit_nearly_ten_thousand() {
    for kind in [Kind::Sliding, Kind::Fixed] {
        for times in [2, 4] {
            assert!((9_900..=10_000).contains(&hammered(kind, 10_000, times)));
        }
    }
}
