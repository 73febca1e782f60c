//! One configuration under the traffic of a log: the filter's own engine and table, as one worker has them,
//! with the log's times as the clock.

use super::record::Record;
use super::request::{Layout, LoggedRequest, LoggedResponse, Missing};
use super::store::PageStore;
use super::tally::Tally;
use crate::applicability::shown;
use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use tollgate::body::Unreadable;
use tollgate::compile::Configuration;
use tollgate::decision::{Decision, PolicyDecision};
use tollgate::engine::Engine;
use tollgate::engine::caller::{Caller, ConsumerCache};
use tollgate::engine::role;
use tollgate::http::{RequestCache, Response};
use tollgate::identity::{Seed, Seeds};
use tollgate::limiter::concurrency::WorkerId;
use tollgate::rules::{BodySeen, PolicySet};
use tollgate::table::{Table, TableStats};
use tollgate::time::{Micros, Now, SECOND};

/// The maximum number of requests in flight whose responses matter. Of more than these, the one that would end
/// first ends early.
const MAX_IN_FLIGHT: usize = 1 << 20;

/// The same everywhere, so that a replay can be repeated.
const SEED: Seed = Seed::new(*b"tollgate replay\0");

/// One configuration, and what has happened under it.
pub struct Run {
    engine: Engine,
    table: Table,
    store: PageStore,
    layout: Layout,
    /// When the first request came. `None`: none has.
    first: Option<Micros>,
    /// The time of the latest event.
    clock: Micros,
    next_tick: Micros,
    /// When the response of each request in flight comes, and its place in `flights`.
    ends: BinaryHeap<Reverse<(Micros, u64, usize)>>,
    flights: Vec<Option<Flight>>,
    free: Vec<usize>,
    number: u64,
    /// What has happened.
    pub tally: Tally,
    /// What the policies have asked for and the log cannot say.
    pub missing: RefCell<Missing>,
    /// Events of the table.
    pub stats: TableStats,
    /// The number of requests that had to end early.
    pub cut_short: u64,
    /// The number of admitted requests whose response decides something, and that the log's own limits had
    /// rejected.
    pub assumed: u64,
    /// Whether bodies were asked for.
    pub without_body: u64,
}

/// A request whose response, or whose end, will change a count.
struct Flight {
    decision: Decision,
    /// `None`: it gets none.
    response: Option<LoggedResponse>,
}

impl Run {
    /// The start of a replay.
    pub fn new(configuration: &Configuration, layout: Layout, max_callers: usize) -> Run {
        let engine = Engine::new(configuration.rules.clone());
        let size = engine.rules().table_size;
        let mut table = Table::new(SEED, size, WorkerId(1));
        table.set_in_force(engine.rules().limits());
        let tally = Tally::new(engine.rules(), max_callers);
        Run {
            engine,
            table,
            store: PageStore::new(size.pages.get()),
            layout,
            first: None,
            clock: 0,
            next_tick: 0,
            ends: BinaryHeap::new(),
            flights: Vec::new(),
            free: Vec::new(),
            number: 0,
            tally,
            missing: RefCell::default(),
            stats: TableStats::default(),
            cut_short: 0,
            assumed: 0,
            without_body: 0,
        }
    }

    /// The policies.
    pub fn rules(&self) -> &PolicySet {
        self.engine.rules()
    }

    /// Decides a request, and counts it.
    pub fn decide(&mut self, record: &Record) -> Decision {
        self.advance(record.start);
        let now = self.now(self.clock);
        self.missing.borrow_mut().next();
        let request = LoggedRequest { record, layout: &self.layout, missing: &self.missing };
        let decision = self.engine.decide(&request, &mut self.table.begin(&self.store, now));
        let rules = self.engine.rules();
        self.tally.count(rules, &decision, |one| describe(rules, &request, one));
        self.follow(record, &decision);
        decision
    }

    /// Counts that this configuration has rejected a request that another one admits. `newly`: this is the new
    /// one of both.
    pub fn note_difference(&mut self, record: &Record, decision: &Decision, newly: bool) {
        let Some(one) = decision.rejecting() else { return };
        let request = LoggedRequest { record, layout: &self.layout, missing: &self.missing };
        let rules = self.engine.rules();
        if let Some(caller) = self.tally.caller(one, &|one| describe(rules, &request, one)) {
            match newly {
                true => caller.newly += 1,
                false => caller.no_longer += 1,
            }
        }
    }

    /// Remembers the request until its response comes, if that changes a count.
    fn follow(&mut self, record: &Record, decision: &Decision) {
        let awaits = self.engine.awaits_response(decision);
        if !awaits && !self.engine.awaits_stream_end(decision) {
            return;
        }
        let is_answered = awaits && (record.is_answered() || record.refused == Some(true));
        let response =
            is_answered.then(|| LoggedResponse::new(record, &self.layout).with_length(record.bytes_out));
        self.assumed += u64::from(record.refused == Some(true) && !decision.rejected());
        // Rejections end at once.
        let end = if decision.rejected() { record.start } else { record.end };
        let flight = Flight { decision: decision.clone(), response };
        let place = self.free.pop().unwrap_or_else(|| {
            self.flights.push(None);
            self.flights.len() - 1
        });
        if let Some(entry) = self.flights.get_mut(place) {
            *entry = Some(flight);
        }
        self.number += 1;
        self.ends.push(Reverse((end.max(self.clock), self.number, place)));
        if self.ends.len() > MAX_IN_FLIGHT {
            self.cut_short += 1;
            self.end_next(self.clock);
        }
    }

    /// Lets everything happen that does before or at this instant.
    fn advance(&mut self, to: Micros) {
        if self.first.is_none() {
            (self.first, self.clock, self.next_tick) = (Some(to), to, to);
        }
        while let Some(Reverse((end, ..))) = self.ends.peek().filter(|Reverse((end, ..))| *end <= to) {
            let end = *end;
            self.tick_until(end);
            self.clock = self.clock.max(end);
            self.end_next(self.clock);
        }
        self.tick_until(to);
        self.clock = self.clock.max(to);
    }

    /// The worker's ticks, one each second: a pause in the log is none of the worker's. In a long one, the table is
    /// settled long before its end.
    fn tick_until(&mut self, to: Micros) {
        const MAX_TICKS: u64 = 3_600;
        if to.saturating_sub(self.next_tick) > 3 * MAX_TICKS * SECOND {
            for _ in 0..MAX_TICKS {
                self.tick();
            }
            self.next_tick = to.saturating_sub(MAX_TICKS * SECOND);
        }
        while self.next_tick <= to {
            self.tick();
        }
    }

    fn tick(&mut self) {
        let now = self.now(self.next_tick);
        self.table.begin(&self.store, now).settle();
        self.next_tick = self.next_tick.saturating_add(SECOND);
        let TableStats { evictions, overflow, degraded, .. } = self.table.take_stats();
        self.stats.evictions += evictions;
        self.stats.overflow += overflow;
        self.stats.degraded += degraded;
    }

    /// The response of the next request in flight comes.
    fn end_next(&mut self, at: Micros) {
        let Some(Reverse((_, _, place))) = self.ends.pop() else { return };
        let Some(Flight { mut decision, response }) = self.flights.get_mut(place).and_then(Option::take)
        else {
            return;
        };
        self.free.push(place);
        let now = self.now(at);
        if let Some(response) = response {
            let mut transaction = self.table.begin(&self.store, now);
            self.engine.on_response(&mut decision, &response, &mut transaction);
            // A log has the trailers among the headers, if it has them.
            self.engine.on_trailers(&mut decision, Some(&|name| response.header(name)), &mut transaction);
            if decision.awaits_body() {
                self.without_body += 1;
                let body = BodySeen::Unreadable(Unreadable::Type);
                self.engine.on_body(&mut decision, body, &mut transaction);
            }
        }
        if self.engine.awaits_stream_end(&decision) {
            self.engine.on_stream_end(&mut decision, &mut self.table.begin(&self.store, now));
        }
    }

    /// The last request has come: those in flight end.
    pub fn finish(&mut self) {
        while !self.ends.is_empty() {
            self.end_next(self.clock);
        }
        let stats = self.table.take_stats();
        self.stats.evictions += stats.evictions;
        self.stats.overflow += stats.overflow;
        self.stats.degraded += stats.degraded;
    }

    fn now(&self, wall: Micros) -> Now {
        /// The table must be older than any window.
        const START: Micros = 400 * 86_400 * SECOND;
        let since = wall.saturating_sub(self.first.unwrap_or(wall));
        Now { mono: START.saturating_add(since), wall }
    }
}

/// How a caller is shown, and its tier.
#[cold]
fn describe(
    rules: &PolicySet,
    request: &LoggedRequest<'_>,
    one: &PolicyDecision,
) -> (Box<str>, Option<usize>) {
    let (cache, seeds) = (ConsumerCache::default(), Seeds { table: SEED, fleet: None });
    let asked = RequestCache::new(request);
    let caller = Caller::new(&asked, &rules.callers, &cache, &seeds, &[]);
    let tier = rules.callers.tiers.as_ref().map(|_| caller.tier());
    let consumer = caller.consumer().and_then(|consumer| rules.callers.consumers.list().get(consumer));
    let Some(policy) = rules.policies.get(one.policy) else { return ("".into(), tier) };
    if let Some(consumer) = consumer {
        return (consumer.name.as_str().into(), tier);
    }
    let rule = role(policy, &caller).and_then(|(_, rule)| rule);
    let values = policy.key.iter().filter_map(|key| {
        let (_, value) = caller.value(*key, rule)?;
        let source = rules.callers.keys.get(caller.source_of(*key, rule)?)?;
        let header = source.source.header().unwrap_or_default();
        match request.layout.pseudonyms.iter().any(|(pseudonym, _)| pseudonym == header) {
            true => Some(format!("caller {}", String::from_utf8_lossy(&value).escape_debug())),
            false => Some(shown(source, &value)),
        }
    });
    (values.collect::<Vec<_>>().join(", ").into_boxed_str(), tier)
}
