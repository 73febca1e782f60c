//! What the filter would do with a request: the filter's own engine decides, over an empty table in memory.

mod json;

use crate::applicability::{Applicability, applicability_of};
use crate::describe::{PolicySummary, summary};
use tollgate::compile::Configuration;
use tollgate::decision::Decision;
use tollgate::engine::Engine;
use tollgate::http::{RequestCache, SampleRequest};
use tollgate::identity::Seed;
use tollgate::limiter::Verdict;
use tollgate::limiter::concurrency::WorkerId;
use tollgate::reply::{Header, Reply};
use tollgate::table::{Table, memory::MemoryStore};
use tollgate::time::{Micros, Now, SECOND};

/// What happens to a request that is sent several times at once.
#[derive(Debug)]
pub struct Explanation {
    /// How many times it is sent.
    pub times: u32,
    /// How many of these requests pass.
    pub passed: u32,
    /// The number of the first request that is rejected, from 1.
    pub first_rejected: Option<u32>,
    /// What each policy does with the last request, in the order of the configuration.
    pub policies: Vec<PolicyExplanation>,
    /// The response to the last request.
    pub response: ExplainedResponse,
}

/// What one policy does with a request.
#[derive(Debug)]
pub struct PolicyExplanation {
    /// The name of the policy.
    pub name: String,
    /// Whether it applies, and why.
    pub applicability: Applicability,
    /// A description of each limit, and its verdict; empty if the policy does not limit the request.
    pub limits: Vec<(String, Verdict)>,
}

/// The response to a request.
#[derive(Debug)]
pub enum ExplainedResponse {
    /// That of the upstream, to which the filter adds these headers.
    Upstream(Vec<(String, String)>),
    /// A rejection.
    Rejection {
        /// The HTTP status.
        status: u32,
        /// All headers.
        headers: Vec<(String, String)>,
        /// The body.
        body: String,
    },
}

/// Sends a request several times at once: each before the previous one is answered. `wall` is the time since
/// the UNIX epoch.
pub fn explain(
    configuration: &Configuration,
    request: &SampleRequest,
    times: u32,
    wall: Micros,
) -> Explanation {
    let engine = Engine::new(configuration.rules.clone());
    let mut table = Table::new(Seed::new([0; Seed::LEN]), engine.rules().table_size, WorkerId(1));
    let store = MemoryStore::default();
    // The table must be older than any window.
    let now = Now { mono: 400 * 86_400 * SECOND, wall };
    let mut last = Decision::admit(now);
    let (mut passed, mut first_rejected) = (0, None);
    for number in 1..=times {
        last = engine.decide(request, &mut table.begin(&store, now));
        if last.rejected() {
            first_rejected = first_rejected.or(Some(number));
        } else {
            passed += 1;
        }
    }
    let policies = policies(configuration, request, &last);
    let response = response(configuration, request, &last);
    Explanation { times, passed, first_rejected, policies, response }
}

fn policies(set: &Configuration, request: &SampleRequest, decision: &Decision) -> Vec<PolicyExplanation> {
    let applicability = applicability_of(set, &RequestCache::new(request), decision.now.wall);
    let summary = summary(set);
    let explained = |(index, (applicability, summary)): (usize, (Applicability, PolicySummary))| {
        let verdicts = decision.all_policies().find(|answer| answer.policy == index);
        let verdicts = verdicts.map(|answer| answer.outcome.verdicts.as_slice()).unwrap_or_default();
        let limits = summary.limits.into_iter().zip(verdicts.iter().copied()).collect();
        PolicyExplanation { name: summary.name, applicability, limits }
    };
    applicability.into_iter().zip(summary.policies).enumerate().map(explained).collect()
}

fn response(set: &Configuration, request: &SampleRequest, decision: &Decision) -> ExplainedResponse {
    let limits = set.replies.limit_headers(decision);
    let owned = |headers: Vec<Header<'_>>| {
        headers.into_iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    };
    // All zeros, so that the id is recognised as an example.
    match set.replies.reply(decision, request, || [0; 16]) {
        None => ExplainedResponse::Upstream(owned(limits)),
        Some(reply) => {
            let Reply { status, headers, body, .. } = reply.with_limit_headers(limits);
            ExplainedResponse::Rejection { status, headers: owned(headers), body: body.to_string() }
        }
    }
}

#[cfg(test)]
mod tests;
