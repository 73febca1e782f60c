//! What the filter would do with a request: the filter's own engine decides, over an empty table.

mod answers;
mod json;

pub use answers::{Answers, SampleResponse};

use crate::applicability::{Applicability, applicability_of};
use crate::describe::{PolicySummary, summary};
use crate::worker::Worker;
use std::num::NonZeroU32;
use tollgate::compile::Configuration;
use tollgate::decision::Decision;
use tollgate::http::{Request, RequestCache, Response, SampleRequest};
use tollgate::limiter::Verdict;
use tollgate::reply::{Header, Reply};
use tollgate::rules::{EnforcedShare, Policy, Scope};
use tollgate::time::Micros;

/// How a request is repeated, and how it is answered.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// How many times it is sent.
    pub times: NonZeroU32,
    /// When it is sent first, since the UNIX epoch.
    pub wall: Micros,
    /// The time from one request to the next.
    pub every: Micros,
    /// Whether all are sent before any is answered. Otherwise each is answered before the next one is sent.
    pub at_once: bool,
    /// How the upstream answers.
    pub answers: Answers,
}

/// What happens to a request that is sent several times.
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
    /// The response to each request, at most to the first [`MAX_RESPONSES`].
    pub responses: Vec<ExplainedResponse>,
    /// The response to the last request.
    pub response: ExplainedResponse,
}

/// How many responses an explanation keeps.
pub const MAX_RESPONSES: usize = 1_000;

/// What one policy does with a request.
#[derive(Debug)]
pub struct PolicyExplanation {
    /// The name of the policy.
    pub name: String,
    /// Whether it applies, and why.
    pub applicability: Applicability,
    /// A description of each limit, and its verdict; empty if the policy does not limit the request.
    pub limits: Vec<(String, Verdict)>,
    /// Whether the caller is blocked now: the policy has `block_for`, and rejects the request.
    pub blocked: bool,
    /// How far its counts reach.
    pub scope: Scope,
    /// For which share of callers it is enforced. The explanation is for one of them.
    pub enforced: EnforcedShare,
}

/// What the client gets.
#[derive(Clone, Debug, PartialEq)]
pub enum ExplainedResponse {
    /// The upstream's response.
    Upstream {
        /// The HTTP status.
        status: u16,
        /// The headers that the filter adds, and those of the upstream that are known.
        headers: Vec<(String, String)>,
    },
    /// Nothing: the request passes, and the upstream does not answer it.
    Unanswered,
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

/// Sends a request as the scenario says.
pub fn explain(configuration: &Configuration, request: &SampleRequest, scenario: &Scenario) -> Explanation {
    let (original, configuration) = (configuration, &enforced(configuration));
    let mut simulation = Simulation::new(configuration, request, scenario);
    let times = scenario.times.get();
    let (mut passed, mut first_rejected, mut responses) = (0, None, Vec::new());
    let mut last = None;
    for number in 1..=times {
        let (decision, response) = simulation.send(number - 1);
        if decision.rejected() {
            first_rejected = first_rejected.or(Some(number));
        } else {
            passed += 1;
        }
        if responses.len() < MAX_RESPONSES {
            responses.push(response.clone());
        }
        last = Some((decision, response));
    }
    let (last, response) = last.unwrap_or_else(|| simulation.send(0));
    let mut policies = policies(configuration, request, &last);
    for (explained, policy) in policies.iter_mut().zip(&original.rules.policies) {
        explained.enforced = policy.enforced;
    }
    Explanation { times, passed, first_rejected, policies, responses, response }
}

/// The configuration as the share of callers meets it that a policy is enforced for. Who they are, only the
/// running filter knows.
pub fn enforced(configuration: &Configuration) -> Configuration {
    let mut configuration = configuration.clone();
    configuration.rules.policies.iter_mut().for_each(|policy| policy.enforced = EnforcedShare::ALL);
    configuration
}

/// The worker, and the requests on their way through it.
struct Simulation<'a> {
    configuration: &'a Configuration,
    request: &'a SampleRequest,
    scenario: &'a Scenario,
    worker: Worker,
}

impl<'a> Simulation<'a> {
    fn new(
        configuration: &'a Configuration,
        request: &'a SampleRequest,
        scenario: &'a Scenario,
    ) -> Simulation<'a> {
        Simulation { configuration, request, scenario, worker: Worker::new(configuration) }
    }

    /// Sends the request with this number, from 0.
    fn send(&mut self, number: u32) -> (Decision, ExplainedResponse) {
        let since = self.scenario.every.saturating_mul(number.into());
        self.worker.advance(self.scenario.wall.saturating_add(since));
        let mut decision = self.worker.decide(self.request);
        // Requests that are all sent at once are in flight until the last one is answered.
        let answered = !self.scenario.at_once || number + 1 == self.scenario.times.get();
        let answer = self.scenario.answers.of(number).filter(|_| answered);
        if let Some(answer) = &answer {
            self.worker.on_response(&mut decision, answer);
        }
        let response = response(self.configuration, self.request, &decision, answer);
        if let Some(answer) = &answer {
            let trailers = |name: &str| answer.trailer(name);
            self.worker.on_response_end(&mut decision, answer, None, &trailers);
        }
        if answered {
            self.worker.on_stream_end(&mut decision);
        }
        (decision, response)
    }
}

fn policies(set: &Configuration, request: &SampleRequest, decision: &Decision) -> Vec<PolicyExplanation> {
    let applicability = applicability_of(set, &RequestCache::new(request), decision.now.wall);
    let summary = summary(set);
    let explained = |(index, (applicability, summary)): (usize, (Applicability, PolicySummary))| {
        let limits = verdicts(set, decision, index, &summary.limits);
        let policy = set.rules.policies.get(index);
        let scope = policy.map(|policy| policy.scope).unwrap_or_default();
        let blocked = policy.is_some_and(|policy| blocks(policy, limits.iter().map(|(_, verdict)| verdict)));
        let (name, enforced) = (summary.name, EnforcedShare::ALL);
        PolicyExplanation { name, applicability, limits, blocked, scope, enforced }
    };
    applicability.into_iter().zip(summary.policies).enumerate().map(explained).collect()
}

/// Each limit of a policy that judges the request, with its verdict.
pub fn verdicts(
    set: &Configuration,
    decision: &Decision,
    index: usize,
    limits: &[String],
) -> Vec<(String, Verdict)> {
    let answer = decision.all_policies().find(|answer| answer.policy == index);
    let (Some(answer), Some(policy)) = (answer, set.rules.policies.get(index)) else { return Vec::new() };
    let limits_of_caller = answer.own_limits.as_deref();
    let judging = limits_of_caller.unwrap_or_else(|| policy.limit_sets.get(answer.limit_set)).judging();
    let judging = judging.unwrap_or_else(|| (0..limits.len()).collect());
    let mut verdicts = answer.outcome.verdicts.clone();
    if blocks(policy, verdicts.iter()) {
        reject_all(&mut verdicts);
    }
    let named = |(limit, verdict): (usize, Verdict)| Some((limits.get(limit)?.clone(), verdict));
    judging.into_iter().zip(verdicts).filter_map(named).collect()
}

/// Whether a policy with these verdicts blocks the caller from now on, or does already.
fn blocks<'v>(policy: &Policy, mut verdicts: impl Iterator<Item = &'v Verdict>) -> bool {
    let has_blocks = policy.limits().iter().any(|limit| limit.algorithm.blocks());
    has_blocks && verdicts.any(|verdict| !verdict.admitted)
}

/// In a block, limits that have not rejected the request admit none either, for as long as those that have.
fn reject_all(verdicts: &mut [Verdict]) {
    let wait = verdicts.iter().map(|verdict| verdict.retry_after).max().unwrap_or_default();
    for verdict in verdicts.iter_mut().filter(|verdict| verdict.admitted) {
        (verdict.admitted, verdict.retry_after) = (false, wait);
    }
}

/// What the client gets. `answer` is the upstream's, should the request reach it.
pub fn response(
    set: &Configuration,
    request: &SampleRequest,
    decision: &Decision,
    answer: Option<SampleResponse<'_>>,
) -> ExplainedResponse {
    // All zeros, so that the id is recognised as an example.
    let reply = set.replies.reply(decision, request, || [0; 16]);
    match (reply, answer) {
        (Some(reply), _) => {
            let Reply { status, headers, body, .. } =
                reply.with_limit_headers(set.replies.limit_headers(decision));
            let head = request.header(":method").is_some_and(|method| method == b"HEAD");
            let body = if head { String::new() } else { body.to_string() };
            ExplainedResponse::Rejection { status, headers: owned(headers), body }
        }
        (None, Some(answer)) => {
            let headers = answer.for_client(set, decision);
            ExplainedResponse::Upstream { status: answer.status, headers }
        }
        (None, None) => ExplainedResponse::Unanswered,
    }
}

fn owned(headers: Vec<Header<'_>>) -> Vec<(String, String)> {
    headers.into_iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

#[cfg(test)]
mod tests;
