//! One filter configuration in one worker: it loads the policies, creates the streams and settles between
//! requests.

use super::fleet;
use super::host::Host;
use super::membership::Members;
use super::metrics;
use super::stream::TollgateStream;
use super::worker::{Worker, WorkerTables};
use crate::language;
use crate::rules::PolicySet;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

/// Between two ticks debts wait to be posted and counts to reach the metrics.
const TICK: Duration = Duration::from_secs(1);

/// As many ticks of a fleet's member make one of these.
const FLEET_TICKS: u32 = 10;

/// A filter configuration in one worker. Without a worker it was never accepted, and the host sends it no
/// request.
pub(super) struct TollgateRoot<H: Host> {
    host: H,
    tables: WorkerTables,
    members: Members,
    /// The root's own context.
    context: u32,
    worker: Option<Rc<RefCell<Worker<H>>>>,
    /// Whether there is a fleet.
    in_fleet: bool,
    ticks: Cell<u32>,
}

impl<H: Host> TollgateRoot<H> {
    pub fn new(host: H, tables: WorkerTables, members: Members, context: u32) -> TollgateRoot<H> {
        TollgateRoot { host, tables, members, context, worker: None, in_fleet: false, ticks: Cell::new(0) }
    }

    /// Loads the configuration. `false`: it has errors, which are in the log.
    pub fn configure(&mut self) -> bool {
        match Worker::configured(self.host, &self.tables, &self.members, self.context) {
            Ok(worker) => {
                log::info!("{}", start_line(worker.engine.rules()));
                metrics::accepted(self.host, worker.revision);
                self.in_fleet = worker.fleet.is_some();
                self.worker = Some(Rc::new(RefCell::new(worker)));
                self.host.tick_every(if self.in_fleet { fleet::TICK } else { TICK });
                true
            }
            Err(errors) => {
                metrics::rejected(self.host);
                log::error!("the configuration is invalid, errors: {}", errors.iter().len());
                errors.iter().for_each(|error| log::error!("{error}"));
                false
            }
        }
    }

    /// A new request.
    pub fn create_stream(&self, context: u32) -> TollgateStream<H> {
        TollgateStream::new(self.worker.clone(), context)
    }

    /// Once a second, or ten times if there is a fleet, and at once while requests of the fleet are ready.
    pub fn tick(&self) {
        let Some(worker) = &self.worker else { return };
        if self.in_fleet && fleet::hurry(worker) {
            return;
        }
        let ticks = self.ticks.get();
        self.ticks.set(ticks.wrapping_add(1));
        if !self.in_fleet || ticks.is_multiple_of(FLEET_TICKS) {
            worker.borrow_mut().settle();
        }
        if self.in_fleet {
            fleet::tick(worker);
        }
    }

    /// A request waits for units of the fleet.
    pub fn send_calls(&self) {
        self.worker.iter().for_each(fleet::send);
    }

    /// A call has an answer, or will have none.
    pub fn answered(&self, token: u32) {
        self.worker.iter().for_each(|worker| fleet::answered(worker, token));
    }
}

/// Envoy deletes the configuration, and perhaps this worker's VM with it. So debts are posted now rather than
/// at the next tick, and the unused units of leases are returned.
impl<H: Host> Drop for TollgateRoot<H> {
    fn drop(&mut self) {
        if let Some(worker) = &self.worker {
            fleet::leave(worker);
            let worker = &mut *worker.borrow_mut();
            worker.close();
            worker.settle();
        }
    }
}

/// The log line for an accepted configuration: which build serves which policies. Policy names are no secret,
/// because clients may see them in replies.
fn start_line(rules: &PolicySet) -> String {
    /// More names would make the line long, and each worker writes it.
    const MAX_NAMES: usize = 16;
    let count = rules.policies.len();
    let names = rules.policies.iter().take(MAX_NAMES).map(|policy| policy.name.as_str());
    let names = names.collect::<Vec<_>>().join(", ");
    let policies = if count == 1 { "policy" } else { "policies" };
    let more = if count > MAX_NAMES { " and more" } else { "" };
    format!(
        "tollgate {} serves {count} {policies}: {names}{more}",
        language::build_name(env!("CARGO_PKG_VERSION"), env!("TOLLGATE_BUILD_COMMIT")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::compile;
    use crate::config;
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
        let build = format!(
            concat!(
                "tollgate ",
                env!("CARGO_PKG_VERSION"),
                " (",
                env!("TOLLGATE_BUILD_COMMIT"),
                ") language {}"
            ),
            language::VERSION,
        );
        assert_eq!(line(&policy("a")), format!("{build} serves 1 policy: a"));
        let both = [policy("a"), policy("b")].join(",");
        assert_eq!(line(&both), format!("{build} serves 2 policies: a, b"));
        let many: Vec<_> = (0..1_000).map(|number| policy(&format!("p{number}"))).collect();
        let line = line(&many.join(","));
        assert!(
            line.starts_with(&format!("{build} serves 1000 policies: p0, ")) && line.len() < 200,
            "{line}"
        );
    }
}
