//! `tollgate test` and Envoy agree: the cases of the five systems, driven on a real Envoy, get the statuses, the
//! headers and the bodies that the tool sees. Times may differ by what a request takes.
//!
//! A case runs in an Envoy of its own, whose wall clock says what the case says. Left out is, by rule and
//! counted, what needs waiting, and what an earlier filter would have to leave.

use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use tollgate::compile::compile;
use tollgate::time::{Micros, SECOND};
use tollgate_cli::cases::run::{Observed, Runner};
use tollgate_cli::cases::{Case, Row, TestFile, observe};
use tollgate_cli::document::{Document, Syntax};

use crate::explained::row::{agree, is_rejection};
use crate::harness::{Gateway, Request, Response, Setup, Upstream, in_repository, unix_time};

/// Longer cases would only wait.
const LONGEST: Micros = 4 * SECOND;

/// How much later than in the tool a request may be in Envoy, in seconds.
const APART: u64 = 3;

/// What is sent at a later instant is sent so much after it: what ends then has ended.
const SLACK: Duration = Duration::from_millis(300);

/// The rules by which a case is left out.
const WAITS: &str = "lasts longer than 4 s";
const CONTEXT: &str = "needs metadata, a route's name or a certificate of an earlier filter";

/// How many cases agree, and how many are left out, by rule.
fn compare(system: &str) -> (usize, BTreeMap<&'static str, usize>) {
    let folder = in_repository("envoy/policies");
    let read = |end: &str| {
        let text = fs::read_to_string(folder.join(format!("{system}{end}"))).expect("a file");
        Document::read(&text, Syntax::Yaml).expect("YAML").value
    };
    let set = compile(&read(".yaml")).expect("a policy");
    let file = TestFile::read(&read(".test.yaml"), &set).expect("a test file");
    let runner = Runner::new(&set);
    let (mut compared, mut left_out) = (0, BTreeMap::new());
    for case in &file.cases {
        match why_not(case) {
            Some(why) => *left_out.entry(why).or_default() += 1,
            None => {
                let name = format!("{system}.yaml");
                agrees(&name, case, &observe(&runner, case));
                compared += 1;
            }
        }
    }
    (compared, left_out)
}

fn why_not(case: &Case) -> Option<&'static str> {
    let too_long = |row: &Row| row.end() + row.answer.after > LONGEST;
    match case {
        _ if case.rows.iter().any(too_long) => Some(WAITS),
        _ if case.rows.iter().any(|row| row.parts.has_context) => Some(CONTEXT),
        _ => None,
    }
}

fn agrees(policy: &str, case: &Case, observed: &[Observed]) {
    let upstream = Upstream::answering(&[]);
    let start = case.start / SECOND;
    let setup = Setup::file(policy).upstream(upstream.address()).at(start);
    let gateway = setup.manager("xff_num_trusted_hops: 1").start();
    until(&gateway, start);
    let begin = Instant::now();
    let responses: Vec<_> = observed.iter().map(|one| sent(&gateway, case, one, begin)).collect();
    for (one, sent) in observed.iter().zip(responses) {
        let row = &case.rows[one.row];
        let place = format!("{policy}: {}: number {} of {}", case.name, one.number + 1, row.line);
        let response = sent.response();
        if one.seen.status.is_none() {
            assert!(!is_rejection(&response), "{place}: Envoy rejects it\n{response:?}");
            continue;
        }
        if let Err(why) = agree(&json(one), &response, APART) {
            panic!("{place}: {why}\n{:?}\n{response:?}", one.seen);
        }
    }
}

/// Waits until the gateway's wall clock says this, and each worker has looked at it.
fn until(gateway: &Gateway, unix_time_of_case: u64) {
    const AHEAD: u64 = 2;
    let now = unix_time();
    gateway.set_wall_clock(unix_time_of_case - AHEAD);
    thread::sleep(Duration::from_secs(now.as_secs() + AHEAD).saturating_sub(unix_time()));
}

enum Sent {
    Answered(Response),
    InFlight(crate::harness::InFlight),
}

impl Sent {
    fn response(self) -> Response {
        match self {
            Sent::Answered(response) => response,
            Sent::InFlight(request) => request.response(),
        }
    }
}

fn sent(gateway: &Gateway, case: &Case, one: &Observed, begin: Instant) -> Sent {
    let row = &case.rows[one.row];
    let due = Duration::from_micros(one.at) + if one.at == 0 { Duration::ZERO } else { SLACK };
    thread::sleep(due.saturating_sub(begin.elapsed()));
    let request = request(gateway, row);
    // What is rejected is answered at once.
    if row.answer.after > 0 && one.seen.admitted {
        let in_flight = request.begin();
        crate::harness::eventually("the request to be in flight", || {
            (gateway.in_flight() > one.number.into()).then_some(())
        });
        return Sent::InFlight(in_flight);
    }
    Sent::Answered(request.send())
}

fn request(gateway: &Gateway, row: &Row) -> Request {
    let request = gateway.request(&row.parts.method, &row.parts.target);
    let request = row.parts.host.iter().fold(request, |request, host| request.host(host));
    let mut forwarded = Vec::new();
    let mut request = request.header("content-length", "0");
    for (name, value) in &row.parts.headers {
        if name == "x-forwarded-for" {
            forwarded.push(value.clone());
        } else {
            request = request.header(name, value);
        }
    }
    // The last entry is that of a trusted proxy.
    forwarded.push(row.parts.client_ip.to_string());
    request = request.header("x-forwarded-for", forwarded.join(", "));
    let headers = row.answer.headers.iter();
    request = headers.fold(request, |request, (name, value)| request.answered_with(name, value));
    if row.answer.after > 0 {
        request = request.answered_after(Duration::from_micros(row.answer.after));
    }
    match row.answer.status {
        Some(status) => request.answered(status),
        None => request.reset_by_upstream(),
    }
}

/// In the form of `tollgate explain`.
fn json(one: &Observed) -> serde_json::Value {
    let seen = &one.seen;
    let headers: serde_json::Map<_, _> =
        seen.headers.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    let mut json = serde_json::json!({ "status": seen.status, "headers": headers });
    if let Some(body) = &seen.body {
        json["body"] = body.as_str().into();
    }
    json
}

#[test]
fn the_cases_of_billium_agree_with_envoy() {
    assert_eq!(compare("billium"), (10, BTreeMap::from([(WAITS, 2)])));
}

#[test]
fn the_cases_of_factuarea_agree_with_envoy() {
    assert_eq!(compare("factuarea"), (11, BTreeMap::from([(WAITS, 6)])));
}

#[test]
fn the_cases_of_facturapi_agree_with_envoy() {
    assert_eq!(compare("facturapi"), (10, BTreeMap::from([(CONTEXT, 1), (WAITS, 2)])));
}

#[test]
fn the_cases_of_parseo_agree_with_envoy() {
    assert_eq!(compare("parseo"), (7, BTreeMap::from([(WAITS, 5)])));
}

#[test]
fn the_cases_of_safepays_agree_with_envoy() {
    assert_eq!(compare("safepays"), (6, BTreeMap::from([(WAITS, 2)])));
}
