//! What the filter would do with a request, by the filter's own engine over a table of its own in memory.

mod called;
mod words;

pub use called::Called;

use crate::decision::Decision;
use crate::engine::Engine;
use crate::key::Seed;
use crate::limiter::Verdict;
use crate::limiter::concurrency::WorkerId;
use crate::policy::{PolicySet, Standing};
use crate::request::Asked;
use crate::response::{Header, Reply, limit_headers, reply};
use crate::table::{Table, memory::MemoryStore};
use crate::time::{Micros, Now, SECOND};

/// What became of a request that was sent so many times.
#[derive(Debug)]
pub struct Explanation {
    /// How often it was sent, all at one instant.
    pub times: u32,
    /// How many of them passed.
    pub passed: u32,
    /// Which was the first to be refused, from 1.
    pub first_refused: Option<u32>,
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
    pub standing: Standing,
    /// What its limits said, each in the words of the summary; nothing if it does not judge.
    pub limits: Vec<(String, Verdict)>,
}

/// What is answered.
#[derive(Debug)]
pub enum Answer {
    /// It goes on to the upstream, whose response gets these headers.
    Passes(Vec<(String, String)>),
    /// It is refused with this.
    Refused {
        /// The HTTP status.
        status: u32,
        /// All headers of the reply.
        headers: Vec<(String, String)>,
        /// The body.
        body: String,
    },
}

/// Sends a request so many times at once, each before the one before is answered. `wall` is since the UNIX epoch.
pub fn explain(policies: PolicySet, request: &Called, times: u32, wall: Micros) -> Explanation {
    let engine = Engine::new(policies);
    let mut table = Table::new(Seed::new([0; Seed::LEN]), engine.policies().geometry(), WorkerId(1));
    let store = MemoryStore::default();
    // Any instant does that no window begins before.
    let now = Now { mono: 400 * 86_400 * SECOND, wall };
    let mut last = Decision::to_pass(now);
    let (mut passed, mut first_refused) = (0, None);
    for number in 1..=times {
        last = engine.decide(request, &mut table, &store, now);
        if last.refused() {
            first_refused = first_refused.or(Some(number));
        } else {
            passed += 1;
        }
    }
    let policies = parts(engine.policies(), request, &last);
    let answer = answer(engine.policies(), &last, request);
    Explanation { times, passed, first_refused, policies, answer }
}

fn parts(set: &PolicySet, request: &Called, decision: &Decision) -> Vec<Part> {
    let standings = set.standings(&Asked::new(request), decision.now.wall);
    let summary = set.summary();
    let part = |(index, (standing, summary)): (usize, (Standing, crate::policy::PolicySummary))| {
        let verdicts = decision.all_answers().find(|answer| answer.policy == index);
        let verdicts = verdicts.map(|answer| answer.outcome.verdicts.as_slice()).unwrap_or_default();
        let limits = summary.limits.into_iter().zip(verdicts.iter().copied()).collect();
        Part { name: summary.name, standing, limits }
    };
    standings.into_iter().zip(summary.policies).enumerate().map(part).collect()
}

fn answer(set: &PolicySet, decision: &Decision, request: &Called) -> Answer {
    let limits = limit_headers(set, decision);
    let owned = |headers: Vec<Header<'_>>| {
        headers.into_iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    };
    // An id that is recognised as made up.
    match reply(set, decision, request, || [0; 16]) {
        None => Answer::Passes(owned(limits)),
        Some(reply) => {
            let Reply { status, headers, body, .. } = reply.with_limit_headers(limits);
            Answer::Refused { status, headers: owned(headers), body: body.to_string() }
        }
    }
}

#[cfg(test)]
mod tests;
