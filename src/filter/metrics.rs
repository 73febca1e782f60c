//! Counters for operators: per policy and outcome, and per limit, tier and listed consumer; never per key.
//!
//! Counts are gathered in the worker and added to Envoy's once a tick, so that a request pays for an
//! addition and not for a host call. Envoy shows them as `wasmcustom.<name>`.

mod counter;
mod fleet;
mod gauge;
mod labelled;
mod outcomes;
mod unread;
mod usage;

use super::alarm::Alarm;
use super::host::Host;
use crate::decision::{Decision, of_each_policy};
use crate::fleet::member::MemberStats;
use crate::reply::ReplyRules;
use crate::rules::{Policy, PolicySet, Unread};
use crate::table::{Fill, TableSize, TableStats};
use crate::time::Micros;
use counter::Counter;
use fleet::FleetCounters;
use gauge::Gauge;
use labelled::{Event, Labelled};
use outcomes::Outcomes;

/// The counters of one filter configuration.
pub(super) struct Metrics {
    /// One for each policy of the set.
    policies: Vec<Outcomes>,
    /// Those of limits, tiers and consumers.
    labelled: Labelled,
    evictions: Counter,
    overflow: Counter,
    overflow_rejected: Counter,
    damaged: Counter,
    cas_misses: Counter,
    degraded: Counter,
    leased: Counter,
    leases_full: Counter,
    debts_dropped: Counter,
    keys_without_value: Counter,
    /// Records whose counts were forgiven. `None`: there were none, and there is no entry.
    forgiven: Option<Counter>,
    /// `None`: there is no fleet.
    fleet: Option<FleetCounters>,
    /// Boxed, because one worker sets them at a time.
    fill: Box<FillGauges>,
}

/// How full the table is.
#[derive(Default)]
struct FillGauges {
    records: Gauge,
    bytes: Gauge,
    capacity: Gauge,
}

/// Counts a configuration that a worker took, and shows the revision of the live policy, if it is one.
#[inline(never)]
pub(super) fn accepted(host: impl Host, revision: Option<u32>) {
    let [mut accepted, _] = configurations(host);
    accepted.pending += 1;
    accepted.flush(host);
    if let Some(revision) = revision {
        Gauge::default().set(host, "tollgate.config.revision", revision.into());
    }
}

/// Counts a configuration that a worker refused.
#[inline(never)]
pub(super) fn rejected(host: impl Host) {
    let [_, mut rejected] = configurations(host);
    rejected.pending += 1;
    rejected.flush(host);
}

/// Both are defined at once, so that each is there before it first counts.
fn configurations(host: impl Host) -> [Counter; 2] {
    ["tollgate.config.accepted", "tollgate.config.rejected"].map(|name| Counter::define(host, name))
}

const FORGIVEN: &str = "tollgate.config.forgiven";

impl Metrics {
    /// Defines the counters of these policies. Those that exist already go on.
    pub fn define(host: impl Host, rules: &PolicySet, replies: &ReplyRules) -> Metrics {
        let (in_fleet, forgives) = (rules.fleet.is_some(), rules.forgives());
        let mut labelled = Labelled::default();
        let outcomes = |policy: (usize, &Policy)| {
            let mut outcomes = Outcomes::define(host, policy.1, rules.counts_consumers);
            outcomes.define_labelled(host, policy, replies, &mut labelled);
            outcomes
        };
        Metrics {
            policies: rules.policies.iter().enumerate().map(outcomes).collect(),
            labelled,
            evictions: Counter::define(host, "tollgate.table.evictions"),
            overflow: Counter::define(host, "tollgate.table.overflow"),
            overflow_rejected: Counter::define(host, "tollgate.table.overflow_rejected"),
            damaged: Counter::define(host, "tollgate.table.damaged_pages"),
            cas_misses: Counter::define(host, "tollgate.table.cas_misses"),
            degraded: Counter::define(host, "tollgate.table.degraded"),
            leased: Counter::define(host, "tollgate.table.leased"),
            leases_full: Counter::define(host, "tollgate.table.leases_full"),
            debts_dropped: Counter::define(host, "tollgate.table.debts_dropped"),
            keys_without_value: Counter::define(host, "tollgate.keys.without_value"),
            forgiven: forgives.then(|| Counter::define(host, FORGIVEN)),
            fleet: in_fleet.then(|| FleetCounters::define(host)),
            fill: Box::default(),
        }
    }

    /// Counts one decision.
    pub fn count(&mut self, replies: &ReplyRules, decision: &Decision) {
        let Metrics { policies, labelled, overflow_rejected, .. } = self;
        let rejected = decision.rejected();
        for one in of_each_policy(decision.policies()) {
            let Some(outcomes) = policies.get_mut(one.policy) else { continue };
            if !rejected {
                outcomes.admit(Some(one), one.policy, decision, labelled);
            } else if one.rejected() {
                outcomes.rejected.pending += 1;
                overflow_rejected.pending += u64::from(one.outcome.overflowed);
                outcomes.count_limits(replies, one, Event::Rejected, labelled);
                outcomes.count_caller(one.policy, decision, Event::Rejected, labelled);
            }
        }
        for one in of_each_policy(decision.shadows()) {
            let Some(outcomes) = policies.get_mut(one.policy) else { continue };
            if one.rejected() {
                outcomes.shadow_rejected.pending += 1;
                outcomes.count_limits(replies, one, Event::ShadowRejected, labelled);
            } else if !rejected {
                outcomes.admit(Some(one), one.policy, decision, labelled);
            }
        }
        for policy in decision.unlimited().iter().filter(|_| !rejected) {
            let Some(outcomes) = policies.get_mut(*policy) else { continue };
            outcomes.admit(None, *policy, decision, labelled);
        }
    }

    /// Shows how full the table is.
    pub fn show_fill(&mut self, host: impl Host, fill: Fill, size: TableSize) {
        let FillGauges { records, bytes, capacity } = &mut *self.fill;
        records.set(host, "tollgate.table.records", fill.records);
        bytes.set(host, "tollgate.table.bytes", fill.bytes);
        capacity.set(host, "tollgate.table.capacity_bytes", size.capacity());
    }

    /// Counts requests whose metadata could not tell callers apart.
    pub fn count_without_value(&mut self, requests: u64) {
        self.keys_without_value.pending += requests;
    }

    /// Counts what this worker did as a member of its fleet.
    pub fn count_fleet(&mut self, stats: MemberStats) {
        self.fleet.iter_mut().for_each(|fleet| fleet.add(stats));
    }

    /// Counts the numbers that a response was to report to policies, and has not.
    pub fn count_unread(&mut self, unread: &[(usize, Unread)]) {
        for (policy, unread) in unread {
            self.policies.get_mut(*policy).into_iter().for_each(|outcomes| outcomes.count_unread(*unread));
        }
    }

    /// Warns of what an operator must know of the time since the last flush.
    pub fn warn(&self, stats: &TableStats, host: impl Host, now: Micros) {
        for (alarm, number) in [
            (Alarm::OVERFLOW, self.overflow_rejected.pending),
            (Alarm::DEGRADED, stats.degraded),
            (Alarm::DAMAGED, stats.damaged),
            (Alarm::DEBTS_DROPPED, stats.debts_dropped),
        ] {
            alarm.warn_of(number, host, now);
        }
    }

    /// Adds what was counted since the last time to Envoy's counters.
    pub fn flush(&mut self, host: impl Host, replies: &ReplyRules, stats: TableStats) {
        self.evictions.pending += stats.evictions;
        self.overflow.pending += stats.overflow;
        self.damaged.pending += stats.damaged;
        self.cas_misses.pending += stats.cas_misses;
        self.degraded.pending += stats.degraded;
        self.leased.pending += stats.leased;
        self.leases_full.pending += stats.leases_full;
        self.debts_dropped.pending += stats.debts_dropped;
        let table = [
            &mut self.evictions,
            &mut self.overflow,
            &mut self.overflow_rejected,
            &mut self.damaged,
            &mut self.cas_misses,
            &mut self.degraded,
            &mut self.leased,
            &mut self.leases_full,
            &mut self.debts_dropped,
            &mut self.keys_without_value,
        ];
        table.into_iter().for_each(|counter| counter.flush(host));
        if stats.forgiven > 0 {
            // All configurations of the worker share the table, also those before the one with the entry.
            let define = || Counter::define(host, FORGIVEN);
            self.forgiven.get_or_insert_with(define).pending += stats.forgiven;
        }
        self.forgiven.iter_mut().for_each(|counter| counter.flush(host));
        let fleet = self.fleet.iter_mut().flat_map(FleetCounters::all);
        fleet.for_each(|counter| counter.flush(host));
        self.policies.iter_mut().for_each(|outcomes| outcomes.flush(host));
        self.labelled.flush(host, replies);
    }
}
