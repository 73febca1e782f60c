//! Explanations as JSON.

use super::{ExplainedResponse, Explanation, PolicyExplanation};
use crate::applicability::Applicability;
use tollgate::config::Value;
use tollgate::language::policy;
use tollgate::limiter::Verdict;
use tollgate::rules::Scope;
use tollgate::time::{Micros, seconds_up};

impl PolicyExplanation {
    /// The verdict of each limit, a line each.
    pub fn verdicts(&self) -> impl Iterator<Item = String> {
        self.limits.iter().map(|(limit, verdict)| {
            let word = if verdict.admitted { "admits" } else { "rejects" };
            let wait = match verdict.retry_after {
                0 => String::new(),
                wait => format!(", wait {} s", seconds_up(wait)),
            };
            format!("{limit}: {word}, {} of {} left{wait}", verdict.remaining, verdict.quota)
        })
    }
}

impl Explanation {
    /// The explanation as a tree, for JSON. `each`: with the responses to all requests.
    pub fn to_value(&self, each: bool) -> Value {
        let first = self.first_rejected.map_or(Value::Null, number);
        let mut fields = vec![
            field("times", number(self.times)),
            field("passed", number(self.passed)),
            field("first_rejected", first),
            field("policies", Value::List(self.policies.iter().map(policy).collect())),
        ];
        fields.extend(response(&self.response));
        if each {
            let responses = self.responses.iter().map(|one| Value::Object(response(one)));
            fields.push(field("responses", Value::List(responses.collect())));
        }
        Value::Object(fields)
    }
}

fn response(response: &ExplainedResponse) -> Vec<(String, Value)> {
    let (rejected, status, headers, body) = match response {
        ExplainedResponse::Upstream { status, headers } => {
            (false, Some(u32::from(*status)), headers.as_slice(), None)
        }
        ExplainedResponse::Unanswered => (false, None, &[][..], None),
        ExplainedResponse::Rejection { status, headers, body } => {
            (true, Some(*status), headers.as_slice(), Some(body.as_str()))
        }
    };
    let mut fields = vec![
        field("rejected", Value::Bool(rejected)),
        field("status", status.map_or(Value::Null, |status| Value::Number(f64::from(status)))),
        field("headers", headers_of(headers)),
    ];
    fields.extend(body.map(|body| field("body", body.into())));
    fields
}

fn number(number: u32) -> Value {
    Value::Number(f64::from(number))
}

fn field(name: &str, value: Value) -> (String, Value) {
    (name.into(), value)
}

fn policy(policy: &PolicyExplanation) -> Value {
    let who = |who: &[String]| Value::List(who.iter().map(|who| who.as_str().into()).collect());
    let (word, (name, why)) = match &policy.applicability {
        Applicability::Counts(keys) => ("counts", field("counted", who(keys))),
        Applicability::Shadows(keys) => ("shadows", field("counted", who(keys))),
        Applicability::Returns(keys) => ("returns", field("counted", who(keys))),
        Applicability::Unlimited(keys) => ("unlimited", field("caller", who(keys))),
        Applicability::Excludes(keys) => ("excludes", field("caller", who(keys))),
        Applicability::Not(reason) => ("not", field("reason", reason.as_str().into())),
    };
    let limits = policy.limits.iter().map(|(limit, verdict)| verdict_of(limit, verdict)).collect();
    Value::Object(vec![
        field("name", policy.name.as_str().into()),
        field("applies", word.into()),
        (name, why),
        field("limits", Value::List(limits)),
        field("blocked", Value::Bool(policy.blocked)),
        field("scope", if policy.scope.is_fleet() { "fleet" } else { "proxy" }.into()),
        field("enforced_percent", number(policy.enforced.0.into())),
        field("on_outage", on_outage(policy.scope)),
    ])
}

/// What decides in an outage of the fleet; null for a policy that counts in this proxy.
fn on_outage(scope: Scope) -> Value {
    let word = scope.on_outage().and_then(|on_outage| policy::ON_OUTAGE.kind.of(&on_outage));
    word.map_or(Value::Null, |word| word.word.into())
}

fn verdict_of(limit: &str, verdict: &Verdict) -> Value {
    let seconds = |time: Micros| Value::Number(seconds_up(time) as f64);
    Value::Object(vec![
        field("limit", limit.into()),
        field("admitted", Value::Bool(verdict.admitted)),
        field("quota", Value::Number(f64::from(verdict.quota))),
        field("remaining", Value::Number(verdict.remaining as f64)),
        field("wait_seconds", seconds(verdict.retry_after)),
    ])
}

fn headers_of(headers: &[(String, String)]) -> Value {
    Value::Object(headers.iter().map(|(name, value)| field(name, value.as_str().into())).collect())
}
