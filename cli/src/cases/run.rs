//! Runs a case: one worker over an empty table, with the clock of the case.

use super::compare::{Difference, Seen};
use super::{Answer, Case, Row};
use crate::explain::{SampleResponse, enforced, response, verdicts};
use crate::worker::{InFlight, Worker};
use tollgate::compile::Configuration;
use tollgate::decision::Decision;
use tollgate::http::Response;
use tollgate::time::Micros;

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
}

impl Runner {
    /// The policy as the share of callers meets it that it is enforced for.
    pub fn new(set: &Configuration) -> Runner {
        Runner { set: enforced(set) }
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

/// The worker, and the requests on their way through it.
struct World<'a> {
    runner: &'a Runner,
    case: &'a Case,
    worker: Worker,
    requests: u32,
    in_flight: InFlight<Flight>,
    /// For each entry, what came of it.
    rows: Vec<OfRow>,
    /// What each request got, if somebody wants to know.
    observed: Option<Vec<Observed>>,
}

/// A request that the upstream has not answered yet.
struct Flight {
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
        let mut worker = Worker::new(&runner.set);
        worker.advance(case.start);
        World {
            runner,
            case,
            worker,
            requests: 0,
            in_flight: InFlight::default(),
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

    /// Ends the requests that end by then.
    fn settle_until(&mut self, at: Micros) {
        while let Some((end, flight)) = self.in_flight.take_until(at) {
            self.answer(end, flight);
        }
    }

    /// Lets the time pass until an instant since the start of the case.
    fn advance(&mut self, at: Micros) {
        self.worker.advance(self.case.start.saturating_add(at));
    }

    fn send(&mut self, at: Micros, index: usize, number: u32) {
        let Some(row) = self.case.rows.get(index) else { return };
        self.advance(at);
        self.requests = self.requests.saturating_add(1);
        let mut decision = self.worker.decide(&row.request);
        if decision.rejected() {
            let response = response(&self.runner.set, &row.request, &decision, None);
            self.saw(index, number, at, Seen::of(&self.runner.set, &decision, response));
            self.worker.on_stream_end(&mut decision);
            return;
        }
        if let Some(of_row) = self.rows.get_mut(index) {
            of_row.admitted = of_row.admitted.saturating_add(1);
        }
        let flight = Flight { row: index, number, sent: at, decision };
        match row.answer.after {
            0 => self.answer(at, flight),
            after => self.in_flight.add(at.saturating_add(after), flight),
        }
    }

    /// The upstream answers an admitted request, or its stream ends without an answer.
    fn answer(&mut self, at: Micros, Flight { row: index, number, sent, mut decision }: Flight) {
        let Some(row) = self.case.rows.get(index) else { return };
        self.advance(at);
        let Answer { status, headers, trailers, body, .. } = &row.answer;
        let answer = status.map(|status| SampleResponse::new(status, headers, trailers));
        if let Some(answer) = &answer {
            self.worker.on_response(&mut decision, answer);
        }
        let seen = response(&self.runner.set, &row.request, &decision, answer);
        let seen = Seen::of(&self.runner.set, &decision, seen);
        if let Some(answer) = &answer {
            let (body, trailers) = (body.as_deref().unwrap_or_default(), |name: &str| answer.trailer(name));
            self.worker.on_response_end(&mut decision, answer, Some(body.as_bytes()), &trailers);
        }
        self.worker.on_stream_end(&mut decision);
        self.saw(index, number, sent, seen);
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
