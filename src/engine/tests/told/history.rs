//! Random histories: a policy with one or two limits of any algorithm, and requests of one caller.

use super::*;
use crate::reply::ReplyRules;
use crate::testing::compiled;
use crate::time::Micros;

/// Deterministic numbers (SplitMix64).
pub struct Random(pub u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB) % end
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }
}

/// A limit as written, and the little that the oracle must know of it.
#[derive(Clone, Debug)]
pub struct RandomLimit {
    json: String,
    /// How far away the furthest time is while nothing is owed.
    pub window: Micros,
    /// Whether it is a log, which rounds to milliseconds.
    pub log: bool,
    /// Whether its window ends at an edge of the clock.
    pub aligned: bool,
}

impl RandomLimit {
    fn new(random: &mut Random, name: &str, quotas: &[u32]) -> RandomLimit {
        let seconds = random.pick(&[1, 2, 7, 60, 3_600, 86_400, 2_592_000]);
        // A unit of a bucket lasts a whole number of nanoseconds, so nothing is rounded.
        let quota = random.pick(quotas);
        let kind = random.below(7);
        let (fields, window) = match kind {
            0 => (r#""window": "day", "time_zone": "Europe/Madrid""#.into(), 90_000),
            1 => (format!(r#""window": "{seconds}s", "algorithm": "fixed_window""#), seconds),
            2 => (format!(r#""window": "{seconds}s", "algorithm": "sliding_counter""#), 2 * seconds),
            3 if seconds == 7 => {
                let refill = r#""algorithm": "token_bucket", "refill": "at_once""#;
                (format!(r#""window": "{seconds}s", {refill}"#), seconds)
            }
            3 => (format!(r#""window": "{seconds}s", "algorithm": "token_bucket""#), seconds),
            4 => {
                let burst = 2 * quota;
                let refill = if seconds == 60 { "at_once" } else { "evenly" };
                let bucket =
                    format!(r#""algorithm": "token_bucket", "burst": {burst}, "refill": "{refill}""#);
                (format!(r#""window": "{seconds}s", {bucket}"#), 2 * seconds)
            }
            _ => (format!(r#""window": "{seconds}s""#), seconds),
        };
        RandomLimit {
            json: format!(r#"{{"name": "{name}", "quota": {quota}, {fields}}}"#),
            window: window * SECOND,
            log: kind > 4,
            aligned: kind < 2,
        }
    }
}

/// A policy, and what has happened to it.
pub struct History {
    pub limits: Vec<RandomLimit>,
    /// The policy, as fields of a document.
    pub policies: String,
    pub fixture: Fixture,
    /// Whether a caller may owe units, or be blocked.
    pub may_owe: bool,
    /// Whether responses report costs.
    costs: bool,
}

impl History {
    pub fn new(random: &mut Random) -> History {
        let names = if random.below(3) == 0 { &["a", "b"][..] } else { &["a"] };
        let costs = random.below(2) == 0;
        // No request may hold more than a quota.
        let quotas: &[u32] = if costs { &[5, 8] } else { &[1, 2, 4, 5, 8] };
        let limits: Vec<RandomLimit> =
            names.iter().map(|name| RandomLimit::new(random, name, quotas)).collect();
        // A block is of the whole policy: it would hide what is left of a second limit.
        let blocks = limits.len() == 1 && random.below(4) == 0;
        let grows = blocks && random.below(2) == 0;
        let all = !blocks && random.below(4) == 0;
        let fields = [
            (blocks && !grows, r#""block_for": "90061s", "#),
            (grows, r#""block_for": ["2s", "61s", "90061s"], "#),
            (all, r#""count": "all", "#),
            (costs, r#""cost_header": "x-cost", "#),
        ];
        let fields: String = fields.iter().filter(|(on, _)| *on).map(|(_, json)| *json).collect();
        let listed: Vec<&str> = limits.iter().map(|limit| limit.json.as_str()).collect();
        let policies = format!(
            r#""keys": {{"ip": {{"client_ip": {{}}}}}}, "policies": [{{"name": "p", "key": "ip", {fields}
                "match": [{{"path": "/1"}}, {{"path": "/2", "cost": 2}}, {{"path": "/5", "cost": 5}}],
                "limits": [{}]}}], "retry_after": {{"max": 31622400}}"#,
            listed.join(", ")
        );
        let mut fixture = Fixture::new(&format!("{{{policies}}}"));
        // Neither clock is at a whole second, and they are apart.
        fixture.now.wall += random.below(90_000_000_000);
        fixture.now.mono += random.below(90_000_000_000);
        History { limits, policies, fixture, may_owe: blocks || all || costs, costs }
    }

    /// How headers refer to a limit.
    pub fn reference(&self, limit: usize) -> &'static str {
        match (self.limits.len(), limit) {
            (1, _) => "p",
            (_, 0) => "p/a",
            (_, _) => "p/b",
        }
    }

    /// The replies with these header rules.
    pub fn replies(&self, headers: &str) -> ReplyRules {
        compiled(&format!(r#"{{{}, "headers": {{{headers}}}}}"#, self.policies)).replies
    }

    /// Some time, a request, and its response if it is admitted.
    pub fn go_on(&mut self, random: &mut Random) -> (Decision, FakeRequest) {
        let window = self.limits[0].window;
        let gaps = [0, 0, 300, 1_700, 40_009, 510_003, window / 3, window / 2 + 7];
        self.fixture.go_on(random.pick(&gaps));
        let request = caller().with(":path", random.pick(&["/1", "/1", "/1", "/2", "/5"]));
        let mut decision = self.fixture.decide(&request);
        if !decision.rejected() {
            self.respond(random, &mut decision);
        }
        (decision, request)
    }

    fn respond(&mut self, random: &mut Random, decision: &mut Decision) {
        let mut response = FakeResponse::of_upstream(200);
        if self.costs && random.below(3) == 0 {
            self.fixture.go_on(random.pick(&[0, 400, 70_003, 2_999_999]));
            // Never the cost that it was judged by, since what has not changed is not looked at again.
            response = response.with("x-cost", random.pick(&["0", "9", "40"]));
        }
        self.fixture.on_response(decision, &response);
    }
}
