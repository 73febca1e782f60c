//! What one request of the traffic gets, byte for byte.

use crate::policy::Policy;
use crate::simulation::Simulation;
use crate::traffic::Traffic;
use std::fmt::Write as _;
use tollgate_cli::describe::summary;
use tollgate_cli::explain::{ExplainedResponse, response, verdicts};

/// What the client of one request gets, and why.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    /// The HTTP status; 0 if nobody answers.
    pub status: u32,
    /// The headers, one in a line as in HTTP/1.1.
    pub headers: String,
    /// The body of a rejection. The upstream's own body is not known.
    pub body: String,
    /// What each policy decided, in words.
    pub why: String,
}

/// The reply to the request with this number, after all requests before it.
pub fn reply(policy: &Policy, traffic: &Traffic, number: usize) -> Reply {
    let set = &policy.configuration;
    let mut simulation = Simulation::new(set, traffic);
    let mut last = None;
    for arrival in traffic.arrivals.iter().copied().take(number.saturating_add(1)) {
        last = simulation.send(arrival).map(|decision| (arrival, decision));
    }
    let Some((arrival, mut decision)) = last else { return Reply::default() };
    let why = why(policy, &decision);
    let Some(request) = usize::try_from(arrival.request).ok().and_then(|one| traffic.requests.get(one))
    else {
        return Reply::default();
    };
    if !decision.rejected() {
        simulation.end(arrival.at.saturating_add(arrival.took.into()), arrival, &mut decision);
    }
    let answer = simulation.answer(arrival);
    let headers_text = |headers: &[(String, String)]| {
        headers.iter().fold(String::new(), |text, (name, value)| text + name + ": " + value + "\n")
    };
    match response(set, request, &decision, answer) {
        ExplainedResponse::Upstream { status, headers } => {
            Reply { status: status.into(), headers: headers_text(&headers), body: String::new(), why }
        }
        ExplainedResponse::Rejection { status, headers, body } => {
            Reply { status, headers: headers_text(&headers), body, why }
        }
        ExplainedResponse::Unanswered => Reply { why, ..Reply::default() },
    }
}

fn why(policy: &Policy, decision: &tollgate::decision::Decision) -> String {
    let set = &policy.configuration;
    let mut text = String::new();
    for (index, summary) in summary(set).policies.iter().enumerate() {
        let verdicts = verdicts(set, decision, index, &summary.limits);
        if verdicts.is_empty() {
            continue;
        }
        // Writing to a text does not fail.
        let _ = writeln!(text, "{}", summary.name);
        for (limit, verdict) in verdicts {
            let outcome = if verdict.admitted { "admits" } else { "rejects" };
            let _ = write!(text, "  {limit}: {outcome}, {} of {} left", verdict.remaining, verdict.quota);
            if verdict.retry_after > 0 {
                let _ = write!(text, ", wait {} s", verdict.retry_after.div_ceil(tollgate::time::SECOND));
            }
            text.push('\n');
        }
    }
    if text.is_empty() { "No policy applies to the request.\n".into() } else { text }
}
