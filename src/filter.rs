//! The glue to Envoy: it carries values between the host and the engine, and decides nothing.
//!
//! One [`Gate`] per filter configuration in each worker, one [`Passage`] per request. Envoy calls them through
//! [`callbacks`].

mod alarm;
mod callbacks;
mod founding;
mod host;
mod memory;
mod metrics;
mod pairs;

use crate::compile::{Configuration, compile};
use crate::config::{self, ConfigError, ConfigErrors};
use crate::decision::Decision;
use crate::engine::Engine;
use crate::reply::{ReplyRules, is_limit_header};
use crate::rules::PolicySet;
use crate::table::Table;
use host::Level;
use metrics::Metrics;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// Between two ticks debts wait to be posted and counts to reach the metrics.
const TICK: Duration = Duration::from_secs(1);

thread_local! {
    /// The table as this worker sees it: one for all configurations, so that what one of them still owes, or has
    /// in flight, outlives it.
    static TABLE: RefCell<Option<Table>> = const { RefCell::new(None) };
}

/// A filter configuration in one worker. Without a worker it was never configured, and Envoy sends it no
/// request.
#[derive(Default)]
struct Gate {
    worker: Option<Rc<RefCell<Worker>>>,
}

/// What all requests under one configuration share.
struct Worker {
    engine: Engine,
    replies: ReplyRules,
    clock: host::Clock,
    metrics: Metrics,
}

/// Whether a request goes on, as the ABI has it.
#[repr(u32)]
enum Action {
    Continue = 0,
    Pause = 1,
}

impl Gate {
    fn configure(&mut self) -> bool {
        match Worker::configured(&host::plugin_configuration()) {
            Ok(worker) => {
                let number = worker.engine.rules().policies.len();
                host::log(Level::Info, &format!("{number} policies in force"));
                self.worker = Some(Rc::new(RefCell::new(worker)));
                host::tick_every(TICK);
                true
            }
            Err(errors) => {
                host::log(Level::Error, &format!("the policy is refused, errors: {}", errors.iter().len()));
                errors.iter().for_each(|error| host::log(Level::Error, &error.to_string()));
                false
            }
        }
    }

    fn admit(&self) -> Passage {
        Passage { worker: self.worker.clone(), decision: None }
    }

    /// Posts what is owed and renews what is held, between requests.
    fn settle(&self) {
        let Some(worker) = &self.worker else { return };
        let worker = &mut *worker.borrow_mut();
        worker.clock.follow_the_wall();
        let now = worker.clock.now();
        let tally = with_table(|table| {
            table.settle(&host::SharedData, now);
            table.take_tally()
        });
        let tally = tally.unwrap_or_default();
        if let Some(alarm) = worker.metrics.alarm(&tally).filter(|_| alarm::is_due(now.mono)) {
            host::log(Level::Warning, &alarm);
        }
        worker.metrics.flush(tally);
    }
}

/// Lends this worker's table. `None`: there is none yet.
fn with_table<T>(use_it: impl FnOnce(&mut Table) -> T) -> Option<T> {
    TABLE.with_borrow_mut(|table| table.as_mut().map(use_it))
}

impl Worker {
    fn configured(configuration: &[u8]) -> Result<Worker, ConfigErrors> {
        let Configuration { rules, replies } = compile(&config::parse(configuration)?)?;
        join_table(&rules)?;
        let names = rules.policies.iter().map(|policy| policy.name.as_str());
        let metrics = Metrics::define(names);
        Ok(Worker { engine: Engine::new(rules), replies, clock: host::Clock::new(), metrics })
    }
}

/// Opens this worker's table, if no configuration before this one has.
fn join_table(policies: &PolicySet) -> Result<(), ConfigErrors> {
    let geometry = policies.geometry;
    let seed = founding::join_table(geometry.pages).map_err(|found| {
        let allowed = format!("{} (a table of another size needs a restart or another vm_id)", found.allowed);
        ConfigErrors::from(ConfigError::new("table.pages", &found.found, &allowed))
    })?;
    TABLE.with_borrow_mut(|place| {
        let table = place.get_or_insert_with(|| {
            let mut new = Table::new(seed, geometry, host::new_holder());
            // From here on a time without a tick is a stall.
            new.settle(&host::SharedData, host::Clock::new().now());
            new
        });
        table.set_page_bytes(geometry.page_bytes);
        table.set_in_force(policies.limits());
    });
    Ok(())
}

/// Answers a refused request in the upstream's place.
#[inline(never)]
fn reject(replies: &ReplyRules, decision: &Decision) -> Action {
    match replies.reply(decision, &host::RequestHeaders, host::new_id) {
        Some(reply) => {
            host::reply(&reply.with_limit_headers(replies.limit_headers(decision)));
            Action::Pause
        }
        None => Action::Continue,
    }
}

/// One request on its way through the filter.
#[derive(Default)]
struct Passage {
    worker: Option<Rc<RefCell<Worker>>>,
    decision: Option<Decision>,
}

impl Passage {
    fn request(&mut self) -> Action {
        let Some(worker) = &self.worker else { return Action::Continue };
        let worker = &mut *worker.borrow_mut();
        let now = worker.clock.now();
        let decide =
            |table: &mut Table| worker.engine.decide(&host::RequestHeaders, table, &host::SharedData, now);
        let Some(decision) = with_table(decide) else { return Action::Continue };
        worker.metrics.count(&worker.replies, &decision);
        if let Some(line) = worker.replies.access_line(&decision) {
            host::set_filter_state("tollgate", &line);
        }
        let action = if decision.rejected() { reject(&worker.replies, &decision) } else { Action::Continue };
        self.decision = Some(decision);
        action
    }

    fn response(&mut self) {
        let (Some(worker), Some(decision)) = (&self.worker, &mut self.decision) else { return };
        if decision.rejected() {
            return; // the reply is our own, and has all that it needs
        }
        let worker = worker.borrow();
        if worker.engine.awaits_response(decision) {
            let now = worker.clock.now();
            let answered = |table: &mut Table| {
                worker.engine.on_response(decision, &host::ResponseHeaders, table, &host::SharedData, now);
            };
            with_table(answered);
        }
        let replies = &worker.replies;
        let headers = replies.limit_headers(decision);
        if replies.removes_limit_headers() {
            host::remove_response_headers(is_limit_header);
        }
        let keep = replies.keeps_limit_headers();
        // The upstream's are one statement: with any of them kept, ours would contradict it.
        if !(keep && headers.iter().any(|(name, _)| host::response_has(name))) {
            headers.iter().for_each(|(name, value)| host::set_response_header(name, value));
        }
    }

    /// The end of the stream, however it came: the response is sent, the client has left, or it timed out.
    fn end(self) {
        let (Some(worker), Some(mut decision)) = (self.worker, self.decision) else { return };
        let worker = worker.borrow();
        if worker.engine.awaits_stream_end(&decision) {
            let now = worker.clock.now();
            with_table(|table| worker.engine.on_stream_end(&mut decision, table, &host::SharedData, now));
        }
    }
}
