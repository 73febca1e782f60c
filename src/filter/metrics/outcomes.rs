//! What becomes of the requests of one policy.

use super::counter::Counter;
use super::labelled::{About, Event, Label, Labelled, Row};
use super::unread::{UnreadBodies, Unreported};
use super::usage::Usage;
use crate::decision::{Decision, PolicyDecision};
use crate::filter::host::Host;
use crate::reply::ReplyRules;
use crate::rules::{Mode, Policy, Unread};

/// The counters of one policy.
pub(super) struct Outcomes {
    /// Requests that the policy applies to and the filter let pass.
    admitted: Counter,
    /// Requests that the policy rejected.
    pub rejected: Counter,
    /// Admitted ones by how much of its quotas is used.
    usage: Usage,
    limits: Row,
    /// `None`: its quotas do not differ by tier.
    tiers: Option<Row>,
    /// `None`: nothing is counted by consumer.
    consumers: Option<Row>,
    /// Requests that the policy would have rejected, were it not in shadow.
    pub shadow_rejected: Counter,
    /// Responses without the cost that they were to report. Only policies that read one have these counters.
    cost: Option<Unreported>,
    /// Responses without the stock that they were to report.
    stock: Option<Unreported>,
    /// Responses whose body was to report a cost. Boxed, because most policies read none.
    body: Option<Box<UnreadBodies>>,
}

impl Outcomes {
    pub fn define(host: impl Host, policy: &Policy, by_consumer: bool) -> Outcomes {
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

    /// Defines the counters of its limits and of its tiers.
    pub fn define_labelled(
        &mut self,
        host: impl Host,
        (policy, rules): (usize, &Policy),
        replies: &ReplyRules,
        labelled: &mut Labelled,
    ) {
        let may_be_in_shadow = rules.mode != Mode::Enforce || !rules.enforced.is_all();
        let shadow = may_be_in_shadow.then_some(Event::ShadowRejected);
        let enforced = (rules.mode != Mode::Shadow).then_some(Event::Rejected);
        for index in 0..rules.limit_names.len() {
            for event in enforced.into_iter().chain(shadow) {
                let label = Label { policy, about: About::Limit, index, event };
                labelled.define(&mut self.limits, label, host, replies);
            }
        }
        let Some(tiers) = &mut self.tiers else { return };
        for index in 0..replies.tiers.len() {
            for event in std::iter::once(Event::Admitted).chain(enforced) {
                labelled.define(tiers, Label { policy, about: About::Tier, index, event }, host, replies);
            }
        }
    }

    /// Counts an admitted request. `None`: the policy has no limits for its caller.
    #[inline]
    pub fn admit(
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
    pub fn count_caller(
        &mut self,
        policy: usize,
        decision: &Decision,
        event: Event,
        labelled: &mut Labelled,
    ) {
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
    pub fn count_limits(
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

    pub fn flush(&mut self, host: impl Host) {
        for counter in [&mut self.admitted, &mut self.rejected, &mut self.shadow_rejected] {
            counter.flush(host);
        }
        self.usage.all().into_iter().for_each(|counter| counter.flush(host));
        for unreported in [&mut self.cost, &mut self.stock].into_iter().flatten() {
            unreported.flush(host);
        }
        if let Some(body) = &mut self.body {
            body.flush(host);
        }
    }

    /// Counts the numbers that a response was to report to the policy, and has not.
    pub fn count_unread(&mut self, unread: Unread) {
        let Outcomes { cost, stock, body, .. } = self;
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
