//! Waits and resets: each is the true instant, rounded up once, and none is further away than the window.

use super::*;

mod history;
mod oracle;
mod samples;
mod truth;

/// All algorithms, five units in a minute, and what they tell the window to be: two for the counter, since a
/// unit counts until the end of the window after its own.
const ALGORITHMS: [(&str, u64); 7] = [
    (r#""window": "60s""#, 60),
    (r#""window": "60s", "algorithm": "sliding_counter""#, 120),
    (r#""window": "60s", "algorithm": "fixed_window""#, 60),
    (r#""window": "day", "time_zone": "Europe/Madrid""#, 86_400),
    (r#""window": "60s", "algorithm": "token_bucket""#, 60),
    (r#""algorithm": "concurrency", "retry_after": "60s""#, 60),
    (r#""algorithm": "stock", "retry_after": "60s""#, 60),
];
const RESETS: [&str; 3] = ["next_slot", "full_reset", "window_end"];

fn caller() -> FakeRequest {
    FakeRequest::from("192.0.2.1")
}

fn fixture(limit: &str, headers: &str) -> Fixture {
    Fixture::new(&format!(
        r#"{{"keys": {{"ip": {{"client_ip": {{}}}}}},
            "policies": [{{"name": "p", "key": "ip", "limits": [{{"quota": 5, {limit}}}]}}],
            "reject": {{"body": "{{retry_after}}"}}, "headers": {{{headers}}}}}"#
    ))
}

impl Fixture {
    fn go_on(&mut self, micros: u64) {
        self.now.mono += micros;
        self.now.wall += micros;
    }

    /// What the next request is told: the last number in the limit headers, and if it is rejected the wait.
    fn told(&mut self) -> (Option<u64>, Option<u64>) {
        let decision = self.decide(&caller());
        let wait = decision.rejected().then(|| {
            let reply = self.reply(&decision, &caller());
            let header = reply.headers.last().unwrap().1.parse().unwrap();
            if let Ok(body) = reply.body.parse::<u64>() {
                assert_eq!(body, header);
            }
            header
        });
        let headers = self.replies.limit_headers(&decision);
        let (name, value) = headers.last().unwrap();
        let number = match *name {
            "ratelimit" => value.split_once("t=").map(|(_, number)| number),
            _ => Some(&**value),
        };
        (number.map(|number| number.parse().unwrap()), wait)
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn x_9_no_wait_and_no_reset_is_told_to_be_longer_than_the_window() {
    for (limit, window) in ALGORITHMS {
        for reset in RESETS {
            // At a whole second, and at any other time.
            for micros in [0, 1, 499_999, 999_999] {
                let mut ietf = fixture(limit, &format!(r#""preset": "ietf", "reset": "{reset}""#));
                let mut epoch = fixture(limit, &format!(r#""preset": "x-ratelimit", "reset": "{reset}""#));
                ietf.go_on(micros);
                epoch.go_on(micros);
                // All in the same instant, and then some within the same millisecond.
                for request in 0..9 {
                    let within = |told: Option<u64>| told.is_none_or(|told| (1..=window).contains(&told));
                    let (told, wait) = ietf.told();
                    assert!(within(told) && within(wait), "{limit} {reset}: {told:?}, {wait:?}");
                    assert_eq!(wait.is_some(), request >= 5, "{limit}");
                    let (told, wait) = epoch.told();
                    let latest = epoch.now.wall + window * SECOND;
                    assert!(told.unwrap() * SECOND < latest + SECOND, "{limit} {reset}: {told:?}");
                    assert!(within(wait), "{limit} {reset}: {wait:?}");
                    if request >= 6 {
                        ietf.go_on(100);
                        epoch.go_on(100);
                    }
                }
            }
        }
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_reset_is_one_number_before_and_after_the_quota_is_used_up() {
    for (limit, _) in &ALGORITHMS[..5] {
        for micros in [1_000, 300_000, 999_000] {
            let mut fixture = fixture(limit, r#""preset": "x-ratelimit""#);
            fixture.go_on(micros);
            // The next unit of a bucket or of two counters is another after each request.
            (0..4).for_each(|_| drop(fixture.decide(&caller())));
            let (reset, none) = fixture.told();
            assert_eq!(none, None, "{limit}");
            let steps = if limit.contains("bucket") || limit.contains("counter") { 1 } else { 40 };
            for _ in 0..steps {
                fixture.go_on(97_000);
                let (again, wait) = fixture.told();
                assert_eq!(again, reset, "{limit}: {wait:?} at {:?}", fixture.now);
                let over = fixture.now.wall + wait.unwrap() * SECOND;
                assert!(over.abs_diff(reset.unwrap() * SECOND) < SECOND, "FA-11: {limit}");
            }
        }
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn an_edge_of_the_clock_is_told_as_one_second_although_workers_know_it_to_some_microseconds() {
    for limit in [ALGORITHMS[2].0, ALGORITHMS[3].0] {
        for reset in RESETS {
            let mut fixture = fixture(limit, &format!(r#""preset": "x-ratelimit", "reset": "{reset}""#));
            fixture.go_on(12_345_678);
            let (edge, _) = fixture.told();
            for request in 0..20 {
                // After a tick the wall clock may be read some microseconds later or earlier than the
                // monotonic one.
                fixture.now.wall = fixture.now.wall + 17 * (request % 3) - 13;
                fixture.go_on(1_000_000);
                assert_eq!(fixture.told().0, edge, "{limit} {reset}");
            }
        }
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn an_edge_of_the_clock_is_one_second_although_another_limit_is_described() {
    let mut fixture = Fixture::new(
        r#"{"keys": {"ip": {"client_ip": {}}},
            "policies": [{"name": "p", "key": "ip", "limits": [
                {"name": "minute", "quota": 50, "window": "60s"}, {"name": "day", "quota": 1, "window": "day"}]}],
            "headers": {"preset": "x-ratelimit", "describes": "p/minute"}}"#,
    );
    fixture.go_on(12_345_678);
    fixture.decide(&caller());
    let (edge, _) = fixture.told();
    assert_eq!(edge.unwrap() % 86_400, 0);
    for request in 0..20 {
        fixture.now.wall = fixture.now.wall + 17 * (request % 3) - 13;
        fixture.go_on(1_000_000);
        assert_eq!(fixture.told().0, edge);
    }
}

proptest! {
    /// FA-11, PA-4, clients.md: what a rejection says is consistent, to the second.
    #[wasm_bindgen_test(unsupported = test)]
    fn fa_11_pa_4_reset_is_the_second_in_which_retry_after_is_over(micros in 0u64..3_000_000, quota in 1u32..4) {
        let (wait, reset, truth, now) = told_on_rejection("next_slot", micros, quota);
        prop_assert!(reset * SECOND >= truth && reset * SECOND - truth < SECOND);
        prop_assert!(reset >= now.wall / SECOND + wait);
        prop_assert!((now.wall + wait * SECOND).abs_diff(reset * SECOND) < SECOND);
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn pa_4_a_full_reset_is_never_before_retry_after_is_over(micros in 0u64..3_000_000, quota in 1u32..4) {
        let (wait, reset, _, now) = told_on_rejection("full_reset", micros, quota);
        let over = now.wall + wait * SECOND;
        prop_assert!(reset * SECOND >= over && reset * SECOND - over < SECOND);
    }
}

/// The wait and the reset of a rejection, when it is truly over, and when it was.
fn told_on_rejection(reset: &str, micros: u64, quota: u32) -> (u64, u64, u64, Now) {
    let policy = BILLIUM.replace("\"quota\": 50", &format!("\"quota\": {quota}"));
    let mut fixture = Fixture::new(&policy.replace("next_slot", reset));
    fixture.now.wall += micros;
    fixture.passed(4, |_| caller());
    fixture.go_on(micros);
    let decision = fixture.decide(&caller());
    let verdict = decision.verdict(0, 0).unwrap();
    assert_eq!(verdict.remaining, 0);
    let (reset, wait) = fixture.told();
    (wait.unwrap(), reset.unwrap(), fixture.now.wall + verdict.retry_after, fixture.now)
}
