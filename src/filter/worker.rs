//! What the requests under one configuration share in one worker: its engine, replies, counters and the
//! table.

use super::alarm::Alarm;
use super::host::{Clock, Host, SharedData, TableId, new_worker_id};
use super::membership::{FleetClient, Members};
use super::metrics::Metrics;
use super::{shared_table, survey};
use crate::compile::{Configuration, compile};
use crate::config::{self, ConfigError, ConfigErrors};
use crate::engine::Engine;
use crate::reply::ReplyRules;
use crate::rules::{FilterRole, PolicySet, Unread};
use crate::table::{Table, Transaction};
use std::cell::RefCell;
use std::rc::Rc;

/// This VM's views of the tables that its configurations name. Most VMs have one.
#[derive(Clone, Default)]
pub(super) struct WorkerTables(Rc<RefCell<Vec<Named>>>);

/// A table's name, and this worker's view of it.
type Named = (Option<Box<str>>, WorkerTable);

impl WorkerTables {
    /// The view of the table with this name.
    pub fn of(&self, name: Option<&str>) -> WorkerTable {
        let mut all = self.0.borrow_mut();
        if let Some((_, table)) = all.iter().find(|(own, _)| own.as_deref() == name) {
            return table.clone();
        }
        let table = WorkerTable::default();
        all.push((name.map(Box::from), table.clone()));
        table
    }
}

/// The worker's view of a table. All its configurations with that table share one, so debts and units in flight outlive the
/// configuration that they came from. It is absent until a configuration is accepted.
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
        let table_size = rules.table_size;
        let name = rules.table_name.as_deref();
        let seed = shared_table::create_or_join(host, table_size.pages, name)
            .map_err(|error| ConfigErrors::from(ConfigError::new(error.at, &error.found, &error.allowed)))?;
        let mut shared = self.0.borrow_mut();
        let table = shared.get_or_insert_with(|| {
            let mut new = Table::new(seed, table_size, new_worker_id::<H>());
            // From here on a time without a tick is a stall.
            new.begin(&SharedData(host, TableId::of(name)), Clock::new::<H>().now::<H>()).settle();
            new
        });
        match rules.role {
            FilterRole::Limiter => {
                table.set_page_bytes(table_size.page_bytes);
                table.set_in_force(rules.limits());
                table.set_forgiving(rules.forgives());
            }
            // The limits are those of the filters that limit.
            FilterRole::Operator => table.set_forgiving(true),
        }
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
    /// `PolicySet::read_together`, computed once.
    pub read_together: Vec<String>,
    /// `PolicySet::removed_headers`, computed once.
    pub removed_headers: Vec<String>,
    /// `PolicySet::removed_trailers`, computed once.
    pub removed_trailers: Vec<String>,
    pub table: WorkerTable,
    /// Where the table is.
    pub store: SharedData<H>,
    /// The configuration's, see [`config::revision`].
    pub revision: u32,
    /// `None`: no policy's counts reach beyond this proxy.
    pub fleet: Option<FleetClient>,
}

impl<H: Host> Worker<H> {
    pub fn configured(
        host: H,
        tables: &WorkerTables,
        members: &Members,
        root: u32,
    ) -> Result<Worker<H>, ConfigErrors> {
        let configuration = config::parse(&host.configuration())?;
        let revision = config::revision(&configuration);
        let Configuration { mut rules, replies } = compile(&configuration)?;
        if rules.fleet.is_some() {
            match FleetClient::check(host, root) {
                Err(errors) if rules.role == FilterRole::Operator => {
                    log::warn!("the operator's view shows nothing of the fleet: {errors}");
                    rules.fleet = None;
                }
                checked => checked?,
            }
        }
        let table_name = rules.table_name.as_deref();
        let (table, store) = (tables.of(table_name), SharedData(host, TableId::of(table_name)));
        table.join(host, &rules)?;
        // From here on nothing is an error: a rejected configuration changes nothing about a fleet.
        let fleet = rules.fleet.as_ref().map(|settings| FleetClient::new::<H>(root, settings, members));
        let metrics = Metrics::define(host, &rules, &replies);
        let (removed_headers, removed_trailers) = (rules.removed_headers(), rules.removed_trailers());
        let read_together = rules.read_together();
        let (engine, clock) = (Engine::new(rules), Clock::new::<H>());
        Ok(Worker {
            host,
            engine,
            replies,
            clock,
            metrics,
            read_together,
            removed_headers,
            removed_trailers,
            table,
            store,
            revision,
            fleet,
        })
    }

    /// Lends the engine a transaction at this instant, for what follows a decision. `None`: there is no table.
    pub fn transact<T>(
        &self,
        act: impl FnOnce(&Engine, &mut Transaction<'_, SharedData<H>>) -> T,
    ) -> Option<T> {
        let now = self.clock.now::<H>();
        let mut member = self.fleet.as_ref().map(|fleet| fleet.membership.member.borrow_mut());
        self.table.with(|table| {
            act(&self.engine, &mut table.begin(&self.store, now).in_fleet(member.as_deref_mut(), false))
        })
    }

    /// The same for what settles a request, whose unread numbers go to the metrics.
    pub fn settle_request(
        &mut self,
        act: impl FnOnce(&Engine, &mut Transaction<'_, SharedData<H>>) -> Vec<(usize, Unread)>,
    ) {
        let unread = self.transact(act);
        self.metrics.count_unread(&unread.unwrap_or_default());
    }

    /// Posts debts, renews units in flight, and adds the counts to the metrics. Runs between requests.
    pub fn settle(&mut self) {
        self.clock.follow_the_wall::<H>();
        let now = self.clock.now::<H>();
        let settled = self.table.with(|table| {
            let mut transaction = table.begin(&self.store, now);
            transaction.settle();
            if let Some(fill) = survey::next(self.host, self.store.1, &transaction) {
                self.metrics.show_fill(self.host, fill, transaction.table_size());
            }
            table.take_stats()
        });
        let stats = settled.unwrap_or_default();
        self.report_unreadable();
        self.metrics.warn(&stats, self.host, now.mono);
        if let Some(fleet) = &self.fleet {
            let mut member = fleet.membership.member.borrow_mut();
            self.metrics.count_fleet(member.take_stats());
            if !member.is_up() {
                let words = format_args!("the fleet's service still does not answer");
                Alarm::FLEET_DOWN.warn(words, self.host, now.mono);
            }
        }
        self.metrics.flush(self.host, &self.replies, stats);
    }

    /// Says once for each key that its metadata cannot tell callers apart. Its value is nowhere shown.
    fn report_unreadable(&mut self) {
        let (requests, new) = self.engine.report_unreadable();
        self.metrics.count_without_value(requests);
        let keys = &self.engine.rules().callers.keys;
        for key in new.iter().filter_map(|index| keys.get(*index)) {
            log::warn!(
                "the key {} counts as absent: its metadata is an object, a list with one or of more than 64 \
                 different elements, or no number; name a text or a number inside it",
                key.name
            );
        }
    }

    /// Posts all debts, and returns the unused units of all leases.
    pub fn close(&mut self) {
        let now = self.clock.now::<H>();
        self.table.with(|table| table.begin(&self.store, now).close());
    }
}
