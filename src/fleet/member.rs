//! One worker as a member of the fleet: it joins, asks the service, notices when the service does not answer,
//! and when it is back. Pure: the filter sends the calls and hands over the answers.
//!
//! ```text
//! next_call ──▶ Join      until the worker has the fleet's seed
//!           ──▶ Exchange  what requests wait for; then what is due; a sign of life now and then
//! answered  ◀── the answer, or none
//! ```

use super::message::Answer;
use super::units::{Sent, Units};
use crate::identity::{Identity, Seed};
use crate::time::{MILLISECOND, Micros, Now, SECOND};

/// The service counts as down after this number of calls in a row without an answer. A single one may only say
/// that a processor was busy.
const MAX_FAILURES: u32 = 3;

/// The most calls at once. What else there is to ask goes into the next ones together.
const MAX_CALLS: usize = 8;

/// How often a worker that has nothing to say shows that it is there.
const SIGN_OF_LIFE: Micros = 10 * SECOND;

/// How soon a service that is down is asked again: first and later.
const PROBE_TIME: (Micros, Micros) = (100 * MILLISECOND, SECOND);

/// A tick looks at all callers, so there is at most one in this time.
const MIN_TICK: Micros = 50 * MILLISECOND;

/// Requests that wait until the worker has joined wait for this caller, who does not exist.
pub const NEWCOMERS: Identity = Identity { page: 0, fingerprint: 0 };

/// A call of the service.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Names it when its answer comes.
    pub number: u64,
    /// The last segment of its path.
    pub path: &'static str,
    /// Its body.
    pub body: Vec<u8>,
}

/// Numbers of events since the last [`Member::take_stats`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MemberStats {
    /// Calls that were sent.
    pub calls: u64,
    /// Calls without an answer, or with one that can't be read.
    pub failures: u64,
    /// Requests that waited for an answer.
    pub waited: u64,
    /// Decisions without the service.
    pub alone: u64,
    /// Requests for which the worker had no room.
    pub full: u64,
    /// Corrections that were lost.
    pub dropped: u64,
    /// Times that the engine has lost its data.
    pub emptied: u64,
}

/// What an operator should know.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The worker has joined.
    Joined,
    /// The service does not answer any more. The HTTP status of the last call; 0 for none.
    Down(u16),
    /// The service answers again.
    Up,
    /// The engine has lost its data.
    Emptied,
}

/// One worker as a member of the fleet.
pub struct Member {
    /// What it has in hand.
    pub units: Units,
    timeout: Micros,
    seed: Option<Seed>,
    epoch: u64,
    workers: u32,
    must_join: bool,
    calls: Vec<Open>,
    last_number: u64,
    /// When it last sent an exchange.
    last_sent: Micros,
    failures: u32,
    /// When the last of them was noticed.
    failed_at: Micros,
    ticked_at: Micros,
    probe: Probe,
    stats: MemberStats,
    events: Vec<Event>,
}

/// A call without an answer so far.
struct Open {
    number: u64,
    at: Micros,
    /// `None`: it joins.
    sent: Option<Sent>,
}

/// When a service that is down is asked again.
#[derive(Clone, Copy)]
struct Probe {
    at: Micros,
    pause: Micros,
}

impl Member {
    /// A worker that has not joined yet. `holder` is a random number that no other worker has; a call may take
    /// `timeout`.
    pub fn new(holder: u64, timeout: Micros) -> Member {
        Member {
            units: Units::new(holder),
            timeout,
            seed: None,
            epoch: 0,
            workers: 0,
            must_join: true,
            calls: Vec::new(),
            last_number: 0,
            last_sent: 0,
            failures: 0,
            failed_at: 0,
            ticked_at: 0,
            probe: Probe { at: 0, pause: PROBE_TIME.0 },
            stats: MemberStats::default(),
            events: Vec::new(),
        }
    }

    /// The secret that the fleet's callers are hashed with. `None`: the worker has not joined yet.
    pub fn seed(&self) -> Option<&Seed> {
        self.seed.as_ref()
    }

    /// The number of workers among whom a quota is shared while the service does not answer. 0: the worker has
    /// never been told.
    pub fn workers(&self) -> u32 {
        self.workers
    }

    /// Whether it pays to wait for an answer.
    pub fn is_up(&self) -> bool {
        self.failures < MAX_FAILURES
    }

    /// Changes how long a call may take.
    pub fn set_timeout(&mut self, timeout: Micros) {
        self.timeout = timeout;
    }

    /// Counts a decision without the service, or a request without room.
    pub fn count(&mut self, add: impl FnOnce(&mut MemberStats)) {
        add(&mut self.stats);
    }

    /// The next call to send now. `None`: there is none for the time being.
    pub fn next_call(&mut self, now: Now) -> Option<Call> {
        if !self.may_call(now) {
            return None;
        }
        if self.must_join {
            let joins = |open: &Open| open.sent.is_none();
            if !self.calls.iter().any(joins) {
                return Some(self.open(None, Vec::new(), now));
            }
            self.seed?;
        }
        let (exchange, sent) = self.units.ask(self.timeout, now).or_else(|| self.report(now))?;
        Some(self.open(Some(sent), exchange.encode(), now))
    }

    fn may_call(&mut self, now: Now) -> bool {
        if self.is_up() {
            return self.calls.len() < MAX_CALLS;
        }
        let due = self.calls.is_empty() && now.mono >= self.probe.at;
        if due {
            self.probe.pause = (self.probe.pause * 2).min(PROBE_TIME.1);
            self.probe.at = now.mono.saturating_add(self.probe.pause);
        }
        due
    }

    /// What is due, or a sign of life.
    fn report(&mut self, now: Now) -> Option<(super::message::Exchange, Sent)> {
        let report = self.units.report(self.timeout, now);
        let silent = now.mono.saturating_sub(self.last_sent) >= SIGN_OF_LIFE;
        report.or_else(|| (silent || !self.is_up()).then(|| self.units.nothing(now)))
    }

    fn open(&mut self, sent: Option<Sent>, body: Vec<u8>, now: Now) -> Call {
        self.last_number += 1;
        self.stats.calls += 1;
        let (number, path) = (self.last_number, if sent.is_some() { "exchange" } else { "join" });
        if sent.is_some() {
            self.last_sent = now.mono;
        }
        self.calls.push(Open { number, at: now.mono, sent });
        Call { number, path, body }
    }

    /// A call has ended: with the body of a reply of status 200, or else in vain, with another status or none.
    /// Returns the callers whose waiting requests can be decided now.
    pub fn answered(&mut self, number: u64, body: Result<&[u8], u16>, now: Now) -> Vec<Identity> {
        let Some(at) = self.calls.iter().position(|open| open.number == number) else { return Vec::new() };
        let open = self.calls.swap_remove(at);
        let understood = body.and_then(|body| match &open.sent {
            None => self.join(body).ok_or(0),
            Some(sent) => {
                let answer = Answer::decode(body).map_err(|_| 0u16)?;
                self.take(sent, &answer, now);
                Ok(())
            }
        });
        match understood {
            Ok(()) => self.succeeded(),
            Err(status) => self.failed(&open, status, now),
        }
        open.sent.map_or_else(|| vec![NEWCOMERS], |sent| sent.callers().collect())
    }

    /// `SEED EPOCH`.
    fn join(&mut self, body: &[u8]) -> Option<()> {
        let text = std::str::from_utf8(body).ok()?.trim();
        let (seed, epoch) = text.split_once(' ')?;
        let sound = seed.len() == 2 * Seed::LEN;
        let seed = u128::from_str_radix(seed, 16).ok().filter(|_| sound)?;
        let seed = Seed::new(seed.to_be_bytes());
        let epoch = epoch.parse().ok()?;
        if self.seed.is_some_and(|own| own != seed) {
            // The same callers have other names now.
            self.units.clear();
        }
        if self.seed.is_none() {
            self.events.push(Event::Joined);
        }
        (self.seed, self.epoch, self.must_join) = (Some(seed), epoch, false);
        self.last_sent = 0;
        Some(())
    }

    fn take(&mut self, sent: &Sent, answer: &Answer, now: Now) {
        if answer.epoch != self.epoch && !self.must_join {
            self.must_join = true;
            self.stats.emptied += 1;
            self.events.push(Event::Emptied);
        }
        self.workers = answer.workers;
        self.units.answered(sent, answer, now);
    }

    fn succeeded(&mut self) {
        if !self.is_up() {
            self.events.push(Event::Up);
        }
        self.failures = 0;
        self.probe.pause = PROBE_TIME.0;
    }

    fn failed(&mut self, open: &Open, status: u16, now: Now) {
        if let Some(sent) = &open.sent {
            self.units.failed(sent);
        }
        self.stats.failures += 1;
        if open.at < self.failed_at {
            // Calls that are on their way together fail together, and that says no more than one of them.
            return;
        }
        self.failed_at = now.mono;
        self.failures = self.failures.saturating_add(1);
        if self.failures == MAX_FAILURES {
            self.events.push(Event::Down(status));
            self.probe = Probe { at: now.mono.saturating_add(PROBE_TIME.0), pause: PROBE_TIME.0 };
        }
    }

    /// A call will have no answer, since the configuration that has sent it is gone. That says nothing about the
    /// service.
    pub fn cancel(&mut self, number: u64) {
        if let Some(at) = self.calls.iter().position(|open| open.number == number)
            && let Some(sent) = self.calls.swap_remove(at).sent
        {
            self.units.failed(&sent);
        }
    }

    /// Between requests, about ten times a second. Returns the callers whose waiting requests can be decided
    /// now, since the host has forgotten their calls.
    pub fn tick(&mut self, now: Now) -> Vec<Identity> {
        if now.mono.saturating_sub(self.ticked_at) < MIN_TICK {
            // Another configuration of this VM has just ticked.
            return Vec::new();
        }
        self.ticked_at = now.mono;
        let patience = self.timeout.saturating_add(SECOND);
        let gone = |open: &&Open| now.mono.saturating_sub(open.at) > patience;
        let gone: Vec<u64> = self.calls.iter().filter(gone).map(|open| open.number).collect();
        let freed = gone.into_iter().flat_map(|number| self.answered(number, Err(0), now)).collect();
        self.units.forget(now);
        self.units.note_due(now);
        freed
    }

    /// Takes the statistics since the last call.
    pub fn take_stats(&mut self) -> MemberStats {
        let dropped = self.units.take_dropped();
        MemberStats { dropped, ..std::mem::take(&mut self.stats) }
    }

    /// Takes what an operator should know since the last call.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }
}
