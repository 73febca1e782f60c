//! A gateway in simulated time: workers with one store, the streams through them, the upstream, and the
//! oracle.

use super::call::Call;
use super::chronicle::{Chronicle, Event};
use super::fate::{Due, Fate};
use super::oracle::{Breach, Oracle, StreamId};
use super::promise::{Handled, Promise};
use super::random::Random;
use super::upstream::{Answer, Deed, Owner, Upstream};
use super::wear::Wear;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::num::NonZeroU32;
use std::rc::Rc;
use std::sync::Arc;
use tollgate::compile::compile;
use tollgate::config::Value;
use tollgate::decision::Decision;
use tollgate::engine::Engine;
use tollgate::identity::Seed;
use tollgate::limiter::concurrency::WorkerId;
use tollgate::limiter::{Algorithm, Forgiven, can_be_forgiven};
use tollgate::table::memory::MemoryStore;
use tollgate::table::{Table, TableSize};
use tollgate::time::{Micros, Now, SECOND};

/// 2026-06-15T05:06:40Z, ten days after the process has started: whatever is shipped is in force.
const START: Now = Now { mono: 864_000 * SECOND, wall: 1_781_500_000 * SECOND };

/// After so long with nothing under way a worker's tick has nothing to do.
const IDLE: Micros = 90 * SECOND;

/// A request and what it is for.
#[derive(Clone, Debug)]
pub struct Visit {
    pub call: Call,
    pub deed: Deed,
    /// What it will really cost.
    pub cost: u32,
}

impl Visit {
    pub fn new(call: Call, deed: Deed) -> Visit {
        Visit { call, deed, cost: 1 }
    }
}

/// What an operator has forgiven whom.
pub struct Forgiveness {
    caller: Owner,
    entries: Arc<[Forgiven]>,
}

struct Stream {
    decision: Decision,
    /// As in the filter, a stream keeps the configuration that it was decided by.
    engine: Rc<Engine>,
    worker: usize,
    deed: Deed,
    cost: u32,
    answer: Option<Answer>,
    ended: bool,
    /// How much is yet to come of it.
    to_come: u32,
}

/// All of it.
pub struct World {
    pub now: Now,
    pub store: MemoryStore,
    pub upstream: Upstream,
    /// The first promise that was broken, and what led to it.
    pub breach: Option<Breach>,
    pub led_to_it: String,
    chronicle: Chronicle,
    pub wear: Wear,
    engine: Rc<Engine>,
    workers: Vec<Table>,
    oracle: Oracle,
    streams: HashMap<StreamId, Stream>,
    due: BinaryHeap<Reverse<(Micros, Due, StreamId)>>,
    next: StreamId,
}

impl World {
    /// One with a document's policies and a table of so many pages.
    pub fn new(document: &Value, workers: usize, pages: u32) -> World {
        let policies = compile(document).expect("a valid policy").rules;
        let pages = NonZeroU32::new(pages).expect("at least one page");
        let table_size = TableSize { pages, ..policies.table_size };
        let holder = |worker: usize| WorkerId(worker as u32 + 1);
        let table = |worker| Table::new(Seed::new([7; Seed::LEN]), table_size, holder(worker));
        World {
            now: START,
            store: MemoryStore::default(),
            upstream: Upstream::default(),
            breach: None,
            led_to_it: String::new(),
            chronicle: Chronicle::default(),
            wear: Wear { workers: workers as u64, ..Wear::default() },
            engine: Rc::new(Engine::new(policies)),
            workers: (0..workers).map(table).collect(),
            oracle: Oracle::new(Promise::all(document)),
            streams: HashMap::new(),
            due: BinaryHeap::new(),
            next: 0,
        }
    }

    pub fn workers(&self) -> usize {
        self.workers.len()
    }

    /// One request to one worker. Answers whether it was admitted.
    pub fn ask(&mut self, worker: usize, visit: &Visit, fate: Fate) -> bool {
        let decision =
            self.engine.decide(&visit.call, &mut self.workers[worker].begin(&self.store, self.now));
        self.note_wear(worker, &decision);
        let stream = self.next;
        self.next += 1;
        let rejected = decision.rejected();
        self.chronicle.note(stream, self.now.mono, Event::asked(worker, visit, fate, rejected));
        if rejected {
            self.oracle.reject(&self.engine, &decision);
            return false;
        }
        let breach = self.oracle.admit(stream, &self.engine, &decision, &self.wear);
        if let Some(breach) = breach.filter(|_| self.breach.is_none()) {
            self.led_to_it = self.chronicle.told(&breach.streams);
            self.breach = Some(breach);
        }
        let to_come = self.schedule(stream, fate);
        let (engine, deed, cost) = (Rc::clone(&self.engine), visit.deed, visit.cost);
        let begun = Stream { decision, engine, worker, deed, cost, answer: None, ended: false, to_come };
        self.streams.insert(stream, begun);
        true
    }

    /// One request whose life is over before anything else happens: so long later. Answers whether it was
    /// admitted.
    pub fn ask_alone(&mut self, worker: usize, visit: &Visit, fate: Fate, then: Micros) -> bool {
        let admitted = self.ask(worker, visit, fate);
        self.wait(then);
        admitted
    }

    fn note_wear(&mut self, worker: usize, decision: &Decision) {
        let stats = self.workers[worker].take_stats();
        let (wear, now) = (&mut self.wear, decision.now.mono);
        if stats.evictions > 0 {
            (wear.evictions, wear.evicted) = (wear.evictions + stats.evictions, Some(now));
        }
        if stats.overflow > 0 {
            (wear.overflow, wear.overflowed) = (wear.overflow + stats.overflow, Some(now));
        }
        let costs = decision.policies().iter().map(|answer| u64::from(answer.cost));
        wear.most_cost = costs.fold(wear.most_cost, u64::max);
        if stats.degraded > 0 {
            wear.alone = Some((wear.alone.map_or(now, |(first, _)| first), now));
        }
    }

    /// Answers how much is to come of it.
    fn schedule(&mut self, stream: StreamId, fate: Fate) -> u32 {
        if fate.handled.is_none() {
            self.oracle.note(stream, |life| life.handled = Handled::Never);
        }
        let due = fate.due();
        let now = self.now.mono;
        self.due.extend(due.iter().map(|(after, due)| Reverse((now + after, *due, stream))));
        due.len() as u32
    }

    /// Time goes on: what is due happens, and each worker's tick, once a second.
    pub fn wait(&mut self, time: Micros) {
        let until = self.now.mono + time;
        let mut busy_until = self.now.mono + IDLE;
        loop {
            let next = self.due.peek().map_or(Micros::MAX, |Reverse((at, ..))| *at);
            let tick = (self.now.mono / SECOND + 1) * SECOND;
            if next.min(tick) > until {
                break;
            }
            if next < tick {
                self.go_on_to(next);
                busy_until = next + IDLE;
                self.happen();
            } else {
                // Where nothing is under way the next hours are like this one.
                let idle = self.due.is_empty() && tick > busy_until;
                self.go_on_to(if idle { until / SECOND * SECOND } else { tick });
                self.tick();
            }
        }
        self.go_on_to(until);
    }

    fn go_on_to(&mut self, mono: Micros) {
        let passed = mono.saturating_sub(self.now.mono);
        self.now = Now { mono: self.now.mono + passed, wall: self.now.wall + passed };
    }

    fn tick(&mut self) {
        let now = self.now;
        self.workers.iter_mut().for_each(|table| table.begin(&self.store, now).settle());
    }

    fn happen(&mut self) {
        let Some(Reverse((_, due, id))) = self.due.pop() else { return };
        let Some(mut stream) = self.streams.remove(&id) else { return };
        match due {
            Due::Handled => self.handle(id, &mut stream),
            Due::Heard => self.hear(id, &mut stream),
            Due::EnvoyAnswers(status) => self.answered(&mut stream, Answer::of_envoy(status)),
            Due::Ended => self.end(id, &mut stream),
        }
        stream.to_come -= 1;
        if stream.to_come > 0 {
            self.streams.insert(id, stream);
        }
    }

    fn handle(&mut self, id: StreamId, stream: &mut Stream) {
        let owners = stream.owners();
        let (answer, deleted) = self.upstream.handle(stream.deed, stream.cost, &owners);
        if deleted {
            owners.iter().for_each(|owner| self.oracle.delete(*owner));
        }
        self.oracle.note(id, |life| life.handled = Handled::With(answer));
        self.chronicle.note(id, self.now.mono, Event::Handled(answer.status));
        stream.answer = Some(answer);
    }

    fn hear(&mut self, id: StreamId, stream: &mut Stream) {
        let Some(answer) = stream.answer.filter(|_| !stream.ended) else { return };
        let now = self.now;
        self.answered(stream, answer);
        self.oracle.note(id, |life| life.heard = Some(now));
        self.chronicle.note(id, now.mono, Event::Heard);
    }

    /// As in the filter: the engine hears of a response, and of a stream's end, only if it says that it waits
    /// for one.
    fn answered(&mut self, stream: &mut Stream, answer: Answer) {
        let Stream { engine, decision, worker, .. } = stream;
        if engine.awaits_response(decision) {
            engine.on_response(decision, &answer, &mut self.workers[*worker].begin(&self.store, self.now));
        }
    }

    fn end(&mut self, id: StreamId, stream: &mut Stream) {
        let Stream { engine, decision, worker, ended, .. } = stream;
        if engine.awaits_stream_end(decision) {
            engine.on_stream_end(decision, &mut self.workers[*worker].begin(&self.store, self.now));
        }
        *ended = true;
        self.oracle.note(id, |life| life.ended = true);
        self.chronicle.note(id, self.now.mono, Event::Ended);
    }

    /// An operator forgives a caller, by one worker. `None`: nobody has come yet, or the record cannot be written.
    pub fn forgive(&mut self, worker: usize, random: &mut Random) -> Option<Forgiveness> {
        let callers = self.oracle.callers();
        let caller = *callers.get(random.below(callers.len().max(1) as u64) as usize)?;
        let limits = self.engine.rules().policies[caller.0].limits().to_vec();
        let meant = limits.iter().filter(|limit| can_be_forgiven(limit));
        let entries = meant.map(|limit| Forgiven::new(limit, self.now.wall)).collect();
        let forgiveness = Forgiveness { caller, entries };
        self.workers.iter_mut().for_each(|table| table.set_forgiving(true));
        let any = self.carry_out(worker, &forgiveness)?;
        self.oracle.forgive(caller, &limits);
        if !any {
            // Nothing was counted, so no record remembers it, and to repeat it would be to forgive somebody anew.
            return None;
        }
        (self.wear.forgiven, self.wear.forgiven_at) = (self.wear.forgiven + 1, Some(self.now.mono));
        Some(forgiveness)
    }

    /// Forgives what was forgiven before, by any worker: whoever was forgiven gets nothing more. Returns whether
    /// anything was forgiven.
    pub fn carry_out(&mut self, worker: usize, forgiveness: &Forgiveness) -> Option<bool> {
        let (policy, identity) = forgiveness.caller;
        let policy = &self.engine.rules().policies[policy];
        let charge = policy.charge_of(policy.limits(), identity, 0);
        self.workers[worker].begin(&self.store, self.now).forgive_now(&charge, &forgiveness.entries)
    }

    /// Other policies from now on, with the same table.
    pub fn update(&mut self, document: &Value) {
        self.engine = Rc::new(Engine::new(compile(document).expect("a valid policy").rules));
        self.oracle.update(Promise::all(document), &self.engine);
        self.chronicle.note(self.next, self.now.mono, Event::Updated);
    }
}

impl Stream {
    /// Whose things it is about.
    fn owners(&self) -> Vec<Owner> {
        let policies = &self.engine.rules().policies;
        let counts_things = |policy: usize| {
            policies[policy].limits().iter().any(|limit| matches!(limit.algorithm, Algorithm::Stock(_)))
        };
        let judges = self.decision.policies().iter().map(|answer| (answer.policy, answer.identity));
        let returns = self.decision.returns().iter().map(|one| (one.policy, one.identity));
        judges.chain(returns).filter(|(policy, _)| counts_things(*policy)).collect()
    }
}
