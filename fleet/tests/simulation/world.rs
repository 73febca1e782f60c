//! The proxies, the network, the services and the engine, in simulated time.

use crate::adversary::Traffic;
use crate::engine::Engine;
use crate::network::Trouble;
use crate::proxy::{Clock, PREFIX, Proxy, Request, TIMEOUT, identity};
use crate::random::Random;
use crate::service::Service;
use crate::truth::{Admitted, Truth};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;
use tollgate::fleet::OnOutage;
use tollgate::fleet::member::Member;
use tollgate::fleet::message::Exchange;
use tollgate::fleet::units::{Change, Claim, InHand};
use tollgate::limiter::concurrency::WorkerId;
use tollgate::limiter::{Algorithm, Counter, Limit};
use tollgate::time::{MILLISECOND, Micros, Now, SECOND};
use tollgate_fleet::exchange::key;
use tollgate_fleet::record::Record;

/// Simulations begin here: 2025-11-29 08:00:00 UTC.
pub const START: Micros = 1_764_403_200 * SECOND;

/// What is simulated.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub proxies: usize,
    /// Of one policy.
    pub limits: Vec<Limit>,
    pub callers: u64,
    pub traffic: Traffic,
    /// The highest cost of a request.
    pub most_cost: u32,
    pub count_rejected: bool,
    pub on_outage: OnOutage,
    pub trouble: Trouble,
    /// Wall clocks of proxies step.
    pub wall_steps: bool,
    pub responses: Responses,
    /// Of a thousand requests that wait, so many hang up.
    pub hang_up: u64,
    pub start: Micros,
    pub duration: Micros,
    /// How long it goes on without requests and trouble.
    pub quiet: Micros,
    /// What happens to the engine, and when.
    pub plan: Vec<(Micros, Blow)>,
}

/// What responses change, in thousandths.
#[derive(Clone, Copy, Debug, Default)]
pub struct Responses {
    /// Responses after which all units go back.
    pub back: u64,
    /// Responses after which further units are counted.
    pub more: u64,
    /// How long a response takes at most.
    pub slowest: Micros,
}

/// What happens to the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Blow {
    /// Its clock is set.
    Step(i64),
    /// A replica takes over without what was written lately.
    FailOver(Micros),
    /// It comes back empty.
    Empty,
    /// It does not answer for so long.
    Silence(Micros),
    /// Proxies are cut off for so long.
    Cut(Micros),
}

impl Scenario {
    pub fn new(proxies: usize, limits: &[Limit], traffic: Traffic) -> Scenario {
        let window = limits[0].window;
        Scenario {
            proxies,
            limits: limits.to_vec(),
            callers: 1,
            traffic,
            most_cost: 1,
            count_rejected: false,
            on_outage: OnOutage::Deny,
            trouble: Trouble::default(),
            wall_steps: false,
            responses: Responses::default(),
            hang_up: 0,
            start: START,
            duration: (20 * window).clamp(20 * SECOND, 60 * SECOND),
            quiet: 0,
            plan: Vec::new(),
        }
    }

    pub fn run(&self, seed: u64) -> World {
        World::new(self.clone(), seed).run()
    }

    fn counts_in_flight(&self) -> bool {
        self.limits.iter().any(|limit| limit.algorithm == Algorithm::Concurrency)
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Requests(u64),
    Tick(usize),
    /// Once a second: what happens to proxies.
    Fate,
    Blow(Blow),
    /// A message comes to a service.
    Arrived(usize),
    Read(usize),
    Write(usize),
    /// A reply comes to a proxy.
    Replied {
        message: usize,
        job: Option<usize>,
    },
    TimedOut(usize),
    Response {
        proxy: usize,
        life: u32,
        admitted: usize,
    },
    HungUp {
        proxy: usize,
        request: u64,
    },
}

struct Message {
    proxy: usize,
    life: u32,
    call: u64,
    joins: bool,
    body: Rc<Vec<u8>>,
}

pub struct World {
    pub scenario: Scenario,
    random: Random,
    pub time: Micros,
    events: BinaryHeap<Reverse<(Micros, u64, Event)>>,
    order: u64,
    pub proxies: Vec<Proxy>,
    messages: Vec<Message>,
    services: Vec<Service>,
    answers: Vec<Vec<u8>>,
    pub engine: Engine,
    epoch: u64,
    silent_until: Micros,
    /// Units that were granted, and when.
    granted: Vec<(Micros, u64)>,
    pub truth: Truth,
}

impl World {
    fn new(scenario: Scenario, seed: u64) -> World {
        let mut world = World {
            random: Random(seed),
            time: scenario.start,
            events: BinaryHeap::new(),
            order: 0,
            proxies: Vec::new(),
            messages: Vec::new(),
            services: Vec::new(),
            answers: Vec::new(),
            engine: Engine::default(),
            epoch: 1,
            silent_until: 0,
            granted: Vec::new(),
            truth: Truth::default(),
            scenario,
        };
        for proxy in 0..world.scenario.proxies {
            let born = world.born(0);
            world.proxies.push(born);
            let phase = world.random.below(100 * MILLISECOND);
            world.after(phase, Event::Tick(proxy));
        }
        for (at, blow) in world.scenario.plan.clone() {
            world.after(at, Event::Blow(blow));
        }
        world.after(SECOND, Event::Fate);
        // All have joined by then.
        world.after(SECOND + 1, Event::Requests(0));
        world
    }

    fn born(&mut self, life: u32) -> Proxy {
        let clock = Clock {
            since: self.time,
            began: self.random.below(1_000_000 * SECOND),
            rate: self.scenario.trouble.rate(&mut self.random),
            wall: 0,
        };
        let member = Member::new(self.random.next(), TIMEOUT);
        Proxy { member, life, clock, cut_until: 0, waiting: Vec::new() }
    }

    fn after(&mut self, delay: Micros, event: Event) {
        self.order += 1;
        self.events.push(Reverse((self.time + delay, self.order, event)));
    }

    fn run(mut self) -> World {
        let end = self.time + self.scenario.duration;
        self.run_until(end);
        if self.scenario.quiet > 0 {
            self.scenario.traffic = Traffic::None;
            self.scenario.trouble = Trouble { drift: self.scenario.trouble.drift, ..Trouble::default() };
            self.proxies.iter_mut().for_each(|proxy| proxy.cut_until = 0);
            self.run_until(end + self.scenario.quiet);
        }
        self
    }

    fn run_until(&mut self, end: Micros) {
        while self.events.peek().is_some_and(|next| next.0.0 < end) {
            let Some(Reverse((time, _, event))) = self.events.pop() else { break };
            self.time = time;
            self.happen(event);
        }
        self.time = end;
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Requests(count) => self.requests(count),
            Event::Tick(proxy) => self.tick(proxy),
            Event::Fate => self.fate(),
            Event::Blow(blow) => self.blow(blow),
            Event::Arrived(message) => self.arrived(message),
            Event::Read(job) => self.read(job),
            Event::Write(job) => self.write(job),
            Event::Replied { message, job } => self.replied(message, job),
            Event::TimedOut(message) => self.ended(message, Err(504)),
            Event::Response { proxy, life, admitted } => self.response(proxy, life, admitted),
            Event::HungUp { proxy, request } => {
                let waiting = &mut self.proxies[proxy].waiting;
                let before = waiting.len();
                waiting.retain(|one| one.number != request);
                self.truth.hung_up += (before - waiting.len()) as u64;
            }
        }
    }

    // Requests.

    fn requests(&mut self, count: u64) {
        for _ in 0..count {
            let cost = 1 + self.random.below(self.scenario.most_cost.into()) as u32;
            let caller = self.random.below(self.scenario.callers);
            let proxy = self.random.below(self.scenario.proxies as u64) as usize;
            self.truth.requests += 1;
            self.truth.requested.push((self.time, cost));
            self.decide(proxy, Request { number: self.truth.requests, caller, cost, waits: 0 });
        }
        let clock = self.engine.clock(self.time);
        let limit = self.scenario.limits[0];
        let (delay, count) = self.scenario.traffic.next(&limit, clock, &mut self.random);
        self.after(delay, Event::Requests(count));
    }

    fn decide(&mut self, proxy: usize, request: Request) {
        const MOST_WAITS: u32 = 3;
        let (time, scenario) = (self.time, &self.scenario);
        let one = &mut self.proxies[proxy];
        let now = one.clock.at(time);
        let claim = Claim {
            caller: identity(request.caller),
            policy: "api",
            limits: &scenario.limits,
            cost: request.cost,
            spends: true,
            count_rejected: scenario.count_rejected,
            gives_back: false,
        };
        match one.member.units.spend(&claim, now) {
            InHand::Admitted { grant, .. } => self.admit(proxy, request, grant),
            InHand::Rejected(_) => self.reject(request),
            InHand::Ask if one.member.is_up() && request.waits < MOST_WAITS => {
                assert!(one.member.units.wait(&claim, now));
                one.waiting.push(Request { waits: request.waits + 1, ..request });
                self.truth.waited += 1;
                if self.random.chance(self.scenario.hang_up) {
                    let delay = self.random.below(5 * MILLISECOND);
                    self.after(delay, Event::HungUp { proxy, request: request.number });
                }
            }
            InHand::Ask => {
                let workers = one.member.workers();
                let verdicts = one.member.units.decide_alone(&claim, scenario.on_outage, workers, now);
                let verdicts = verdicts.unwrap();
                match scenario.on_outage {
                    OnOutage::Deny => {
                        self.truth.unavailable += 1;
                        let counts = u64::from(self.scenario.count_rejected);
                        self.truth.counted_rejected += u64::from(request.cost) * counts;
                    }
                    OnOutage::Local | OnOutage::Allow => {
                        match verdicts.iter().all(|verdict| verdict.admitted) {
                            true => self.admit(proxy, request, 0),
                            false => self.reject(request),
                        }
                    }
                }
            }
        }
        self.send_calls(proxy);
    }

    fn reject(&mut self, request: Request) {
        self.truth.rejected += 1;
        self.truth.rejected_at.push(self.time);
        self.truth.counted_rejected += u64::from(request.cost) * u64::from(self.scenario.count_rejected);
    }

    /// `grant` is the number of the grant whose units were spent; 0 if the proxy decided without the service.
    fn admit(&mut self, proxy: usize, request: Request, grant: u64) {
        let Responses { back, more, slowest } = self.scenario.responses;
        let clock = self.engine.clock(self.time);
        let (units, caller) = (request.cost, request.caller);
        let admitted = self.truth.admitted.len();
        self.truth.admitted.push(Admitted {
            at: self.time,
            clock,
            proxy,
            caller,
            units,
            alone: grant == 0,
            grant,
            back: None,
            more: 0,
            ended: None,
        });
        if back > 0 || more > 0 || self.scenario.counts_in_flight() {
            let delay = 1 + self.random.below(slowest);
            let life = self.proxies[proxy].life;
            self.after(delay, Event::Response { proxy, life, admitted });
        }
    }

    fn response(&mut self, proxy: usize, life: u32, admitted: usize) {
        let Responses { back, more, .. } = self.scenario.responses;
        let (time, one) = (self.time, &mut self.truth.admitted[admitted]);
        one.ended = one.ended.or(Some(time));
        let worker = &mut self.proxies[proxy];
        if worker.life != life {
            return;
        }
        let now = worker.clock.at(time);
        let since = worker.clock.at(one.at);
        let claim = Claim {
            caller: identity(one.caller),
            policy: "api",
            limits: &self.scenario.limits,
            cost: one.units,
            spends: true,
            count_rejected: false,
            gives_back: false,
        };
        worker.member.units.release(&claim);
        let mut change = Change::default();
        if self.random.chance(back) {
            (change.back, change.grant) = (Some((since, one.units)), one.grant);
            one.back = Some((time, one.units));
        } else if self.random.chance(more) {
            change.more = Some((since, 2));
            one.more = 2;
        }
        worker.member.units.correct(&claim, change, now);
    }

    // Proxies and the network.

    fn tick(&mut self, proxy: usize) {
        let now = self.proxies[proxy].clock.at(self.time);
        let freed = self.proxies[proxy].member.tick(now);
        self.resume(proxy, &freed);
        self.after(100 * MILLISECOND, Event::Tick(proxy));
    }

    fn fate(&mut self) {
        let trouble = self.scenario.trouble;
        for proxy in 0..self.proxies.len() {
            if self.random.chance(trouble.proxy_deaths) {
                self.die(proxy);
            }
            if self.random.chance(trouble.cuts) {
                self.proxies[proxy].cut_until = self.time + self.random.below(20 * SECOND);
            }
            if self.scenario.wall_steps && self.random.chance(200) {
                self.proxies[proxy].clock.wall = self.random.below(80_000_000_000) as i64 - 40_000_000_000;
            }
        }
        self.after(SECOND, Event::Fate);
    }

    fn die(&mut self, proxy: usize) {
        let life = self.proxies[proxy].life + 1;
        self.proxies[proxy] = self.born(life);
        let dead = self.truth.admitted.iter_mut().filter(|one| one.proxy == proxy);
        dead.for_each(|one| one.ended = one.ended.or(Some(self.time)));
    }

    fn blow(&mut self, blow: Blow) {
        match blow {
            Blow::Step(by) => self.engine.step(by),
            Blow::FailOver(lag) => {
                self.engine.fail_over(lag, self.time);
                let forgotten = self.granted.iter().filter(|(at, _)| at + lag > self.time);
                self.truth.forgotten += forgotten.map(|(_, units)| *units as i64).sum::<i64>();
            }
            Blow::Empty => {
                self.truth.forgotten += self.counted();
                self.engine.empty();
                self.epoch += 1;
            }
            Blow::Silence(length) => self.silent_until = self.time + length,
            Blow::Cut(length) => {
                let until = self.time + length;
                self.proxies.iter_mut().for_each(|proxy| proxy.cut_until = until);
            }
        }
    }

    fn send_calls(&mut self, proxy: usize) {
        let now = self.proxies[proxy].clock.at(self.time);
        while let Some(call) = self.proxies[proxy].member.next_call(now) {
            let joins = call.path == "join";
            if !joins && !Exchange::decode(&call.body).unwrap().entries.is_empty() {
                self.truth.exchanges += 1;
            }
            let life = self.proxies[proxy].life;
            let body = Rc::new(call.body);
            self.messages.push(Message { proxy, life, call: call.number, joins, body });
            let message = self.messages.len() - 1;
            if self.proxies[proxy].cut_until <= self.time {
                for delay in self.scenario.trouble.delays(&mut self.random) {
                    self.after(delay, Event::Arrived(message));
                }
            }
            self.after(TIMEOUT, Event::TimedOut(message));
        }
    }

    /// A reply is on its way.
    fn reply(&mut self, message: usize, job: Option<usize>) {
        if self.proxies[self.messages[message].proxy].cut_until > self.time {
            return;
        }
        for delay in self.scenario.trouble.delays(&mut self.random) {
            self.after(delay, Event::Replied { message, job });
        }
    }

    fn replied(&mut self, message: usize, job: Option<usize>) {
        if self.messages[message].joins {
            let joined = format!("{:032x} {}", 7, self.epoch);
            return self.ended(message, Ok(joined.as_bytes()));
        }
        match job {
            Some(job) => {
                let answer = self.answers[job].clone();
                self.ended(message, Ok(&answer));
            }
            None => self.ended(message, Err(503)),
        }
    }

    /// A call has ended for its proxy. Later news of it means nothing.
    fn ended(&mut self, message: usize, body: Result<&[u8], u16>) {
        let Message { proxy, life, call, .. } = self.messages[message];
        let one = &mut self.proxies[proxy];
        if one.life != life {
            return;
        }
        let freed = one.member.answered(call, body, one.clock.at(self.time));
        self.resume(proxy, &freed);
    }

    /// Requests that have waited are decided.
    fn resume(&mut self, proxy: usize, freed: &[tollgate::identity::Identity]) {
        let waiting = std::mem::take(&mut self.proxies[proxy].waiting);
        let (ready, waiting) =
            waiting.into_iter().partition(|request: &Request| freed.contains(&identity(request.caller)));
        self.proxies[proxy].waiting = waiting;
        let ready: Vec<Request> = ready;
        ready.into_iter().for_each(|request| self.decide(proxy, request));
        self.send_calls(proxy);
    }

    // Services and the engine.

    fn arrived(&mut self, message: usize) {
        if self.messages[message].joins {
            return self.reply(message, None);
        }
        let exchange = Exchange::decode(&self.messages[message].body).unwrap();
        self.services.push(Service::new(message, exchange));
        self.answers.push(Vec::new());
        let delay = 10 + self.random.below(100);
        self.after(delay, Event::Read(self.services.len() - 1));
    }

    /// Whether the service dies now, or the engine does not answer it.
    fn fails(&mut self, job: usize) -> bool {
        if self.random.chance(self.scenario.trouble.service_deaths) {
            return true;
        }
        let silent = self.random.chance(self.scenario.trouble.engine_silent);
        if silent || self.silent_until > self.time {
            let message = self.services[job].message;
            self.reply(message, None);
            return true;
        }
        false
    }

    fn read(&mut self, job: usize) {
        if self.fails(job) {
            return;
        }
        self.services[job].read(&self.engine, self.time);
        self.write_later(job);
    }

    /// A service may be stopped for seconds between its read and its write.
    fn write_later(&mut self, job: usize) {
        let stopped = self.random.chance(self.scenario.trouble.late);
        let delay = 10 + self.random.below(if stopped { 5 * SECOND } else { 100 });
        self.after(delay, Event::Write(job));
    }

    fn write(&mut self, job: usize) {
        if self.fails(job) {
            return;
        }
        let one = &mut self.services[job];
        self.truth.longest = self.truth.longest.max(one.longest());
        let (granted, done) = one.swap(&mut self.engine, self.time);
        self.granted.push((self.time, granted));
        if !done {
            return self.write_later(job);
        }
        // Written, and yet not answered.
        if !self.fails(job) {
            let workers = self.scenario.proxies as u32;
            self.answers[job] = self.services[job].answer(self.epoch, workers);
            self.reply(self.services[job].message, Some(job));
        }
    }

    /// The units of the first limit that the records count.
    fn counted(&self) -> i64 {
        let limit = self.scenario.limits[0];
        (0..self.scenario.callers).map(|caller| self.counted_of(caller, &limit)).sum()
    }

    /// The units that a caller's record counts.
    pub fn counted_of(&self, caller: u64, limit: &Limit) -> i64 {
        let clock = self.engine.clock(self.time);
        let record = self.record(caller).map_or(Record::default(), |text| Record::from_text(text).unwrap());
        let now = Now { mono: clock, wall: clock };
        let state = record.state(limit.id, limit.algorithm.kind());
        let counter = Counter::open(limit, state, now, WorkerId::default()).unwrap();
        let verdict = counter.judge(now, 0);
        i64::from(verdict.quota.get()) - verdict.remaining as i64
    }

    /// The text of a caller's record.
    pub fn record(&self, caller: u64) -> Option<&str> {
        let key = key(PREFIX, "api", identity(caller));
        self.engine.value(&key, self.time)
    }
}
