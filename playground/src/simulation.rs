//! The filter in one worker, and the traffic on its way through it.

use crate::traffic::{Arrival, NO_ANSWER, Traffic};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use tollgate::compile::Configuration;
use tollgate::decision::Decision;
use tollgate::engine::Engine;
use tollgate::http::Response;
use tollgate::identity::{Identity, Seed};
use tollgate::limiter::concurrency::WorkerId;
use tollgate::table::{Table, memory::MemoryStore};
use tollgate::time::{Micros, Now, SECOND};
use tollgate_cli::explain::SampleResponse;

/// The table must be older than any window.
const START: Micros = 400 * 86_400 * SECOND;

/// The filter, between two requests.
pub struct Simulation<'a> {
    traffic: &'a Traffic,
    engine: Engine,
    table: Table,
    store: MemoryStore,
    next_tick: Micros,
    /// Requests without a response so far: when it comes, their number, and what was decided.
    in_flight: BinaryHeap<Reverse<(Micros, usize, Waiting)>>,
}

/// A request and its decision, which has no order of its own.
struct Waiting(Arrival, Box<Decision>);

impl PartialEq for Waiting {
    fn eq(&self, _: &Waiting) -> bool {
        true
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Waiting) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, _: &Waiting) -> std::cmp::Ordering {
        std::cmp::Ordering::Equal
    }
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fate {
    /// Whether it was rejected.
    pub rejected: bool,
    /// The policy that rejected it.
    pub by: Option<usize>,
    /// Whom the watched policy counted it for, and its cost; `None` if it does not apply.
    pub counted: Option<(Identity, u32)>,
}

impl<'a> Simulation<'a> {
    /// A filter with an empty table. The configuration must be [enforced](tollgate_cli::explain::enforced) for
    /// everybody.
    pub fn new(configuration: &Configuration, traffic: &'a Traffic) -> Simulation<'a> {
        let engine = Engine::new(configuration.rules.clone());
        let table = Table::new(Seed::new([0; Seed::LEN]), engine.rules().table_size, WorkerId(1));
        let (store, in_flight) = (MemoryStore::default(), BinaryHeap::new());
        Simulation { traffic, engine, table, store, next_tick: 0, in_flight }
    }

    /// The response of the upstream; `None`: none comes.
    pub fn answer(&self, arrival: Arrival) -> Option<SampleResponse<'a>> {
        let answer = SampleResponse::new(arrival.status, &self.traffic.headers, &self.traffic.headers);
        Some(answer).filter(|answer| answer.status != NO_ANSWER)
    }

    /// Decides the request with this number. Its response comes later.
    pub fn send(&mut self, number: usize, arrival: Arrival) -> Option<Decision> {
        self.advance(arrival.at);
        let request = self.traffic.requests.get(usize::try_from(arrival.request).ok()?)?;
        let now = self.at(arrival.at);
        Some(self.engine.decide(request, &mut self.table.begin(&self.store, now))).inspect(|decision| {
            if self.engine.awaits_response(decision) || self.engine.awaits_stream_end(decision) {
                let end = arrival.at.saturating_add(arrival.took.into());
                let end = if decision.rejected() { arrival.at } else { end };
                self.in_flight.push(Reverse((end, number, Waiting(arrival, Box::new(decision.clone())))));
            }
        })
    }

    /// The same, and what became of it for a policy.
    pub fn fate(&mut self, number: usize, arrival: Arrival, watched: usize) -> Fate {
        let Some(decision) = self.send(number, arrival) else {
            return Fate { rejected: false, by: None, counted: None };
        };
        let of_policy = decision.of_policy(watched).filter(|_| !decision.rejected());
        Fate {
            rejected: decision.rejected(),
            by: decision.rejecting().map(|one| one.policy),
            counted: of_policy.map(|one| (one.identity, one.cost)),
        }
    }

    /// Lets the responses come that are due at an instant, and the worker's ticks.
    fn advance(&mut self, at: Micros) {
        while let Some(Reverse((end, _, _))) = self.in_flight.peek() {
            if *end > at {
                break;
            }
            let end = *end;
            self.tick(end);
            let Some(Reverse((_, _, Waiting(arrival, mut decision)))) = self.in_flight.pop() else { break };
            self.end(end, arrival, &mut decision);
        }
        self.tick(at);
    }

    /// The response to a request comes, and its stream ends.
    pub fn end(&mut self, at: Micros, arrival: Arrival, decision: &mut Decision) {
        let now = self.at(at);
        if let Some(answer) = self.answer(arrival).filter(|_| self.engine.awaits_response(decision)) {
            let mut transaction = self.table.begin(&self.store, now);
            self.engine.on_response(decision, &answer, &mut transaction);
            self.engine.on_trailers(decision, Some(&|name| answer.trailer(name)), &mut transaction);
        }
        if self.engine.awaits_stream_end(decision) {
            self.engine.on_stream_end(decision, &mut self.table.begin(&self.store, now));
        }
    }

    fn tick(&mut self, at: Micros) {
        let now = self.at(at);
        if now.mono >= self.next_tick {
            self.table.begin(&self.store, now).settle();
            self.next_tick = now.mono.saturating_add(SECOND);
        }
    }

    fn at(&self, at: Micros) -> Now {
        Now { mono: START.saturating_add(at), wall: self.traffic.start.saturating_add(at) }
    }
}
