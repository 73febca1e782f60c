//! The traffic of yesterday under a policy: each line of an access log is a request, and the filter's own
//! engine decides it at the time that the log says.
//!
//! ```text
//! files ──lines──▶ format ──▶ log ──▶ queue ──▶ run ──▶ tally ──▶ report
//!        unpacked    Line     merged   by their   the engine
//!                                      start      and a table
//! ```
//!
//! No line is kept. What grows is bounded: the queue by [`queue::Reorder`], the table by the policy's `table`, the
//! callers that are told apart by [`tally::MAX_CALLERS`], and the requests in flight.

pub mod condition;
pub mod format;
pub mod lines;
pub mod log;
pub mod policy;
pub mod queue;
pub mod record;
#[cfg(feature = "commands")]
pub mod report;
pub mod request;
pub mod run;
pub mod search;
pub mod tally;
#[cfg(feature = "commands")]
mod unpack;

use log::Log;
use queue::{Queue, Reorder};
use run::Run;

/// The configurations that are replayed at once.
pub struct Runs {
    /// The policy.
    pub main: Run,
    /// The policy that it is compared with.
    pub against: Option<Run>,
    /// The policy with other quotas.
    pub others: Vec<Run>,
    /// Requests that the policy rejects, and the one that it is compared with does not.
    pub newly_rejected: u64,
    /// Requests that the policy admits, and the one that it is compared with does not.
    pub no_longer_rejected: u64,
    /// Decisions that differ from those in Tollgate's own lines: rejected there, and admitted here.
    pub now_admitted: u64,
    /// The same the other way round.
    pub now_refused: u64,
    /// Requests whose line has a decision of Tollgate.
    pub decided: u64,
    /// Requests that came too late to be put into their order.
    pub late: u64,
}

impl Runs {
    /// One configuration, and nothing to compare it with.
    pub fn new(main: Run) -> Runs {
        Runs {
            main,
            against: None,
            others: Vec::new(),
            newly_rejected: 0,
            no_longer_rejected: 0,
            now_admitted: 0,
            now_refused: 0,
            decided: 0,
            late: 0,
        }
    }

    /// Replays a whole log. `progress` is called now and then.
    pub fn replay(&mut self, log: &mut Log, reorder: Reorder, mut progress: impl FnMut(&Log)) {
        const OFTEN: u64 = 1 << 13;
        let mut queue = Queue::new(reorder);
        loop {
            let (place, record) = queue.blank();
            if !log.next(record) {
                break;
            }
            queue.push(place);
            self.decide_all(&mut queue, false);
            if log.read.requests.is_multiple_of(OFTEN) {
                progress(log);
            }
        }
        self.decide_all(&mut queue, true);
        self.late = queue.late;
        let runs = self.against.iter_mut().chain(&mut self.others).chain([&mut self.main]);
        runs.for_each(Run::finish);
    }

    fn decide_all(&mut self, queue: &mut Queue, all: bool) {
        while let Some(place) = queue.pop(all) {
            if let Some(record) = queue.record(place) {
                self.decide(record);
            }
            queue.put_back(place);
        }
    }

    fn decide(&mut self, record: &record::Record) {
        let decision = self.main.decide(record);
        let rejected = decision.rejected();
        if let Some(refused) = record.refused {
            self.decided += 1;
            self.now_admitted += u64::from(refused && !rejected);
            self.now_refused += u64::from(!refused && rejected);
        }
        if let Some(against) = &mut self.against {
            let other = against.decide(record);
            match (rejected, other.rejected()) {
                (true, false) => {
                    self.newly_rejected += 1;
                    self.main.note_difference(record, &decision, true);
                }
                (false, true) => {
                    self.no_longer_rejected += 1;
                    against.note_difference(record, &other, false);
                }
                (true, true) | (false, false) => {}
            }
        }
        for other in &mut self.others {
            other.decide(record);
        }
    }
}
