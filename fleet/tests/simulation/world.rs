//! The proxies, the network, the services and the engine, in simulated time.

mod messages;

use crate::adversary::Traffic;
use crate::engine::Engine;
use crate::network::Trouble;
use crate::proxy::{Clock, PREFIX, Proxy, Request, TIMEOUT, identity};
use crate::random::Random;
use crate::scenario::{Blow, Responses, Scenario};
use crate::service::Service;
use crate::truth::{Admitted, Truth};
use messages::Message;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use tollgate::fleet::OnOutage;
use tollgate::fleet::member::Member;
use tollgate::fleet::units::{Change, Claim, InHand};
use tollgate::limiter::concurrency::WorkerId;
use tollgate::limiter::{Counter, Forgiven, Limit};
use tollgate::time::{MILLISECOND, Micros, Now, SECOND};
use tollgate_fleet::exchange::key;
use tollgate_fleet::record::Record;

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
    /// A proxy hears of all that is forgiven.
    Forgiven(usize),
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
    /// What operators have forgiven so far.
    forgiven: Vec<Forgiven>,
}

impl World {
    pub fn new(scenario: Scenario, seed: u64) -> World {
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
            forgiven: Vec::new(),
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
        let forgiven = self.forgiven.clone();
        Proxy { member, life, clock, cut_until: 0, waiting: Vec::new(), forgiven }
    }

    fn after(&mut self, delay: Micros, event: Event) {
        self.order += 1;
        self.events.push(Reverse((self.time + delay, self.order, event)));
    }

    pub fn run(mut self) -> World {
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
            Event::Forgiven(proxy) => self.proxies[proxy].forgiven.clone_from(&self.forgiven),
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
            gives_back: scenario.responses.back > 0,
            forgiven: &one.forgiven,
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
            gives_back: back > 0,
            forgiven: &worker.forgiven,
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
            if !self.forgiven.is_empty() && self.random.chance(100) {
                self.proxies[proxy].forgiven.clear();
                let delay = self.random.below(2 * SECOND);
                self.after(delay, Event::Forgiven(proxy));
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
            Blow::Forgive => self.forgive(),
            Blow::Silence(length) => self.silent_until = self.time + length,
            Blow::Cut(length) => {
                let until = self.time + length;
                self.proxies.iter_mut().for_each(|proxy| proxy.cut_until = until);
            }
        }
    }

    /// An operator forgives all callers what was counted until now.
    fn forgive(&mut self) {
        let before = self.engine.clock(self.time);
        let limits = self.scenario.limits.iter();
        self.forgiven.extend(limits.map(|limit| Forgiven::new(limit, before)));
        for proxy in 0..self.proxies.len() {
            let delay = self.random.below(2 * SECOND);
            self.after(delay, Event::Forgiven(proxy));
        }
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
        i64::from(verdict.quota) - verdict.remaining as i64
    }

    /// The text of a caller's record.
    pub fn record(&self, caller: u64) -> Option<&str> {
        let key = key(PREFIX, "api", identity(caller));
        self.engine.value(&key, self.time)
    }
}
