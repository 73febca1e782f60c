//! Units that the service has granted, from their answer to their report.

use crate::fleet::REPORT_TIME;
use crate::fleet::message::{EntryAnswer, Report};
use crate::limiter::Verdict;
use crate::time::{Micros, Now, SECOND};

/// A worker repeats a report that got no answer for this long. The service remembers the worker for longer.
const REPEAT_TIME: Micros = 60 * SECOND;

/// How long a used grant is reported with other news. The service takes it for used after [`REPORT_TIME`].
const USED_TIME: Micros = 13 * SECOND;

/// The most entries of a report. Of more uses, each two share one.
const MAX_USES: usize = 32;

/// Units until an instant.
pub(super) struct Grant {
    pub number: u64,
    /// On the worker's monotonic clock.
    pub until: Micros,
    /// The same instant on the engine's clock.
    end: Micros,
    pub left: u32,
    used: Vec<(Now, u32)>,
    /// After all of its units were counted.
    pub verdicts: Vec<Verdict>,
    /// The entry that reports it. From then on it serves nobody.
    pub reported: Option<u64>,
    /// Whether it serves nobody, although it is not over.
    stopped: bool,
}

/// Units whose instant on the engine's clock is known, so that they can be given back.
#[derive(Clone, Copy)]
pub(super) struct Settled {
    /// The grant that they are of; 0 if they were not granted.
    pub grant: u64,
    /// When the last of them was used, on the worker's clock.
    pub at: Micros,
    /// When the engine counts them.
    pub counted: Micros,
    pub units: u32,
}

impl Grant {
    pub fn new(number: u64, answer: &EntryAnswer, sent: Micros, verdicts: Vec<Verdict>) -> Grant {
        let (until, left) = (sent.saturating_add(answer.term), answer.granted);
        Grant {
            number,
            until,
            end: answer.end,
            left,
            used: Vec::new(),
            verdicts,
            reported: None,
            stopped: false,
        }
    }

    pub fn is_live(&self, now: Now) -> bool {
        now.mono <= self.until && self.reported.is_none() && !self.stopped
    }

    pub fn serves(&self, cost: u32, now: Now) -> bool {
        self.is_live(now) && cost <= self.left
    }

    pub fn is_over(&self, now: Now) -> bool {
        now.mono > self.until || self.left == 0 || self.stopped
    }

    /// From now on it serves nobody, and is to be reported.
    pub fn stop(&mut self) {
        self.stopped = true;
    }

    /// Whether its report can't wait for the next request: units are to go back, or were used long before the
    /// end at which they count. Otherwise the service may take all of it for used at its end.
    pub fn is_due(&self, span: Micros, now: Now) -> bool {
        let first = self.used.first().map_or(0, |(at, _)| at.mono);
        // The next request's ask may report it as well.
        let returns = self.left > 0 && self.until.saturating_add(span) < now.mono;
        self.is_over(now) && (returns || self.left == 0 && self.until.saturating_sub(first) > span / 2)
    }

    /// Whether the service takes it for used by now.
    pub fn is_forgotten(&self, now: Now) -> bool {
        let due = self.is_due(0, now) && self.left > 0;
        let keep = if due { REPEAT_TIME } else { USED_TIME };
        self.until.saturating_add(keep) <= now.mono
    }

    /// Spends units.
    pub fn note(&mut self, cost: u32, now: Now) {
        self.left = self.left.saturating_sub(cost);
        match self.used.last_mut() {
            Some((at, units)) if at.mono == now.mono => *units = units.saturating_add(cost),
            Some(_) | None => self.used.push((now, cost)),
        }
        if self.used.len() > MAX_USES {
            self.thin_out();
        }
    }

    /// Each two uses share the later one's instant.
    fn thin_out(&mut self) {
        let sum = |uses: &[(Now, u32)]| {
            let units = uses.iter().fold(0u32, |sum, (_, units)| sum.saturating_add(*units));
            uses.last().map(|(at, _)| (*at, units))
        };
        self.used = self.used.chunks(2).filter_map(sum).collect();
    }

    /// Takes back units that were spent at an instant. `false`: they are reported.
    pub fn take_back(&mut self, at: Micros, units: u32) -> bool {
        // Uses that share an instant share the last one's.
        let own = self.used.iter_mut().find(|(used, _)| used.mono >= at);
        let Some((_, spent)) = own.filter(|(_, spent)| self.reported.is_none() && *spent >= units) else {
            return false;
        };
        *spent -= units;
        self.left = self.left.saturating_add(units);
        true
    }

    /// Its report in an entry.
    pub fn report(&mut self, entry: u64, now: Now) -> Report {
        self.reported = Some(entry);
        let used = self.used.iter().filter(|(_, units)| *units > 0);
        Report {
            grant: self.number,
            used: used.map(|(at, units)| (self.before_end(*at), *units)).collect(),
            ended: now.mono.saturating_sub(self.until),
            ends_in: self.until.saturating_sub(now.mono),
        }
    }

    fn before_end(&self, at: Now) -> Micros {
        self.until.saturating_sub(at.mono)
    }

    /// Notes when the engine counts its units, whose report was applied at `applied`, on the engine's clock.
    pub fn settle(&self, applied: Micros, settled: &mut Vec<Settled>) {
        let in_time = applied <= self.end.saturating_add(REPORT_TIME);
        settled.extend(self.used.iter().map(|(at, units)| {
            let before = if in_time { self.before_end(*at) } else { 0 };
            let counted = self.end.saturating_sub(before);
            Settled { grant: self.number, at: at.mono, counted, units: *units }
        }));
    }

    /// The same if the engine has taken it for used.
    pub fn settle_unreported(&self, settled: &mut Vec<Settled>) {
        if self.reported.is_none() {
            self.settle(Micros::MAX, settled);
        }
    }

    /// Its report got no answer. It stays over, even if units were given back to it meanwhile.
    pub fn repeat(&mut self, entry: u64) {
        if self.is_reported_by(entry) {
            self.left = 0;
        }
    }

    /// Whether an entry that is still awaited reports it.
    pub fn is_reported_by(&self, entry: u64) -> bool {
        self.reported == Some(entry)
    }
}
