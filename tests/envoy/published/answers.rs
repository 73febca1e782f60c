//! A test as a table: requests, how often each is sent, and what the answer is.

use std::cell::Cell;
use std::ops::Deref;
use std::thread;
use std::time::{Duration, Instant};

use super::pattern::{Span, assert_fits};
use super::{START, published};
use crate::harness::{Gateway, Request, Response, Setup};

/// In seconds.
const DAY: u64 = 86_400;

/// Of a minute, since the steps begin five seconds into one.
const LONG: Duration = Duration::from_secs(50);

/// So often a test is tried on a machine that is too slow for it.
const ATTEMPTS: usize = 40;

/// Workers look at the wall clock once a second.
const LOOK: Duration = Duration::from_millis(1_200);

/// So many requests go over a connection before their responses are read.
const AT_ONCE: usize = 40;

/// Headers that say nothing about limits. `cache-control: no-store` is on every rejection.
const OTHERS: &[&str] = &[
    "cache-control",
    "connection",
    "content-length",
    "date",
    "server",
    "transfer-encoding",
    "vary",
    "x-envoy-upstream-service-time",
];

/// A request that is sent some times in a row. All answers have one status, and the last one is told in full.
pub struct Step {
    times: usize,
    /// How many pass before the first that does not.
    pass: Option<usize>,
    request: Request,
    status: u16,
    headers: &'static str,
    body: Option<&'static str>,
}

/// The request passes, and the last response has these headers of Tollgate's, a line each.
pub fn admits(times: usize, request: &Request, headers: &'static str) -> Step {
    Step { times, pass: None, request: request.clone(), status: 200, headers, body: None }
}

/// The request is rejected with these headers, a line each, and this body.
pub fn rejects(request: &Request, status: u16, headers: &'static str, body: &'static str) -> Step {
    Step { times: 1, pass: None, request: request.clone(), status, headers, body: Some(body) }
}

/// At least so many of the request pass, of a limit that gives units back meanwhile; the first that does not is
/// rejected as told.
pub fn overruns(
    times: usize,
    request: &Request,
    status: u16,
    headers: &'static str,
    body: &'static str,
) -> Step {
    Step { pass: Some(times), ..rejects(request, status, headers, body) }
}

/// The step, sent so many times.
pub fn exactly(times: usize, step: Step) -> Step {
    Step { times, ..step }
}

/// A gateway with a published file.
pub struct Api {
    gateway: Gateway,
    attempts: Cell<u64>,
}

impl Deref for Api {
    type Target = Gateway;

    fn deref(&self) -> &Gateway {
        &self.gateway
    }
}

impl Api {
    /// A published file, as it is.
    pub fn of(name: &str) -> Self {
        Self::with(published(name))
    }

    /// A published file in a gateway of the test's choice.
    pub fn with(setup: Setup) -> Self {
        Self { gateway: setup.start(), attempts: Cell::new(0) }
    }

    /// Takes the steps one by one. They begin five seconds into a minute, at 12 o'clock UTC, so that nothing
    /// ends by the clock.
    pub fn answers(&self, steps: impl Fn() -> Vec<Step>) {
        self.answers_within(LONG, steps);
    }

    /// As `answers`, of steps that must be done within this time. If they were not, `steps` makes them anew, of
    /// callers who are new.
    pub fn answers_within(&self, within: Duration, steps: impl Fn() -> Vec<Step>) {
        for _ in 0..ATTEMPTS {
            let steps = steps();
            let now = self.noon();
            let begin = Instant::now();
            let responses: Vec<_> = steps.iter().map(Step::send).collect();
            let elapsed = begin.elapsed();
            if elapsed < within {
                let span = Span { now, took: elapsed.as_secs() + 1 };
                for (number, (step, responses)) in steps.iter().zip(responses).enumerate() {
                    step.assert_answers(number, &responses, span);
                }
                return;
            }
        }
        panic!("this machine is too slow for {within:?}");
    }

    /// Sets Envoy's clock to 12 o'clock of another day, and waits until the workers have looked at it.
    fn noon(&self) -> u64 {
        let day = self.attempts.replace(self.attempts.get() + 1);
        let noon = START + day * DAY + DAY / 2 + 5;
        self.gateway.set_wall_clock(noon - 1);
        thread::sleep(LOOK);
        noon
    }
}

impl Step {
    fn send(&self) -> Vec<Response> {
        let mut connection = self.request.connect();
        if let Some(pass) = self.pass {
            let passed = (0..).map(|_| connection.exchange(&self.request));
            let mut passed = passed.enumerate().skip_while(|(_, response)| response.status == 200);
            let (number, rejected) = passed.next().expect("without end");
            assert!((pass..3 * pass).contains(&number), "{number} passed, not {pass}");
            return vec![rejected];
        }
        if self.status != 200 || self.request.method() != "GET" {
            // Envoy may hang up after a rejection, or after an answer that comes before the end of a request.
            return (0..self.times).map(|_| connection.exchange(&self.request)).collect();
        }
        let mut responses: Vec<Response> = Vec::new();
        while responses.len() < self.times {
            let requests = AT_ONCE.min(self.times - responses.len());
            connection.write(&self.request.bytes().repeat(requests)).expect("requests sent");
            for _ in 0..requests {
                match connection.read(self.request.method()) {
                    Ok(response) => responses.push(response),
                    Err(error) => panic!("{error} after {}: {:?}", responses.len(), responses.last()),
                }
            }
        }
        responses
    }

    fn assert_answers(&self, number: usize, responses: &[Response], span: Span) {
        for (sent, response) in responses.iter().enumerate() {
            assert_eq!(response.status, self.status, "step {number}, request {sent}: {response:?}");
        }
        let last = responses.last().expect("a response");
        self.assert_headers(number, last, span);
        if let Some(body) = self.body {
            assert_fits(body, last.text(), span);
        }
    }

    fn assert_headers(&self, number: usize, response: &Response, span: Span) {
        let of_upstream: &[&str] = if self.body.is_none() { &["content-type"] } else { &[] };
        let told = response
            .headers
            .iter()
            .filter(|(name, _)| !OTHERS.contains(&name.as_str()) && !of_upstream.contains(&name.as_str()));
        let mut told: Vec<_> = told.map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let lines = self.headers.lines().map(str::trim).filter(|line| !line.is_empty());
        let mut expected: Vec<_> = lines.map(|line| line.split_once(": ").expect("a header")).collect();
        told.sort_unstable();
        expected.sort_unstable();
        let names =
            |headers: &[(&str, &str)]| headers.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(names(&told), names(&expected), "step {number}: {response:?}");
        for ((_, value), (_, expected)) in told.iter().zip(&expected) {
            assert_fits(expected, value, span);
        }
    }
}
