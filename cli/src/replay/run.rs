//! One configuration under the traffic of a log, with the log's times as the clock.

use super::record::Record;
use super::request::{Layout, LoggedRequest, LoggedResponse, Missing};
use super::tally::Tally;
use crate::applicability::shown;
use crate::worker::{InFlight, Worker};
use std::cell::RefCell;
use tollgate::compile::Configuration;
use tollgate::decision::{Decision, PolicyDecision};
use tollgate::engine::caller::{Caller, ConsumerCache};
use tollgate::engine::role;
use tollgate::http::{RequestCache, Response};
use tollgate::identity::Seeds;
use tollgate::rules::PolicySet;
use tollgate::table::TableStats;
use tollgate::time::Micros;

/// The maximum number of requests in flight whose responses matter. Of more than these, the one that would end
/// first ends early.
const MAX_IN_FLIGHT: usize = 1 << 20;

/// One configuration, and what has happened under it.
pub struct Run {
    worker: Worker,
    layout: Layout,
    in_flight: InFlight<Flight>,
    /// What has happened.
    pub tally: Tally,
    /// What the policies have asked for and the log cannot say.
    pub missing: RefCell<Missing>,
    /// Events of the table, once the run is finished.
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
        let worker = Worker::new(configuration);
        let tally = Tally::new(worker.rules(), max_callers);
        Run {
            worker,
            layout,
            in_flight: InFlight::default(),
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
        self.worker.rules()
    }

    /// Decides a request, and counts it.
    pub fn decide(&mut self, record: &Record) -> Decision {
        self.advance(record.start);
        self.missing.borrow_mut().next();
        let request = LoggedRequest { record, layout: &self.layout, missing: &self.missing };
        let decision = self.worker.decide(&request);
        let (rules, seeds) = (self.worker.rules(), self.worker.seeds());
        self.tally.count(rules, &decision, |one| describe(rules, &seeds, &request, one));
        self.follow(record, &decision);
        decision
    }

    /// Counts that this configuration has rejected a request that another one admits. `newly`: this is the new
    /// one of both.
    pub fn note_difference(&mut self, record: &Record, decision: &Decision, newly: bool) {
        let Some(one) = decision.rejecting() else { return };
        let request = LoggedRequest { record, layout: &self.layout, missing: &self.missing };
        let (rules, seeds) = (self.worker.rules(), self.worker.seeds());
        if let Some(caller) = self.tally.caller(one, &|one| describe(rules, &seeds, &request, one)) {
            match newly {
                true => caller.newly += 1,
                false => caller.no_longer += 1,
            }
        }
    }

    /// Remembers the request until its response comes, if that changes a count.
    fn follow(&mut self, record: &Record, decision: &Decision) {
        if !self.worker.awaits_end(decision) {
            return;
        }
        let is_answered =
            self.worker.awaits_response(decision) && (record.is_answered() || record.refused == Some(true));
        let response =
            is_answered.then(|| LoggedResponse::new(record, &self.layout).with_length(record.bytes_out));
        self.assumed += u64::from(record.refused == Some(true) && !decision.rejected());
        // Rejections end at once.
        let end = if decision.rejected() { record.start } else { record.end };
        self.in_flight.add(end.max(self.worker.clock()), Flight { decision: decision.clone(), response });
        if self.in_flight.len() > MAX_IN_FLIGHT {
            self.cut_short += 1;
            self.end_next();
        }
    }

    /// Lets everything happen that does before or at this instant.
    fn advance(&mut self, to: Micros) {
        while let Some((end, flight)) = self.in_flight.take_until(to) {
            self.worker.advance(end);
            self.end(flight);
        }
        self.worker.advance(to);
    }

    fn end_next(&mut self) {
        if let Some((_, flight)) = self.in_flight.take_next() {
            self.end(flight);
        }
    }

    /// The response of a request comes.
    fn end(&mut self, Flight { mut decision, response }: Flight) {
        if let Some(response) = response {
            self.worker.on_response(&mut decision, &response);
            self.without_body += u64::from(decision.awaits_body());
            // A log has the trailers among the headers, if it has them.
            self.worker.on_response_end(&mut decision, &response, None, &|name| response.header(name));
        }
        self.worker.on_stream_end(&mut decision);
    }

    /// The last request has come: those in flight end.
    pub fn finish(&mut self) {
        while !self.in_flight.is_empty() {
            self.end_next();
        }
        self.stats = self.worker.take_stats();
    }
}

/// How a caller is shown, and its tier.
#[cold]
fn describe(
    rules: &PolicySet,
    seeds: &Seeds,
    request: &LoggedRequest<'_>,
    one: &PolicyDecision,
) -> (Box<str>, Option<usize>) {
    let (cache, asked) = (ConsumerCache::default(), RequestCache::new(request));
    let caller = Caller::new(&asked, &rules.callers, &cache, seeds, &[]);
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
