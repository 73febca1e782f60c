//! What is reported is the instant at which it happens, rounded up: for all algorithms, costs, debts,
//! penalties, presets, formats and resets, on the upstream's responses and on rejections, compared with the
//! [`Oracle`].

use super::history::{History, Random, RandomLimit};
use super::oracle::Oracle;
use super::*;
use crate::reply::ReplyRules;
use crate::time::{MILLISECOND, Micros};

const HISTORIES: u64 = if cfg!(target_arch = "wasm32") { 20 } else { 200 };

/// When things really happen, on the monotonic clock.
struct Truth {
    /// The next unit is available.
    next: Micros,
    /// All units are available.
    full: Micros,
    /// The same request is admitted, if it was rejected.
    admission: Option<Micros>,
}

impl Truth {
    fn of(history: &History, limit: usize, decision: &Decision, request: &FakeRequest) -> Truth {
        let now = history.fixture.now.mono;
        let probe = caller().with(":path", "/1");
        let oracle = Oracle { fixture: &history.fixture, probe: &probe };
        let quota = u64::from(decision.verdict(0, limit).unwrap().quota);
        let whole = oracle.free(limit, now) == quota;
        let (next, full) =
            if whole { (now, now) } else { (oracle.next_unit(limit), oracle.all_units(limit, quota)) };
        let of_limit = |at| window_at_most(&history.limits[limit], now, at);
        let of_any = |at| history.limits.iter().fold(at, |at, limit| window_at_most(limit, now, at));
        let admission = decision.rejected().then(|| match costs_too_much(decision) {
            true => now + decision.retry_after(),
            false => of_any(oracle.admission(request)),
        });
        Truth { next: of_limit(next), full: of_limit(full), admission }
    }
}

/// A log is whole again up to 1 ms after its window. What is reported is the window.
fn window_at_most(limit: &RandomLimit, now: Micros, at: Micros) -> Micros {
    let latest = now + limit.window;
    if limit.log && at > latest && at - latest < MILLISECOND { latest } else { at }
}

/// Whether the request is never admitted, so there is nothing to wait for.
fn costs_too_much(decision: &Decision) -> bool {
    let one = &decision.policies()[0];
    one.outcome.verdicts.iter().any(|verdict| verdict.quota < one.cost)
}

/// The last number of a response's limit headers: the reset.
fn reset(rules: &ReplyRules, decision: &Decision) -> u64 {
    let headers = rules.limit_headers(decision);
    let is_reset = |name: &str| name.ends_with("reset") || name == "ratelimit";
    let (_, value) = headers.iter().find(|(name, _)| is_reset(name)).unwrap();
    value.rsplit_once("t=").map_or(&**value, |(_, number)| number).parse().unwrap()
}

/// One limit, as it is reported and as it is.
struct Report<'a> {
    history: &'a History,
    limit: usize,
    decision: &'a Decision,
    truth: Truth,
}

impl Report<'_> {
    fn delta(&self, at: Micros) -> u64 {
        (at - self.history.fixture.now.mono).div_ceil(SECOND)
    }

    /// An edge of the clock is known to a millisecond.
    fn second(&self, at: Micros, aligned: bool) -> u64 {
        let precision = if aligned { MILLISECOND } else { 0 };
        (self.history.fixture.now.wall_at(at) - precision).div_ceil(SECOND)
    }

    fn retry_after(&self) -> Option<u64> {
        // The policies of the histories name no longer wait than this.
        self.truth.admission.map(|at| self.delta(at).clamp(1, 31_622_400))
    }

    /// The second of a reset that is never before the wait is over (PA-4).
    fn second_after_wait(&self, meaning: &str, own: u64) -> u64 {
        let Some(admission) = self.truth.admission else { return own };
        let mut verdicts = self.decision.policies()[0].outcome.verdicts.iter();
        let longest = verdicts.position(|verdict| verdict.retry_after == self.decision.retry_after());
        let after = own.max(self.second(admission, self.history.limits[longest.unwrap()].aligned));
        if meaning == "full_reset" && !self.history.limits[self.limit].aligned {
            let over = self.history.fixture.now.wall + self.retry_after().unwrap() * SECOND;
            return after.max(over.div_ceil(SECOND));
        }
        after
    }

    /// The header rules, and the number that they should give.
    fn expected(&self, meaning: &str) -> [(&'static str, u64); 7] {
        let at = if meaning == "next_slot" { self.truth.next } else { self.truth.full };
        let waited = at.max(self.truth.admission.unwrap_or(at));
        let second = self.second(at, self.history.limits[self.limit].aligned);
        [
            (r#""preset": "ietf""#, self.delta(at)),
            (r#""preset": "envoy", "reset_on_429": "own""#, self.delta(at)),
            (r#""preset": "github", "format": "delta", "reset_on_429": "own""#, self.delta(at)),
            (r#""preset": "x-ratelimit", "reset_on_429": "own""#, second),
            (r#""preset": "envoy""#, self.delta(waited)),
            (r#""preset": "x-ratelimit", "format": "delta", "names": {"limit": "x-l"}"#, self.delta(waited)),
            (r#""preset": "github""#, self.second_after_wait(meaning, second)),
        ]
    }

    /// Every number that is not what it should be.
    fn lies(&self) -> Vec<String> {
        let verdict = self.decision.verdict(0, self.limit).unwrap();
        let whole = verdict.remaining == u64::from(verdict.quota);
        // A window of the clock ends although nothing was spent.
        if whole && self.history.limits[self.limit].aligned || costs_too_much(self.decision) {
            return Vec::new();
        }
        let mut lies = Vec::new();
        for meaning in RESETS {
            let reference = self.history.reference(self.limit);
            let fields = format!(r#""describes": ["{reference}"], "reset": "{meaning}""#);
            for (preset, expected) in self.expected(meaning) {
                let told = reset(&self.history.replies(&format!("{preset}, {fields}")), self.decision);
                if told != expected {
                    lies.push(format!("{told}, not {expected}: {preset}, {fields}"));
                }
            }
        }
        let furthest = self.delta(self.truth.full.max(self.truth.next)) * SECOND;
        if !self.history.may_owe && furthest > self.history.limits[self.limit].window {
            lies.push(format!(
                "{reference} is above its window",
                reference = self.history.reference(self.limit)
            ));
        }
        lies
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn what_is_reported_is_the_instant_at_which_it_happens_rounded_up() {
    for seed in 0..HISTORIES {
        let mut random = Random(seed << 32);
        let mut history = History::new(&mut random);
        for step in 0..10 {
            let (decision, request) = history.go_on(&mut random);
            for limit in 0..history.limits.len() {
                let truth = Truth::of(&history, limit, &decision, &request);
                let report = Report { history: &history, limit, decision: &decision, truth };
                let mut lies = report.lies();
                if let Some(retry) = report.retry_after() {
                    let told = history.fixture.reply(&decision, &request).headers.pop().unwrap();
                    if told != ("retry-after", retry.to_string().into()) {
                        lies.push(format!("{told:?}, not {retry}"));
                    }
                }
                let policies = &history.policies;
                assert!(lies.is_empty(), "seed {seed}, step {step}: {lies:#?} {policies} {decision:?}");
            }
        }
    }
}
