//! One filter configuration in one worker: it loads the policies, hands them to streams, and settles between requests.

use super::host::{Clock, Host, SharedData, new_holder};
use super::metrics::Metrics;
use super::{TollgateStream, alarm, shared_table};
use crate::compile::{Configuration, compile};
use crate::config::{self, ConfigError, ConfigErrors};
use crate::engine::Engine;
use crate::reply::ReplyRules;
use crate::rules::PolicySet;
use crate::table::Table;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// Between two ticks debts wait to be posted and counts to reach the metrics.
const TICK: Duration = Duration::from_secs(1);

/// The table as this worker sees it: one for all configurations, so that what one of them still owes, or has in flight,
/// outlives it. It is absent until a configuration is accepted.
#[derive(Clone, Default)]
pub(super) struct WorkerTable(Rc<RefCell<Option<Table>>>);

impl WorkerTable {
    /// Lends the table. `None`: there is none yet.
    #[inline]
    pub fn with<T>(&self, use_it: impl FnOnce(&mut Table) -> T) -> Option<T> {
        self.0.borrow_mut().as_mut().map(use_it)
    }

    /// Takes the limits of a new configuration. Opens the table, if no configuration before this one has.
    fn join<H: Host>(&self, host: H, rules: &PolicySet) -> Result<(), ConfigErrors> {
        let geometry = rules.geometry;
        let seed = shared_table::create_or_join(host, geometry.pages).map_err(|found| {
            let allowed =
                format!("{} (a table of another size needs a restart or another vm_id)", found.allowed);
            ConfigErrors::from(ConfigError::new("table.pages", &found.found, &allowed))
        })?;
        let mut place = self.0.borrow_mut();
        let table = place.get_or_insert_with(|| {
            let mut new = Table::new(seed, geometry, new_holder::<H>());
            // From here on a time without a tick is a stall.
            new.begin(&SharedData(host), Clock::new::<H>().now::<H>()).settle();
            new
        });
        table.set_page_bytes(geometry.page_bytes);
        table.set_in_force(rules.limits());
        Ok(())
    }
}

/// What all streams under one configuration share.
pub(super) struct Worker<H: Host> {
    pub host: H,
    pub engine: Engine,
    pub replies: ReplyRules,
    pub clock: Clock,
    pub metrics: Metrics,
    pub table: WorkerTable,
}

impl<H: Host> Worker<H> {
    fn configured(host: H, table: WorkerTable) -> Result<Worker<H>, ConfigErrors> {
        let Configuration { rules, replies } = compile(&config::parse(&host.configuration())?)?;
        table.join(host, &rules)?;
        let names = rules.policies.iter().map(|policy| policy.name.as_str());
        let metrics = Metrics::define(host, names);
        let (engine, clock) = (Engine::new(rules), Clock::new::<H>());
        Ok(Worker { host, engine, replies, clock, metrics, table })
    }

    /// Posts what is owed and renews what is held, between requests.
    fn settle(&mut self) {
        self.clock.follow_the_wall::<H>();
        let now = self.clock.now::<H>();
        let tally = self.table.with(|table| {
            table.begin(&SharedData(self.host), now).settle();
            table.take_stats()
        });
        let tally = tally.unwrap_or_default();
        if let Some(alarm) = self.metrics.alarm(&tally).filter(|_| alarm::is_due(self.host, now.mono)) {
            log::warn!("{alarm}");
        }
        self.metrics.flush(self.host, tally);
    }

    /// Posts everything that the worker has open, also what could still be used.
    fn close(&mut self) {
        let now = self.clock.now::<H>();
        self.table.with(|table| table.begin(&SharedData(self.host), now).close());
    }
}

/// A filter configuration in one worker. Without a worker it was never accepted, and the host sends it no request.
pub(super) struct TollgateRoot<H: Host> {
    host: H,
    table: WorkerTable,
    worker: Option<Rc<RefCell<Worker<H>>>>,
}

impl<H: Host> TollgateRoot<H> {
    pub fn new(host: H, table: WorkerTable) -> TollgateRoot<H> {
        TollgateRoot { host, table, worker: None }
    }

    /// Loads the configuration. `false`: it has errors, which are in the log.
    pub fn configure(&mut self) -> bool {
        match Worker::configured(self.host, self.table.clone()) {
            Ok(worker) => {
                log::info!("{}", start_line(worker.engine.rules()));
                self.worker = Some(Rc::new(RefCell::new(worker)));
                self.host.tick_every(TICK);
                true
            }
            Err(errors) => {
                log::error!("the configuration is invalid, errors: {}", errors.iter().len());
                errors.iter().for_each(|error| log::error!("{error}"));
                false
            }
        }
    }

    /// A new request.
    pub fn create_stream(&self) -> TollgateStream<H> {
        TollgateStream::new(self.worker.clone())
    }

    /// Once a second.
    pub fn tick(&self) {
        self.worker.iter().for_each(|worker| worker.borrow_mut().settle());
    }
}

/// The configuration is deleted, and with it perhaps this worker's VM: nothing that the table is owed may wait for another
/// tick, nor may units of a lease that nobody will use stay counted.
impl<H: Host> Drop for TollgateRoot<H> {
    fn drop(&mut self) {
        if let Some(worker) = &self.worker {
            let worker = &mut *worker.borrow_mut();
            worker.close();
            worker.settle();
        }
    }
}

/// What the log says once a configuration is accepted: which build serves which policies. Names of policies are no secret:
/// clients may see them in replies.
fn start_line(rules: &PolicySet) -> String {
    let names: Vec<&str> = rules.policies.iter().map(|policy| policy.name.as_str()).collect();
    let policies = if names.len() == 1 { "policy" } else { "policies" };
    format!(
        "tollgate {} (commit {}) serves {} {policies}: {}",
        env!("CARGO_PKG_VERSION"),
        env!("TOLLGATE_BUILD_COMMIT"),
        names.len(),
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    fn line(policies: &str) -> String {
        let json = format!(r#"{{"keys": {{"client": {{"client_ip": {{}}}}}}, "policies": [{policies}]}}"#);
        start_line(&compile(&config::parse(json.as_bytes()).unwrap()).unwrap().rules)
    }

    fn policy(name: &str) -> String {
        format!(r#"{{"name": "{name}", "key": "client", "limits": [{{"quota": 1, "window": "60s"}}]}}"#)
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn the_start_line_names_the_build_and_its_policies() {
        let build =
            concat!("tollgate ", env!("CARGO_PKG_VERSION"), " (commit ", env!("TOLLGATE_BUILD_COMMIT"), ")");
        assert_eq!(line(&policy("a")), format!("{build} serves 1 policy: a"));
        let both = [policy("a"), policy("b")].join(",");
        assert_eq!(line(&both), format!("{build} serves 2 policies: a, b"));
    }
}
