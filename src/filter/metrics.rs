//! Counters for operators: per policy and outcome, and per limit, tier and listed consumer; never per key.
//!
//! Counts are gathered in the worker and added to Envoy's once a tick, so that a request pays for an
//! addition and not for a host call. Envoy shows them as `wasmcustom.<name>`.

mod counter;
mod gauge;
mod labelled;
mod usage;

use super::alarm::Alarm;
use super::host::Host;
use crate::body::Unreadable;
use crate::decision::{Decision, PolicyDecision, of_each_policy};
use crate::fleet::member::MemberStats;
use crate::reply::ReplyRules;
use crate::rules::{NoCost, NoNumber, Policy, PolicySet, Unread};
use crate::table::{Fill, TableSize, TableStats};
use crate::time::Micros;
use counter::Counter;
use gauge::Gauge;
use labelled::{About, Event, Label, Labelled, Row};
use usage::Usage;

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

/// Counts a configuration that a worker took, and shows its revision.
#[inline(never)]
pub(super) fn accepted(host: impl Host, revision: u32) {
    let [mut accepted, _] = configurations(host);
    accepted.pending += 1;
    accepted.flush(host);
    Gauge::default().set(host, "tollgate.config.revision", revision.into());
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

/// What a member of a fleet counts.
struct FleetCounters {
    /// Calls of the service.
    calls: Counter,
    /// Calls without an answer.
    failures: Counter,
    /// Requests that waited for an answer.
    waited: Counter,
    /// Decisions without the service.
    alone: Counter,
    /// Requests for which there was no room.
    full: Counter,
    /// Corrections that were lost.
    dropped: Counter,
    /// Times that the engine has lost its data.
    emptied: Counter,
}

impl FleetCounters {
    fn define(host: impl Host) -> FleetCounters {
        let counter = |name: &str| Counter::define(host, &format!("tollgate.fleet.{name}"));
        FleetCounters {
            calls: counter("calls"),
            failures: counter("failures"),
            waited: counter("waited"),
            alone: counter("alone"),
            full: counter("full"),
            dropped: counter("dropped"),
            emptied: counter("emptied"),
        }
    }

    fn add(&mut self, stats: MemberStats) {
        let MemberStats { calls, failures, waited, alone, full, dropped, emptied } = stats;
        let counts = [calls, failures, waited, alone, full, dropped, emptied];
        self.all().into_iter().zip(counts).for_each(|(counter, count)| counter.pending += count);
    }

    fn all(&mut self) -> [&mut Counter; 7] {
        let FleetCounters { calls, failures, waited, alone, full, dropped, emptied } = self;
        [calls, failures, waited, alone, full, dropped, emptied]
    }
}

struct Outcomes {
    /// Requests that the policy applies to and the filter let pass.
    admitted: Counter,
    /// Requests that the policy rejected.
    rejected: Counter,
    /// Admitted ones by how much of its quotas is used.
    usage: Usage,
    limits: Row,
    /// `None`: its quotas do not differ by tier.
    tiers: Option<Row>,
    /// `None`: nothing is counted by consumer.
    consumers: Option<Row>,
    /// Requests that the policy would have rejected, were it not in shadow.
    shadow_rejected: Counter,
    /// Responses without the cost that they were to report. Only policies that read one have these counters.
    cost: Option<Unreported>,
    /// Responses without the stock that they were to report.
    stock: Option<Unreported>,
    /// Responses whose body was to report a cost. Boxed, because most policies read none.
    body: Option<Box<UnreadBodies>>,
}

/// Responses whose body did not report the cost that it was to report.
struct UnreadBodies {
    /// It was compressed.
    encoded: Counter,
    /// It was no JSON.
    of_type: Counter,
    /// It had no such number.
    absent: Counter,
    /// It broke off.
    aborted: Counter,
}

impl UnreadBodies {
    #[inline(never)]
    fn define(host: impl Host, policy: &str) -> UnreadBodies {
        let counter = |name: &str| Counter::define(host, &["tollgate.policy.", policy, name].concat());
        UnreadBodies {
            encoded: counter(".cost_body_unread_encoded"),
            of_type: counter(".cost_body_unread_type"),
            absent: counter(".cost_body_unread_absent"),
            aborted: counter(".cost_body_unread_aborted"),
        }
    }

    fn count(&mut self, why: NoCost) {
        let counter = match why {
            NoCost::Unreadable(Unreadable::Encoded) => &mut self.encoded,
            NoCost::Unreadable(Unreadable::Type) => &mut self.of_type,
            NoCost::Absent => &mut self.absent,
            NoCost::Aborted => &mut self.aborted,
        };
        counter.pending += 1;
    }

    fn flush(&mut self, host: impl Host) {
        let UnreadBodies { encoded, of_type, absent, aborted } = self;
        [encoded, of_type, absent, aborted].into_iter().for_each(|counter| counter.flush(host));
    }
}

/// Responses without a number that they were to report.
struct Unreported {
    /// Without the header.
    missing: Counter,
    /// With one that is not a whole number.
    unreadable: Counter,
}

impl Unreported {
    fn define(host: impl Host, missing: &str, unreadable: &str) -> Unreported {
        let counter = |name| Counter::define(host, name);
        Unreported { missing: counter(missing), unreadable: counter(unreadable) }
    }

    fn count(&mut self, why: NoNumber) {
        let counter = match why {
            NoNumber::Missing => &mut self.missing,
            NoNumber::Unreadable => &mut self.unreadable,
        };
        counter.pending += 1;
    }
}

impl Outcomes {
    fn define(host: impl Host, policy: &Policy, by_consumer: bool) -> Outcomes {
        let name = &policy.name;
        let (cost, stock) = (&policy.response.cost, &policy.response.stock);
        Outcomes {
            admitted: Counter::define(host, &format!("tollgate.policy.{name}.admitted")),
            rejected: Counter::define(host, &format!("tollgate.policy.{name}.refused")),
            usage: Usage::define(host, name),
            limits: Row::default(),
            tiers: policy.limit_sets.differ_by_tier().then(Row::default),
            consumers: by_consumer.then(Row::default),
            shadow_rejected: Counter::define(host, &format!("tollgate.policy.{name}.shadow_refused")),
            cost: cost.as_ref().map(|_| {
                let missing = format!("tollgate.policy.{name}.cost_missing");
                Unreported::define(host, &missing, &format!("tollgate.policy.{name}.cost_unreadable"))
            }),
            stock: stock.as_ref().map(|_| {
                let missing = format!("tollgate.policy.{name}.stock_missing");
                Unreported::define(host, &missing, &format!("tollgate.policy.{name}.stock_unreadable"))
            }),
            body: policy.response.body.as_ref().map(|_| Box::new(UnreadBodies::define(host, name))),
        }
    }

    /// Counts an admitted request. `None`: the policy has no limits for its caller.
    #[inline]
    fn admit(
        &mut self,
        one: Option<&PolicyDecision>,
        policy: usize,
        decision: &Decision,
        labelled: &mut Labelled,
    ) {
        self.admitted.pending += 1;
        if let Some(one) = one {
            self.usage.count(&one.outcome.verdicts);
        }
        self.count_caller(policy, decision, Event::Admitted, labelled);
    }

    /// Counts a request under the tier and the consumer of its caller.
    #[inline]
    fn count_caller(&mut self, policy: usize, decision: &Decision, event: Event, labelled: &mut Labelled) {
        if let (Some(row), Some(index)) = (&mut self.tiers, decision.tier()) {
            labelled.count(row, Label { policy, about: About::Tier, index, event });
        }
        if let (Some(row), Some(index)) = (&mut self.consumers, decision.consumer()) {
            labelled.count(row, Label { policy, about: About::Consumer, index, event });
        }
    }

    /// Counts the limits that reject a request, if its policy does. No limit does while the fleet's service does
    /// not answer.
    #[inline(never)] // most requests do not come here
    fn count_limits(
        &mut self,
        replies: &ReplyRules,
        one: &PolicyDecision,
        event: Event,
        labelled: &mut Labelled,
    ) {
        if one.outcome.unavailable {
            return;
        }
        for (place, _) in one.outcome.verdicts.iter().enumerate().filter(|(_, verdict)| !verdict.admitted) {
            if let Some(index) = replies.limit_index(one, place) {
                let label = Label { policy: one.policy, about: About::Limit, index, event };
                labelled.count(&mut self.limits, label);
            }
        }
    }

    fn flush(&mut self, host: impl Host) {
        for counter in [&mut self.admitted, &mut self.rejected, &mut self.shadow_rejected] {
            counter.flush(host);
        }
        self.usage.all().into_iter().for_each(|counter| counter.flush(host));
        for Unreported { missing, unreadable } in [&mut self.cost, &mut self.stock].into_iter().flatten() {
            missing.flush(host);
            unreadable.flush(host);
        }
        if let Some(body) = &mut self.body {
            body.flush(host);
        }
    }
}

impl Metrics {
    /// Defines the counters of these policies. Those that exist already go on.
    pub fn define(host: impl Host, rules: &PolicySet) -> Metrics {
        let (in_fleet, forgives) = (rules.fleet.is_some(), rules.forgives());
        let outcomes = |policy| Outcomes::define(host, policy, rules.counts_consumers);
        Metrics {
            policies: rules.policies.iter().map(outcomes).collect(),
            labelled: Labelled::default(),
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
            let Some(Outcomes { cost, stock, body, .. }) = self.policies.get_mut(*policy) else { continue };
            if let (Some(counters), Some(why)) = (body, unread.body) {
                counters.count(why);
            }
            for (counters, why) in [(cost, unread.cost), (stock, unread.stock)] {
                if let (Some(counters), Some(why)) = (counters, why) {
                    counters.count(why);
                }
            }
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
