//! The story of a request, on one screen. Start here.

use crate::decision::{Answer, Decision};
use crate::policy::PolicySet;
use crate::request::Request;
use crate::table::{Charge, Store, Table};
use crate::time::Now;

/// One worker's limiter: what was configured, and the table where counts live.
pub struct Engine {
    policies: PolicySet,
    table: Table,
}

impl Engine {
    /// An engine that has decided nothing yet.
    pub fn new(policies: PolicySet, table: Table) -> Engine {
        Engine { policies, table }
    }

    /// Decides one request, and counts it.
    pub fn decide(&mut self, request: &impl Request, store: &impl Store, now: Now) -> Decision {
        // Which policies apply, and who is counted by each.
        let asked = self.policies.ask(request);
        let seed = *self.table.seed();
        let applying: Vec<_> = self.policies.that_apply(&asked, &seed).collect();

        // One transaction judges all their limits, and counts the request where it is to count.
        let charges: Vec<Charge<'_>> = applying
            .iter()
            .map(|(_, policy, identity)| Charge { identity: *identity, limits: policy.limits(), cost: 1 })
            .collect();
        let verdicts = self.table.transact(store, &charges, self.policies.charging(), now.mono);

        // Many verdicts, one decision; `response` puts it into words.
        let policies = applying.iter().map(|(policy, ..)| *policy);
        let answers = policies.zip(verdicts).map(|(policy, verdicts)| Answer { policy, verdicts });
        Decision::new(answers.collect(), now)
    }

    /// What was configured.
    pub fn policies(&self) -> &PolicySet {
        &self.policies
    }

    /// The table, for what is to be done between requests.
    pub fn table(&mut self) -> &mut Table {
        &mut self.table
    }
}

#[cfg(test)]
mod tests;
