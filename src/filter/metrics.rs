//! Counters for operators: per policy and outcome, never per key.
//!
//! Counts are gathered in the worker and added to Envoy's once a tick, so that a request pays for an
//! addition and not for a host call. Envoy shows them as `wasmcustom.<name>`.

use super::host::Host;
use crate::decision::Decision;
use crate::reply::ReplyRules;
use crate::table::TableStats;

/// The counters of one filter configuration.
pub(super) struct Metrics {
    /// One for each policy of the set.
    policies: Vec<Outcomes>,
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
}

struct Outcomes {
    /// Requests that the policy applies to and the filter let pass.
    admitted: Counter,
    /// Requests that the policy rejected.
    rejected: Counter,
    /// Admitted ones that left a tenth of one of its quotas, or less.
    near_limit: Counter,
    /// Requests that the policy would have rejected, were it not in shadow.
    shadow_rejected: Counter,
}

impl Metrics {
    /// Defines the counters of these policies. Those that exist already go on.
    pub fn define<'a>(host: impl Host, policies: impl Iterator<Item = &'a str>) -> Metrics {
        let outcomes = |name: &str| Outcomes {
            admitted: Counter::define(host, &format!("tollgate.policy.{name}.admitted")),
            rejected: Counter::define(host, &format!("tollgate.policy.{name}.refused")),
            near_limit: Counter::define(host, &format!("tollgate.policy.{name}.near_limit")),
            shadow_rejected: Counter::define(host, &format!("tollgate.policy.{name}.shadow_refused")),
        };
        Metrics {
            policies: policies.map(outcomes).collect(),
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
        }
    }

    /// Counts one decision.
    pub fn count(&mut self, replies: &ReplyRules, decision: &Decision) {
        let rejected = decision.rejected();
        for one in decision.policies() {
            let Some(outcomes) = self.policies.get_mut(one.policy) else { continue };
            outcomes.rejected.pending += u64::from(one.rejected());
            self.overflow_rejected.pending += u64::from(one.rejected() && one.outcome.overflowed);
            outcomes.admitted.pending += u64::from(!rejected);
            outcomes.near_limit.pending += u64::from(!rejected && replies.near_limit(one));
        }
        for one in decision.shadows() {
            let Some(outcomes) = self.policies.get_mut(one.policy) else { continue };
            outcomes.shadow_rejected.pending += u64::from(one.rejected());
            outcomes.admitted.pending += u64::from(!rejected && !one.rejected());
        }
    }

    /// Counts requests whose metadata could not tell callers apart.
    pub fn count_without_value(&mut self, requests: u64) {
        self.keys_without_value.pending += requests;
    }

    /// What an operator must know of the time since the last flush; nothing, if all is well.
    pub fn alarm(&self, stats: &TableStats) -> Option<String> {
        let (rejected, dropped) = (self.overflow_rejected.pending, stats.debts_dropped);
        let newcomers = (rejected > 0).then(|| {
            format!(
                "{rejected} requests of new callers were rejected since the table is full: raise table.pages"
            )
        });
        let debts = (dropped > 0)
            .then(|| format!("{dropped} counts were lost since Envoy's shared data could not be written"));
        newcomers.into_iter().chain(debts).reduce(|one, other| [one, other].join("; "))
    }

    /// Adds what was counted since the last time to Envoy's counters.
    pub fn flush(&mut self, host: impl Host, stats: TableStats) {
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
        for outcomes in &mut self.policies {
            outcomes.admitted.flush(host);
            outcomes.rejected.flush(host);
            outcomes.near_limit.flush(host);
            outcomes.shadow_rejected.flush(host);
        }
    }
}

struct Counter {
    /// `None`: the host would not define it.
    id: Option<u32>,
    pending: u64,
}

impl Counter {
    fn define(host: impl Host, name: &str) -> Counter {
        Counter { id: host.define_counter(name), pending: 0 }
    }

    fn flush(&mut self, host: impl Host) {
        let pending = std::mem::take(&mut self.pending);
        if let (Some(id), 1..) = (self.id, pending) {
            host.add_to_counter(id, pending);
        }
    }
}
