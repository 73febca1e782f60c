//! Counters for operators: per policy and outcome, never per key.
//!
//! Counts are gathered in the worker and added to Envoy's once a tick, so that a request pays for an
//! addition and not for a host call. Envoy shows them as `wasmcustom.<name>`.

use super::host;
use crate::decision::Decision;
use crate::policy::PolicySet;
use crate::response::near_limit;
use crate::table::Tally;

/// The counters of one filter configuration.
pub(super) struct Metrics {
    /// One for each policy of the set.
    policies: Vec<Outcomes>,
    evictions: Counter,
    overflow: Counter,
    damaged: Counter,
    cas_misses: Counter,
    degraded: Counter,
    leased: Counter,
}

struct Outcomes {
    /// Requests that the policy applies to and the filter let pass.
    admitted: Counter,
    /// Requests that the policy refused.
    refused: Counter,
    /// Admitted ones that left a tenth of one of its quotas, or less.
    near_limit: Counter,
}

impl Metrics {
    /// Defines the counters of these policies. Those that exist already go on.
    pub fn define<'a>(policies: impl Iterator<Item = &'a str>) -> Metrics {
        let outcomes = |name: &str| Outcomes {
            admitted: Counter::define(&format!("tollgate.policy.{name}.admitted")),
            refused: Counter::define(&format!("tollgate.policy.{name}.refused")),
            near_limit: Counter::define(&format!("tollgate.policy.{name}.near_limit")),
        };
        Metrics {
            policies: policies.map(outcomes).collect(),
            evictions: Counter::define("tollgate.table.evictions"),
            overflow: Counter::define("tollgate.table.overflow"),
            damaged: Counter::define("tollgate.table.damaged_pages"),
            cas_misses: Counter::define("tollgate.table.cas_misses"),
            degraded: Counter::define("tollgate.table.degraded"),
            leased: Counter::define("tollgate.table.leased"),
        }
    }

    /// Counts one decision.
    pub fn count(&mut self, policies: &PolicySet, decision: &Decision) {
        let refused = decision.refused();
        for answer in decision.answers() {
            let Some(outcomes) = self.policies.get_mut(answer.policy) else { continue };
            outcomes.refused.pending += u64::from(answer.refused());
            outcomes.admitted.pending += u64::from(!refused);
            outcomes.near_limit.pending += u64::from(!refused && near_limit(policies, answer));
        }
    }

    /// Adds what was counted since the last time to Envoy's counters.
    pub fn flush(&mut self, tally: Tally) {
        self.evictions.pending += tally.evictions;
        self.overflow.pending += tally.overflow;
        self.damaged.pending += tally.damaged;
        self.cas_misses.pending += tally.cas_misses;
        self.degraded.pending += tally.degraded;
        self.leased.pending += tally.leased;
        let table = [
            &mut self.evictions,
            &mut self.overflow,
            &mut self.damaged,
            &mut self.cas_misses,
            &mut self.degraded,
            &mut self.leased,
        ];
        table.into_iter().for_each(Counter::flush);
        for outcomes in &mut self.policies {
            outcomes.admitted.flush();
            outcomes.refused.flush();
            outcomes.near_limit.flush();
        }
    }
}

struct Counter {
    /// `None`: the host would not define it.
    id: Option<u32>,
    pending: u64,
}

impl Counter {
    fn define(name: &str) -> Counter {
        Counter { id: host::define_counter(name), pending: 0 }
    }

    fn flush(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        if let (Some(id), 1..) = (self.id, pending) {
            host::add_to_counter(id, pending);
        }
    }
}
