//! No unit is used after the instant at which the record counts it, whatever a proxy's clock does within the stated
//! rate, and however long an answer takes.

use crate::policy::sliding;
use crate::proxy::{Clock, TIMEOUT, identity};
use crate::scenario::START;
use tollgate::fleet::OnOutage;
use tollgate::fleet::message::Answer;
use tollgate::fleet::units::{Claim, InHand, Units};
use tollgate::limiter::concurrency::WorkerId;
use tollgate::limiter::{Counter, Limit};
use tollgate::time::{MILLISECOND, Micros, Now, SECOND};
use tollgate_fleet::apply::apply;
use tollgate_fleet::record::Record;

/// A request for one unit.
fn one_unit(limits: &[Limit]) -> Claim<'_> {
    Claim {
        caller: identity(0),
        policy: "api",
        limits,
        cost: 1,
        spends: true,
        count_rejected: false,
        gives_back: false,
        forgiven: &[],
    }
}

struct Pair {
    units: Units,
    clock: Clock,
    record: Record,
    limits: [Limit; 1],
    time: Micros,
}

impl Pair {
    fn new(rate: i64) -> Pair {
        let clock = Clock { since: START, began: 77 * SECOND, rate, wall: 0 };
        // So few that stamps are exact.
        let limits = [sliding(300, 60 * SECOND)];
        Pair { units: Units::new(5), clock, record: Record::default(), limits, time: START }
    }

    fn now(&self) -> Now {
        self.clock.at(self.time)
    }

    fn spends(&mut self) -> bool {
        let (limits, now) = (self.limits, self.now());
        let claim = one_unit(&limits);
        if let InHand::Admitted { .. } = self.units.spend(&claim, now) {
            return true;
        }
        self.units.wait(&claim, now);
        false
    }

    /// Asks for units. Returns when the last grant ends, on the engine's clock.
    fn ask(&mut self, answer_takes: Micros) -> Micros {
        let (exchange, sent) = self.units.ask(TIMEOUT, self.now()).unwrap();
        let entry = apply(&mut self.record, exchange.holder, &exchange.entries[0], self.time);
        let end = entry.end;
        self.time += answer_takes;
        let answer = Answer { epoch: 1, workers: 1, entries: vec![entry] };
        self.units.answered(&sent, &answer, self.clock.at(self.time));
        end
    }

    /// Gets a grant of units ahead. Returns its end.
    fn lease(&mut self, answer_takes: Micros) -> Micros {
        let mut end = 0;
        for _ in 0..8 {
            if !self.spends() {
                end = self.ask(answer_takes);
                assert!(self.spends());
            }
            self.time += MILLISECOND;
        }
        assert!(end > self.time + SECOND, "the grant has units ahead");
        end
    }

    /// The last instant at which the proxy uses a unit that it has in hand.
    fn last_use(&mut self, end: Micros) -> Micros {
        let mut last = 0;
        self.time = end - 100 * MILLISECOND;
        while self.time < end + 100 * MILLISECOND {
            self.time += MILLISECOND / 2;
            if self.units.can_decide(&one_unit(&self.limits), self.now()) {
                last = self.time;
            }
        }
        last
    }

    /// The units that the record counts at an instant.
    fn counted(&self, at: Micros) -> u64 {
        let limit = &self.limits[0];
        let state = self.record.state(limit.id, limit.algorithm.kind());
        let now = Now { mono: at, wall: at };
        300 - Counter::open(limit, state, now, WorkerId(0)).unwrap().judge(now, 0).remaining
    }
}

const RATES: [i64; 5] = [-1_900, -1_000, 0, 1_000, 1_900];

#[test]
fn slow_clocks_do_not_stretch_a_grant() {
    for rate in RATES {
        let mut pair = Pair::new(rate);
        let end = pair.lease(0);
        let last = pair.last_use(end);
        assert!(last <= end && last + 20 * MILLISECOND > end, "{rate}: {last}, and it ends at {end}");
    }
}

#[test]
fn late_answers_do_not_stretch_a_grant() {
    for rate in RATES {
        let mut pair = Pair::new(rate);
        let end = pair.lease(40 * MILLISECOND);
        let last = pair.last_use(end);
        assert!(last <= end, "{rate}: {last}, and it ends at {end}");
    }
}

#[test]
fn units_that_are_used_late_count_for_their_whole_window() {
    let mut pair = Pair::new(0);
    pair.time = pair.lease(0) - 10 * MILLISECOND;
    assert!(pair.spends());
    // The proxy dies, and nothing is ever reported.
    assert!(pair.counted(pair.time + pair.limits[0].window - MILLISECOND) > 0);
}

/// Beyond the stated rate, a grant is stretched by what the rate exceeds it.
#[test]
fn a_clock_beyond_the_stated_rate_stretches_a_grant_by_the_excess() {
    let mut pair = Pair::new(-50_000);
    let end = pair.lease(0);
    let last = pair.last_use(end);
    let term = 2 * SECOND;
    assert!(last <= end + term * 51 / 1_000, "{last}, and it ends at {end}");
}

#[test]
fn fast_clocks_do_not_make_uses_older() {
    for rate in RATES {
        let mut pair = Pair::new(rate);
        let end = pair.lease(0);
        // One more use, which is reported as late as possible.
        let before = pair.counted(pair.time);
        assert!(pair.spends());
        let used_at = pair.time;
        pair.time = end + 3 * SECOND;
        pair.units.note_due(pair.now());
        let (exchange, _) = pair.units.report(TIMEOUT, pair.now()).unwrap();
        apply(&mut pair.record, exchange.holder, &exchange.entries[0], pair.time);
        assert!(pair.counted(pair.time) < before, "unused units have gone back");
        let window = pair.limits[0].window;
        assert!(pair.counted(used_at + window - 1) > 0, "{rate}: it leaves its window too early");
        assert_eq!(pair.counted(used_at + window + 20 * MILLISECOND), 0, "{rate}: it leaves too late");
    }
}

#[test]
fn fast_clocks_do_not_make_owed_units_older() {
    for rate in RATES {
        let mut pair = Pair::new(rate);
        let (claim_now, used_at) = (pair.now(), pair.time);
        let limits = pair.limits;
        pair.units.decide_alone(&one_unit(&limits), OnOutage::Allow, 1, claim_now).unwrap();
        // The service was away for half a minute.
        pair.time += 30 * SECOND;
        pair.units.note_due(pair.now());
        let (exchange, _) = pair.units.report(TIMEOUT, pair.now()).unwrap();
        apply(&mut pair.record, exchange.holder, &exchange.entries[0], pair.time);
        let window = pair.limits[0].window;
        assert_eq!(pair.counted(used_at + window - 1), 1, "{rate}: it leaves its window too early");
    }
}
