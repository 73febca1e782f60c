//! Runs a case: the filter in one worker, over an empty table in memory, with the clock as an argument.

use super::compare::{Difference, Seen};
use super::{Answer, Case, Row};
use crate::explain::{SampleResponse, enforced, response, verdicts};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use tollgate::body::{BodyFormat, BodyReader};
use tollgate::compile::Configuration;
use tollgate::decision::Decision;
use tollgate::engine::Engine;
use tollgate::http::Response;
use tollgate::identity::Seed;
use tollgate::limiter::concurrency::WorkerId;
use tollgate::rules::BodySeen;
use tollgate::table::{Table, memory::MemoryStore};
use tollgate::time::{Micros, Now, SECOND};

/// The table must be older than any window.
const START: Micros = 400 * 86_400 * SECOND;

/// What came of a case.
#[derive(Debug, Default)]
pub struct Ran {
    /// How many requests were sent.
    pub requests: u32,
    /// What differs from what is expected, in the order of the file: of each entry the first request that
    /// differs.
    pub differences: Vec<Difference>,
}

impl Ran {
    /// Whether all is as expected.
    pub fn passed(&self) -> bool {
        self.differences.is_empty()
    }
}

/// A policy, ready to run cases.
pub struct Runner {
    set: Configuration,
    engine: Engine,
}

impl Runner {
    /// The policy as the share of callers meets it that it is enforced for.
    pub fn new(set: &Configuration) -> Runner {
        let set = enforced(set);
        let engine = Engine::new(set.rules.clone());
        Runner { set, engine }
    }
}

/// What one request got.
#[derive(Debug)]
pub struct Observed {
    /// When it is sent, since the start of its case.
    pub at: Micros,
    /// The entry, as an index into the case's rows.
    pub row: usize,
    /// Which of the entry's requests it is, from 0.
    pub number: u32,
    /// What it got.
    pub seen: Seen,
}

/// What each request of a case gets, in the order in which they are sent.
pub fn observe(runner: &Runner, case: &Case) -> Vec<Observed> {
    let mut world = World::new(runner, case);
    world.observed = Some(Vec::new());
    world.run();
    let mut observed = world.observed.unwrap_or_default();
    observed.sort_by_key(|one| (one.at, one.row, one.number));
    observed
}

/// Runs a case.
pub fn run(runner: &Runner, case: &Case) -> Ran {
    let mut world = World::new(runner, case);
    world.run();
    world.ran()
}

/// When each request of a case is sent, its entry and which one of that it is, in order.
fn schedule(case: &Case) -> Vec<(Micros, usize, u32)> {
    let mut sent: Vec<(Micros, usize, u32)> = Vec::new();
    for (index, row) in case.rows.iter().enumerate() {
        let at = |number: u32| row.every.saturating_mul(number.into()).saturating_add(row.begin);
        sent.extend((0..row.times).map(|number| (at(number), index, number)));
    }
    sent.sort_unstable();
    sent
}

/// The filter, and the requests on their way through it.
struct World<'a> {
    runner: &'a Runner,
    case: &'a Case,
    table: Table,
    store: MemoryStore,
    /// When the worker's next tick is due.
    next_tick: Micros,
    requests: u32,
    /// When the requests in flight end, and their numbers.
    ends: BinaryHeap<Reverse<(Micros, u32)>>,
    in_flight: BTreeMap<u32, InFlight>,
    /// For each entry, what came of it.
    rows: Vec<OfRow>,
    /// What each request got, if somebody wants to know.
    observed: Option<Vec<Observed>>,
}

/// A request that the upstream has not answered yet.
struct InFlight {
    row: usize,
    number: u32,
    sent: Micros,
    decision: Decision,
}

/// What came of the requests of an entry.
#[derive(Default)]
struct OfRow {
    admitted: u32,
    /// The number of the first that differs, and how it does.
    first: Option<(u32, Vec<Difference>)>,
    /// How many differ.
    differing: u32,
    last: Vec<Difference>,
}

impl<'a> World<'a> {
    fn new(runner: &'a Runner, case: &'a Case) -> World<'a> {
        let table = Table::new(Seed::new([0; Seed::LEN]), runner.set.rules.table_size, WorkerId(1));
        World {
            runner,
            case,
            table,
            store: MemoryStore::default(),
            next_tick: 0,
            requests: 0,
            ends: BinaryHeap::new(),
            in_flight: BTreeMap::new(),
            rows: case.rows.iter().map(|_| OfRow::default()).collect(),
            observed: None,
        }
    }

    fn run(&mut self) {
        for (at, row, number) in schedule(self.case) {
            self.settle_until(at);
            self.send(at, row, number);
        }
        self.settle_until(Micros::MAX);
    }

    fn now(&self, at: Micros) -> Now {
        Now { mono: START.saturating_add(at), wall: self.case.start.saturating_add(at) }
    }

    /// What the worker does once a second, if it is due.
    fn tick(&mut self, at: Micros) -> Now {
        let now = self.now(at);
        if now.mono >= self.next_tick {
            self.table.begin(&self.store, now).settle();
            self.next_tick = now.mono.saturating_add(SECOND);
        }
        now
    }

    /// Ends the requests that end by then.
    fn settle_until(&mut self, at: Micros) {
        while let Some(Reverse((due, id))) = self.ends.peek().copied().filter(|Reverse((due, _))| *due <= at)
        {
            self.ends.pop();
            if let Some(InFlight { row, number, sent, decision }) = self.in_flight.remove(&id) {
                self.answer(row, number, sent, due, decision);
            }
        }
    }

    fn send(&mut self, at: Micros, index: usize, number: u32) {
        let Some(row) = self.case.rows.get(index) else { return };
        let now = self.tick(at);
        self.requests = self.requests.saturating_add(1);
        let mut transaction = self.table.begin(&self.store, now);
        let mut decision = self.runner.engine.decide(&row.request, &mut transaction);
        if decision.rejected() {
            let response = response(&self.runner.set, &row.request, &decision, None);
            self.saw(index, number, at, Seen::of(&self.runner.set, &decision, response));
            self.end(&mut decision, now);
        } else {
            if let Some(of_row) = self.rows.get_mut(index) {
                of_row.admitted = of_row.admitted.saturating_add(1);
            }
            if row.answer.after == 0 {
                self.answer(index, number, at, at, decision);
            } else {
                let id = self.requests;
                self.ends.push(Reverse((at.saturating_add(row.answer.after), id)));
                self.in_flight.insert(id, InFlight { row: index, number, sent: at, decision });
            }
        }
    }

    /// The upstream answers an admitted request, or its stream ends without an answer.
    fn answer(&mut self, index: usize, number: u32, sent: Micros, at: Micros, mut decision: Decision) {
        let Some(row) = self.case.rows.get(index) else { return };
        let (now, runner) = (self.tick(at), self.runner);
        let Answer { status, headers, trailers, body, .. } = &row.answer;
        let answer = status.map(|status| SampleResponse::new(status, headers, trailers));
        if let Some(answer) = &answer {
            if runner.engine.awaits_response(&decision) {
                let mut transaction = self.table.begin(&self.store, now);
                runner.engine.on_response(&mut decision, answer, &mut transaction);
            } else if runner.set.replies.counts_from_now() {
                decision.as_of = now;
            }
        }
        let seen = response(&runner.set, &row.request, &decision, answer);
        let seen = Seen::of(&runner.set, &decision, seen);
        if let Some(answer) = &answer {
            self.read_body(&mut decision, answer, body.as_deref(), now);
            let mut transaction = self.table.begin(&self.store, now);
            runner.engine.on_trailers(&mut decision, Some(&|name| answer.trailer(name)), &mut transaction);
        }
        self.end(&mut decision, now);
        self.saw(index, number, sent, seen);
    }

    /// Counts what the body of the response reports, as the filter does.
    fn read_body(
        &mut self,
        decision: &mut Decision,
        answer: &SampleResponse<'_>,
        body: Option<&str>,
        now: Now,
    ) {
        if !decision.awaits_body() {
            return;
        }
        let (engine, mut transaction) = (&self.runner.engine, self.table.begin(&self.store, now));
        let pointers = &engine.rules().pointers;
        let [encoding, media_type] = ["content-encoding", "content-type"].map(|name| answer.header(name));
        match BodyFormat::of(encoding.as_deref(), media_type.as_deref()) {
            Ok(format) => {
                let mut reader = BodyReader::new(format, pointers);
                reader.read(body.unwrap_or_default().as_bytes(), pointers);
                engine.on_body(decision, BodySeen::Whole(reader.values()), &mut transaction);
            }
            Err(why) => {
                engine.on_body(decision, BodySeen::Unreadable(why), &mut transaction);
            }
        }
    }

    fn end(&mut self, decision: &mut Decision, now: Now) {
        if self.runner.engine.awaits_stream_end(decision) {
            self.runner.engine.on_stream_end(decision, &mut self.table.begin(&self.store, now));
        }
    }

    /// Compares what a request got with what is expected.
    fn saw(&mut self, index: usize, number: u32, sent: Micros, seen: Seen) {
        let Some(row) = self.case.rows.get(index) else { return };
        let wall = self.case.start.saturating_add(sent);
        let of = |expected| Difference::all(expected, &seen, row, number, self.case.start, wall);
        let (each, last) = (of(&row.each), if number + 1 == row.times { of(&row.last) } else { Vec::new() });
        let Some(of_row) = self.rows.get_mut(index) else { return };
        of_row.last.extend(last);
        if !each.is_empty() {
            of_row.differing = of_row.differing.saturating_add(1);
            if of_row.first.as_ref().is_none_or(|(first, _)| number < *first) {
                of_row.first = Some((number, each));
            }
        }
        if let Some(observed) = &mut self.observed {
            observed.push(Observed { at: sent, row: index, number, seen });
        }
    }

    fn ran(self) -> Ran {
        let (start, rows) = (self.case.start, self.case.rows.iter());
        let differences = rows.zip(self.rows).flat_map(|(row, of_row)| of_row.differences(row, start));
        Ran { requests: self.requests, differences: differences.collect() }
    }
}

impl OfRow {
    fn differences(self, row: &Row, start: Micros) -> Vec<Difference> {
        let (_, mut all) = self.first.unwrap_or_default();
        let more = self.differing.saturating_sub(1);
        all.iter_mut().for_each(|one| one.more = more);
        if let Some(expected) = row.admitted.filter(|expected| *expected != self.admitted) {
            all.push(Difference::admitted(row, expected, self.admitted, start));
        }
        all.extend(self.last);
        all
    }
}

/// Which limits are left, by policy and limit.
pub(super) fn left(set: &Configuration, decision: &Decision) -> Vec<Vec<(String, u64)>> {
    let policies = set.rules.policies.iter().enumerate();
    let of = |(index, policy): (usize, &tollgate::rules::Policy)| {
        let verdicts = verdicts(set, decision, index, &policy.limit_names);
        verdicts.into_iter().map(|(name, verdict)| (name, verdict.remaining)).collect()
    };
    policies.map(of).collect()
}
