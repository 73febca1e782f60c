//! What the page's worker calls.

use crate::callers::{Callers, address, caller_of, callers};
use crate::log;
use crate::policy::{Finding, Policy};
use crate::reply::reply;
use crate::timeline::{Places, Shown, Timeline, Watched, Worst};
use crate::traffic::Traffic;
use tollgate::identity::Identity;
use tollgate::time::MILLISECOND;
use wasm_bindgen::prelude::wasm_bindgen;

/// One state of the page: a policy and its traffic.
#[wasm_bindgen]
#[derive(Default)]
pub struct Playground {
    policy: Option<Policy>,
    findings: Vec<Finding>,
    traffic: Option<Traffic>,
    timeline: Option<Timeline>,
}

#[wasm_bindgen]
impl Playground {
    /// An empty page.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Playground {
        Playground::default()
    }

    /// Reads the policy. Whether it is valid.
    #[wasm_bindgen(js_name = setPolicy)]
    pub fn set_policy(&mut self, text: &str) -> bool {
        self.timeline = None;
        match Policy::read(text) {
            Ok(policy) => {
                self.findings = policy.warnings.clone();
                self.policy = Some(policy);
                true
            }
            Err(errors) => {
                self.findings = errors;
                self.policy = None;
                false
            }
        }
    }

    /// The errors or warnings of the policy: line (0: unknown), `error` or `warning`, text, for each.
    pub fn findings(&self) -> Vec<String> {
        let words = |one: &Finding| {
            let kind = if one.is_error { "error" } else { "warning" };
            [one.line.unwrap_or(0).to_string(), kind.into(), one.text.clone()]
        };
        self.findings.iter().flat_map(words).collect()
    }

    /// What the policy does, in words.
    pub fn words(&self) -> String {
        self.policy.as_ref().map(Policy::words).unwrap_or_default()
    }

    /// The limits of the policy: number of the policy, number of the limit, name, for each.
    pub fn limits(&self) -> Vec<String> {
        let limits = self.policy.as_ref().map(Policy::limits).unwrap_or_default();
        limits
            .into_iter()
            .flat_map(|(policy, limit, name)| [policy.to_string(), limit.to_string(), name])
            .collect()
    }

    /// Reads the description of the traffic. What is wrong with it, or nothing.
    #[wasm_bindgen(js_name = setTraffic)]
    pub fn set_traffic(&mut self, text: &str) -> Option<String> {
        self.timeline = None;
        match Traffic::read(text) {
            Ok(traffic) => {
                self.traffic = Some(traffic);
                None
            }
            Err(problem) => {
                self.traffic = None;
                Some(problem.to_string())
            }
        }
    }

    /// Reads an access log as the traffic. First `ok` or `error`, then what was read or what is wrong with it.
    #[wasm_bindgen(js_name = setLog)]
    pub fn set_log(&mut self, bytes: Vec<u8>) -> Vec<String> {
        self.timeline = None;
        match log::read(bytes) {
            Ok((traffic, words)) => {
                self.traffic = Some(traffic);
                vec!["ok".into(), words]
            }
            Err(problem) => {
                self.traffic = None;
                vec!["error".into(), problem]
            }
        }
    }

    /// Sends the whole traffic, and watches a limit. Whether there was something to send.
    pub fn run(&mut self, policy: usize, limit: usize) -> bool {
        let (Some(one), Some(traffic)) = (&self.policy, &self.traffic) else { return false };
        self.timeline = Some(Timeline::of(&one.configuration, traffic, Watched { policy, limit }));
        true
    }

    /// Admitted, rejected, quota, window in ms, length of the traffic in ms.
    pub fn totals(&self) -> Vec<f64> {
        let (Some(timeline), Some(traffic)) = (&self.timeline, &self.traffic) else { return Vec::new() };
        let (admitted, rejected) = timeline.totals();
        let ms = |time: u64| time as f64 / MILLISECOND as f64;
        vec![admitted as f64, rejected as f64, timeline.quota.into(), ms(timeline.window), ms(traffic.length)]
    }

    /// What happened between two instants, in ms since the start, in so many places: admitted, rejected and
    /// trailing of all places one after the other, then the fullest window's units, instant in ms and request.
    /// With the number of a request only its caller is shown.
    pub fn places(&self, from: f64, to: f64, count: usize, request: Option<u32>) -> Vec<f64> {
        let Some((timeline, traffic, caller)) = self.shown(request) else { return Vec::new() };
        numbers(&timeline.places(traffic, Shown { from: micros(from), to: micros(to), count, caller }))
    }

    /// The callers of the watched policy: number of a request, name, admitted, rejected and quota, for each. Then
    /// how many there are, and where the caller of the request with this number is in the list (-1: nowhere).
    pub fn callers(&self, request: Option<u32>) -> Vec<String> {
        let Some((timeline, traffic, chosen)) = self.shown(request) else { return Vec::new() };
        let Callers { listed, number, chosen } = callers(timeline, traffic, chosen);
        let words = listed.into_iter().flat_map(|one| {
            let numbers = [one.admitted, one.rejected, one.quota].map(|number| number.to_string());
            [one.request.to_string(), one.name].into_iter().chain(numbers)
        });
        words.chain([number.to_string(), chosen.map_or("-1".into(), |at| at.to_string())]).collect()
    }

    /// The number of the first arrival at or after an instant in ms since the start, or of the last one. With the
    /// number of a request only those of its caller are.
    #[wasm_bindgen(js_name = arrivalAt)]
    pub fn arrival_at(&self, at: f64, request: Option<u32>) -> usize {
        let Some((timeline, traffic, caller)) = self.shown(request) else { return 0 };
        timeline.arrival(traffic, micros(at), caller)
    }

    /// The number of the first arrival that is rejected, of a caller or of all.
    #[wasm_bindgen(js_name = firstRejection)]
    pub fn first_rejection(&self, request: Option<u32>) -> Option<usize> {
        let (timeline, _, caller) = self.shown(request)?;
        timeline.first_rejection(caller)
    }

    /// The response to the arrival with this number: status, headers, body, and why; then the number of its request
    /// and the address that it comes from, and its instant in ms since the start.
    pub fn reply(&self, number: usize) -> Vec<String> {
        let (Some(policy), Some(traffic)) = (&self.policy, &self.traffic) else { return Vec::new() };
        let Some(arrival) = traffic.arrivals.get(number) else { return Vec::new() };
        let reply = reply(policy, traffic, number);
        let from = address(traffic, arrival.request);
        let at = arrival.at as f64 / MILLISECOND as f64;
        let whose = [arrival.request.to_string(), from, at.to_string()];
        [reply.status.to_string(), reply.headers, reply.body, reply.why].into_iter().chain(whose).collect()
    }

    /// The words of the algorithms that the watched limit could have.
    pub fn algorithms(&self, policy: usize, limit: usize) -> Vec<String> {
        let variants = self.policy.as_ref().map(|one| one.variants(policy, limit)).unwrap_or_default();
        variants.into_iter().map(|(word, _)| word.to_string()).collect()
    }

    /// The same traffic with another algorithm: the numbers of [`Playground::places`] for the whole time, then
    /// admitted and rejected.
    pub fn compare(&self, policy: usize, limit: usize, algorithm: &str, count: usize) -> Vec<f64> {
        let (Some(one), Some(traffic)) = (&self.policy, &self.traffic) else { return Vec::new() };
        let variants = one.variants(policy, limit);
        let Some((_, set)) = variants.iter().find(|(word, _)| *word == algorithm) else { return Vec::new() };
        let timeline = Timeline::of(set, traffic, Watched { policy, limit });
        let mut all = numbers(&timeline.places(traffic, Shown::all(traffic, count)));
        let (admitted, rejected) = timeline.totals();
        all.extend([admitted as f64, rejected as f64]);
        all
    }
}

impl Playground {
    /// What happened, and the caller of the request with this number; `None`: all are shown.
    fn shown(&self, request: Option<u32>) -> Option<(&Timeline, &Traffic, Option<Identity>)> {
        let (timeline, traffic) = (self.timeline.as_ref()?, self.traffic.as_ref()?);
        Some((timeline, traffic, request.and_then(|request| caller_of(timeline, traffic, request))))
    }
}

fn micros(ms: f64) -> u64 {
    // A cast saturates.
    (ms * MILLISECOND as f64) as u64
}

fn numbers((places, worst): &(Places, Worst)) -> Vec<f64> {
    let lists = [&places.admitted, &places.rejected, &places.trailing];
    let mut all: Vec<f64> = lists.into_iter().flatten().map(|number| f64::from(*number)).collect();
    all.extend([f64::from(worst.units), worst.at as f64 / MILLISECOND as f64, worst.number as f64]);
    all
}
