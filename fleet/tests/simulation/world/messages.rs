//! Messages between proxies and services, and what the services do with them.

use super::{Event, World};
use crate::proxy::TIMEOUT;
use crate::service::Service;
use std::rc::Rc;
use tollgate::fleet::message::Exchange;
use tollgate::time::SECOND;

/// A call of a proxy.
pub(super) struct Message {
    proxy: usize,
    life: u32,
    call: u64,
    joins: bool,
    body: Rc<Vec<u8>>,
}

impl World {
    pub(super) fn send_calls(&mut self, proxy: usize) {
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

    pub(super) fn replied(&mut self, message: usize, job: Option<usize>) {
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
    pub(super) fn ended(&mut self, message: usize, body: Result<&[u8], u16>) {
        let Message { proxy, life, call, .. } = self.messages[message];
        let one = &mut self.proxies[proxy];
        if one.life != life {
            return;
        }
        let freed = one.member.answered(call, body, one.clock.at(self.time));
        self.resume(proxy, &freed);
    }

    pub(super) fn arrived(&mut self, message: usize) {
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

    pub(super) fn read(&mut self, job: usize) {
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

    pub(super) fn write(&mut self, job: usize) {
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
}
