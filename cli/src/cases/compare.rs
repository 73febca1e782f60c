//! What a request got, and where that differs from what is expected.

use super::language::{Moment, expect};
use super::run::left;
use super::{Expected, ExpectedBody, ExpectedHeader, Row};
use crate::explain::ExplainedResponse;
use jiff::Timestamp;
use tollgate::compile::Configuration;
use tollgate::config::field_path;
use tollgate::decision::Decision;
use tollgate::time::{Micros, seconds_up};

/// What a request got.
#[derive(Debug)]
pub struct Seen {
    /// Whether the upstream gets it.
    pub admitted: bool,
    /// The policy that rejects it, as an index and its name.
    pub rejected_by: Option<(usize, String)>,
    /// `None`: there is no response.
    pub status: Option<u32>,
    /// All headers that are known.
    pub headers: Vec<(String, String)>,
    /// The body of a rejection.
    pub body: Option<String>,
    /// For each policy what is left of each of its limits, by name; of those that judge the request.
    pub left: Vec<Vec<(String, u64)>>,
    /// The policies in shadow that would have rejected it.
    pub shadow_rejected_by: Vec<String>,
}

impl Seen {
    pub(super) fn of(set: &Configuration, decision: &Decision, response: ExplainedResponse) -> Seen {
        let name = |index: usize| set.rules.policies.get(index).map(|policy| policy.name.clone());
        let rejected_by = decision.rejecting().and_then(|one| Some((one.policy, name(one.policy)?)));
        let shadows = decision.shadows().iter().filter(|one| one.rejected());
        let (status, headers, body) = match response {
            ExplainedResponse::Upstream { status, headers } => (Some(u32::from(status)), headers, None),
            ExplainedResponse::Unanswered => (None, Vec::new(), None),
            ExplainedResponse::Rejection { status, headers, body } => (Some(status), headers, Some(body)),
        };
        Seen {
            admitted: !decision.rejected(),
            rejected_by,
            status,
            headers,
            body,
            left: left(set, decision),
            shadow_rejected_by: shadows.filter_map(|one| name(one.policy)).collect(),
        }
    }
}

/// A difference between what is expected and what is.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Where it is expected, in the test file.
    pub path: String,
    /// The request, such as `GET /v1/invoices`.
    pub request: String,
    /// The number of the request, from 1, of those of its entry; 0: the difference is about all of them.
    pub number: u32,
    /// How many times the entry is sent.
    pub times: u32,
    /// When it is sent, since the UNIX epoch.
    pub at: Micros,
    /// How many further requests of the entry differ.
    pub more: u32,
    /// What differs, such as `status`.
    pub what: String,
    /// What is expected.
    pub expected: String,
    /// What is instead.
    pub actual: String,
}

impl Difference {
    /// All differences of one request.
    pub(super) fn all(
        expected: &Expected,
        seen: &Seen,
        row: &Row,
        number: u32,
        start: Micros,
        at: Micros,
    ) -> Vec<Difference> {
        if expected.is_empty() {
            return Vec::new();
        }
        let found = differences(expected, seen, start);
        let difference = |(field, what, expected_text, actual): Found| Difference {
            path: format!("{}.{field}", expected.path),
            request: row.line.clone(),
            number: number.saturating_add(1),
            times: row.times,
            at,
            more: 0,
            what,
            expected: expected_text,
            actual,
        };
        found.into_iter().map(difference).collect()
    }

    /// Another number of requests is admitted.
    pub(super) fn admitted(row: &Row, expected: u32, actual: u32, start: Micros) -> Difference {
        Difference {
            path: field_path(&row.path, super::language::row::ADMITTED.name),
            request: row.line.clone(),
            number: 0,
            times: row.times,
            at: start.saturating_add(row.begin),
            more: 0,
            what: "admitted".into(),
            expected: expected.to_string(),
            actual: actual.to_string(),
        }
    }
}

/// The path below the expectation, what differs, what is expected and what is.
type Found = (String, String, String, String);

fn differences(expected: &Expected, seen: &Seen, start: Micros) -> Vec<Found> {
    let mut all: Vec<Found> = Vec::new();
    let mut note = |field: &str, expected: String, actual: String| {
        all.push((field.into(), field.replace('_', " "), expected, actual));
    };
    let word = |admitted: bool| if admitted { "admitted" } else { "rejected" };
    let decided = match &seen.rejected_by {
        Some((_, policy)) => format!("rejected by {policy}"),
        None => word(seen.admitted).into(),
    };
    if let Some(admitted) = expected.admitted.filter(|admitted| *admitted != seen.admitted) {
        note(expect::DECISION.name, word(admitted).into(), decided.clone());
    }
    if let Some((policy, name)) = &expected.rejected_by
        && seen.rejected_by.as_ref().map(|(policy, _)| policy) != Some(policy)
    {
        note(expect::REJECTED_BY.name, name.clone(), decided);
    }
    if let Some(status) = expected.status.filter(|status| seen.status != Some((*status).into())) {
        let actual = seen.status.map_or("no answer".into(), |status| status.to_string());
        note(expect::STATUS.name, status.to_string(), actual);
    }
    if let Some(names) =
        expected.shadow_rejected_by.as_ref().filter(|names| **names != seen.shadow_rejected_by)
    {
        let list = |names: &[String]| if names.is_empty() { "none".into() } else { names.join(", ") };
        note(expect::SHADOW_REJECTED_BY.name, list(names), list(&seen.shadow_rejected_by));
    }
    if let Some(body) = expected.body.as_ref().filter(|body| !fits_body(body, seen.body.as_deref())) {
        let text = match body {
            ExpectedBody::Text(text) => text.clone(),
            ExpectedBody::Json(json) => json.to_string(),
            ExpectedBody::Matches(pattern) => format!("a body that fits {pattern}"),
        };
        let actual = seen.body.clone().unwrap_or_else(|| "the upstream's body".into());
        note(expect::BODY.name, text, actual);
    }
    for (name, header) in &expected.headers {
        let actual = values(seen, name);
        if let Err(wanted) = fits(header, actual.as_deref(), start) {
            let actual = actual.unwrap_or_else(|| "absent".into());
            all.push((field_path(expect::HEADERS.name, name), format!("header {name}"), wanted, actual));
        }
    }
    for wanted in &expected.left {
        let of_policy = seen.left.get(wanted.policy).map(Vec::as_slice).unwrap_or_default();
        // The verdicts are by name, and only of limits that judge the request.
        let limit = wanted.name.rsplit_once('/').map(|(_, limit)| limit);
        let verdict = of_policy.iter().find(|(name, _)| limit.is_none_or(|limit| limit == name));
        match verdict {
            Some((_, units)) if *units == wanted.units => {}
            found => {
                let actual =
                    found.map_or("it does not judge the request".into(), |(_, units)| units.to_string());
                let place = field_path(expect::LEFT.name, &wanted.name);
                all.push((place, format!("left of {}", wanted.name), wanted.units.to_string(), actual));
            }
        }
    }
    all
}

/// The values of a header as one; `None`: there is none.
fn values(seen: &Seen, name: &str) -> Option<String> {
    let values = seen.headers.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
    let values: Vec<&str> = values.map(|(_, value)| value.as_str()).collect();
    (!values.is_empty()).then(|| values.join(", "))
}

/// If not: what is expected, in words.
fn fits(expected: &ExpectedHeader, actual: Option<&str>, start: Micros) -> Result<(), String> {
    let (fits, wanted) = match expected {
        ExpectedHeader::Present => (actual.is_some(), "any value".into()),
        ExpectedHeader::Absent => (actual.is_none(), "absent".into()),
        ExpectedHeader::Value(value) => (actual == Some(value), value.clone()),
        ExpectedHeader::Matches(pattern) => {
            let fits = actual.is_some_and(|actual| pattern.fits(actual.as_bytes()));
            (fits, format!("a value that fits {pattern}"))
        }
        ExpectedHeader::SecondsAt(moment) => {
            let instant = match moment {
                Moment::After(time) => start.saturating_add(*time),
                Moment::At(instant) => *instant,
            };
            let seconds = seconds_up(instant).to_string();
            (actual == Some(&seconds), format!("{seconds}, which is {}", instant_text(instant)))
        }
    };
    if fits { Ok(()) } else { Err(wanted) }
}

fn fits_body(expected: &ExpectedBody, actual: Option<&str>) -> bool {
    let Some(actual) = actual else { return false };
    match expected {
        ExpectedBody::Text(text) => text == actual,
        ExpectedBody::Json(json) => {
            serde_json::from_str::<serde_json::Value>(actual).is_ok_and(|own| own == *json)
        }
        ExpectedBody::Matches(pattern) => pattern.fits(actual.as_bytes()),
    }
}

/// An instant in UTC.
pub fn instant_text(at: Micros) -> String {
    let timestamp = i64::try_from(at).ok().and_then(|at| Timestamp::from_microsecond(at).ok());
    timestamp.unwrap_or_default().to_string()
}
