//! The filter's core as one worker of Envoy drives it: its engine, its view of the table, its ticks and its clock.
//!
//! Whatever runs policies outside Envoy does so through [`Worker`], so `explain`, `test`, `replay` and the playground
//! cannot differ. A request takes the same steps as in the filter: [`Worker::decide`], [`Worker::on_response`],
//! [`Worker::on_response_end`], [`Worker::on_stream_end`], each at the instant that [`Worker::advance`] has reached.
//! [`InFlight`] keeps the requests between these steps.

mod in_flight;
mod page_store;

pub use in_flight::InFlight;

use page_store::PageStore;
use tollgate::body::{BodyFormat, BodyReader, Unreadable};
use tollgate::compile::Configuration;
use tollgate::decision::Decision;
use tollgate::engine::{Engine, Trailers};
use tollgate::http::{Request, Response};
use tollgate::identity::{Seed, Seeds};
use tollgate::limiter::concurrency::WorkerId;
use tollgate::rules::{BodySeen, PolicySet};
use tollgate::table::{Table, TableStats, Transaction};
use tollgate::time::{Micros, Now, SECOND};

/// The same everywhere, so that every run can be repeated.
const SEED: Seed = Seed::new([0; Seed::LEN]);

/// The monotonic time of the first event. The table must be older than any window.
const START: Micros = 400 * 86_400 * SECOND;

/// The time from one tick of the worker to the next.
const TICK: Micros = SECOND;

/// How long after the last event all ticks are run. Leases are over after half a second, and the tick behind that
/// settles them.
const SETTLING: Micros = 3 * TICK;

/// How long before the next event ticks are run again. For 10 s after a pause, the table takes other workers' units
/// for alive; the same ticks renew what is in flight.
const RESUMING: Micros = 12 * TICK;

/// One worker with one configuration, over an empty table.
pub struct Worker {
    engine: Engine,
    table: Table,
    store: PageStore,
    /// Whether replies say how long something is from the response on, rather than from the request on.
    counts_from_now: bool,
    /// When the first event was, since the UNIX epoch. `None`: there was none.
    first: Option<Micros>,
    /// When the latest event was.
    clock: Micros,
    /// When the next tick is due.
    next_tick: Micros,
}

impl Worker {
    /// A worker that has not seen a request yet.
    pub fn new(configuration: &Configuration) -> Worker {
        let engine = Engine::new(configuration.rules.clone());
        let rules = engine.rules();
        let mut table = Table::new(SEED, rules.table_size, WorkerId(1));
        table.set_in_force(rules.limits());
        table.set_forgiving(rules.forgives());
        let store = PageStore::new(rules.table_size.pages.get());
        let counts_from_now = configuration.replies.counts_from_now();
        Worker { engine, table, store, counts_from_now, first: None, clock: 0, next_tick: 0 }
    }

    /// The policies.
    pub fn rules(&self) -> &PolicySet {
        self.engine.rules()
    }

    /// The seeds of the callers' identities.
    pub fn seeds(&self) -> Seeds {
        Seeds { table: SEED, fleet: None }
    }

    /// Events of the table so far.
    pub fn take_stats(&mut self) -> TableStats {
        self.table.take_stats()
    }

    /// The time of the latest event, since the UNIX epoch.
    pub fn clock(&self) -> Micros {
        self.clock
    }

    /// Lets the time pass until an instant since the UNIX epoch, with the worker's ticks up to it. The clock never
    /// goes back.
    pub fn advance(&mut self, to: Micros) {
        if self.first.is_none() {
            (self.first, self.clock, self.next_tick) = (Some(to), to, to);
        }
        if to.saturating_sub(self.next_tick) > SETTLING + RESUMING {
            self.pass_pause(to);
        }
        self.tick_until(to);
        self.clock = self.clock.max(to);
    }

    /// Leaves out the ticks in the middle of a pause, at which nothing happens that the ticks at its end do not make
    /// up for. So a log of a year with a line a day takes no longer than one of an hour.
    fn pass_pause(&mut self, to: Micros) {
        self.tick_until(self.next_tick.saturating_add(SETTLING));
        let pause = to.saturating_sub(RESUMING).saturating_sub(self.next_tick);
        self.next_tick = self.next_tick.saturating_add(pause / TICK * TICK);
    }

    fn tick_until(&mut self, to: Micros) {
        while self.next_tick <= to {
            let now = self.at(self.next_tick);
            self.table.begin(&self.store, now).settle();
            self.next_tick = self.next_tick.saturating_add(TICK);
        }
    }

    fn at(&self, wall: Micros) -> Now {
        let since = wall.saturating_sub(self.first.unwrap_or(wall));
        Now { mono: START.saturating_add(since), wall }
    }

    fn transact<T>(&mut self, act: impl FnOnce(&Engine, &mut Transaction<'_, PageStore>) -> T) -> T {
        let now = self.at(self.clock);
        act(&self.engine, &mut self.table.begin(&self.store, now))
    }

    /// Decides a request, and counts it.
    pub fn decide(&mut self, request: &impl Request) -> Decision {
        self.transact(|engine, transaction| engine.decide(request, transaction))
    }

    /// Whether the response to a request, or the end of its stream, changes a count.
    pub fn awaits_end(&self, decision: &Decision) -> bool {
        self.awaits_response(decision) || self.engine.awaits_stream_end(decision)
    }

    /// Whether the response to a request changes a count.
    pub fn awaits_response(&self, decision: &Decision) -> bool {
        self.engine.awaits_response(decision)
    }

    /// The head of the upstream's response has come. The reply to the client is that of the decision from now on.
    pub fn on_response(&mut self, decision: &mut Decision, response: &impl Response) {
        if decision.rejected() {
            return; // Tollgate has answered
        }
        if self.awaits_response(decision) {
            self.transact(|engine, transaction| engine.on_response(decision, response, transaction));
        } else if self.counts_from_now {
            decision.as_of = self.at(self.clock);
        }
    }

    /// The rest of the response has come: its body (`None`: nobody knows it) and its trailers.
    pub fn on_response_end(
        &mut self,
        decision: &mut Decision,
        response: &impl Response,
        body: Option<&[u8]>,
        trailers: Trailers<'_>,
    ) {
        if decision.awaits_body() {
            self.read_body(decision, response, body);
        }
        if decision.awaits_trailers() {
            self.transact(|engine, transaction| engine.on_trailers(decision, Some(trailers), transaction));
        }
    }

    fn read_body(&mut self, decision: &mut Decision, response: &impl Response, body: Option<&[u8]>) {
        let [encoding, media_type] = ["content-encoding", "content-type"].map(|name| response.header(name));
        let format = BodyFormat::of(encoding.as_deref(), media_type.as_deref());
        self.transact(|engine, transaction| {
            let pointers = &engine.rules().pointers;
            match (body.ok_or(Unreadable::Type), format) {
                (Ok(body), Ok(format)) => {
                    let mut reader = BodyReader::new(format, pointers);
                    reader.read(body, pointers);
                    engine.on_body(decision, BodySeen::Whole(reader.values()), transaction)
                }
                (Err(why), _) | (Ok(_), Err(why)) => {
                    engine.on_body(decision, BodySeen::Unreadable(why), transaction)
                }
            }
        });
    }

    /// The stream has ended, however it came.
    pub fn on_stream_end(&mut self, decision: &mut Decision) {
        if self.engine.awaits_stream_end(decision) {
            self.transact(|engine, transaction| engine.on_stream_end(decision, transaction));
        }
    }
}

#[cfg(test)]
mod tests;
