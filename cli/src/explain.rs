//! What the filter would do with a request, by the filter's own engine over a table of its own in memory.

mod called;
mod words;

pub use called::SampleRequest;

use crate::applicability::{Applicability, applicability_of};
use crate::describe::{PolicySummary, summary};
use tollgate::compile::Configuration;
use tollgate::decision::Decision;
use tollgate::engine::Engine;
use tollgate::http::RequestCache;
use tollgate::identity::Seed;
use tollgate::limiter::Verdict;
use tollgate::limiter::concurrency::Holder;
use tollgate::reply::{Header, Reply};
use tollgate::table::{Table, memory::Memory};
use tollgate::time::{Micros, Now, SECOND};

/// What became of a request that was sent so many times.
#[derive(Debug)]
pub struct Explanation {
    /// How often it was sent, all at one instant.
    pub times: u32,
    /// How many of them passed.
    pub passed: u32,
    /// Which was the first to be rejected, from 1.
    pub first_rejected: Option<u32>,
    /// What each policy said to the last one.
    pub policies: Vec<Part>,
    /// What the last one is answered.
    pub answer: Answer,
}

/// What one policy said to a request.
#[derive(Debug)]
pub struct Part {
    /// As in the configuration.
    pub name: String,
    /// Why it applies, or not.
    pub standing: Applicability,
    /// What its limits said, each in the words of the summary; nothing if it does not judge.
    pub limits: Vec<(String, Verdict)>,
}

/// What is answered.
#[derive(Debug)]
pub enum Answer {
    /// It goes on to the upstream, whose response gets these headers.
    Passes(Vec<(String, String)>),
    /// It is rejected with this.
    Rejected {
        /// The HTTP status.
        status: u32,
        /// All headers of the reply.
        headers: Vec<(String, String)>,
        /// The body.
        body: String,
    },
}

/// Sends a request so many times at once, each before the one before is answered. `wall` is since the UNIX epoch.
pub fn explain(
    configuration: &Configuration,
    request: &SampleRequest,
    times: u32,
    wall: Micros,
) -> Explanation {
    let engine = Engine::new(configuration.rules.clone());
    let mut table = Table::new(Seed::new([0; Seed::LEN]), engine.rules().geometry, Holder(1));
    let store = Memory::default();
    // Any instant does that no window begins before.
    let now = Now { mono: 400 * 86_400 * SECOND, wall };
    let mut last = Decision::admit(now);
    let (mut passed, mut first_rejected) = (0, None);
    for number in 1..=times {
        last = engine.decide(request, &mut table, &store, now);
        if last.rejected() {
            first_rejected = first_rejected.or(Some(number));
        } else {
            passed += 1;
        }
    }
    let policies = parts(configuration, request, &last);
    let answer = answer(configuration, &last, request);
    Explanation { times, passed, first_rejected, policies, answer }
}

fn parts(set: &Configuration, request: &SampleRequest, decision: &Decision) -> Vec<Part> {
    let applicability_of = applicability_of(set, &RequestCache::new(request), decision.now.wall);
    let summary = summary(set);
    let part = |(index, (standing, summary)): (usize, (Applicability, PolicySummary))| {
        let verdicts = decision.all_policies().find(|answer| answer.policy == index);
        let verdicts = verdicts.map(|answer| answer.outcome.verdicts.as_slice()).unwrap_or_default();
        let limits = summary.limits.into_iter().zip(verdicts.iter().copied()).collect();
        Part { name: summary.name, standing, limits }
    };
    applicability_of.into_iter().zip(summary.policies).enumerate().map(part).collect()
}

fn answer(set: &Configuration, decision: &Decision, request: &SampleRequest) -> Answer {
    let limits = set.replies.limit_headers(decision);
    let owned = |headers: Vec<Header<'_>>| {
        headers.into_iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    };
    // An id that is recognised as made up.
    match set.replies.reply(decision, request, || [0; 16]) {
        None => Answer::Passes(owned(limits)),
        Some(reply) => {
            let Reply { status, headers, body, .. } = reply.with_limit_headers(limits);
            Answer::Rejected { status, headers: owned(headers), body: body.to_string() }
        }
    }
}

#[cfg(test)]
mod tests;
