//! Costs that stand in the bodies of responses: the tokens of language models.

mod model;

use crate::harness::{Gateway, InFlight, Request, Setup, eventually, new_key};
use model::Model;

/// Of each API a policy of so many tokens an hour for each key. Requests hold 100.
fn policy(quota: u64, hold: u64, fields: &str) -> String {
    let one = |api: &str| {
        format!(
            "  - name: {api}
    key: api_key
    match: [{{ path: /{api}/** }}]
    cost: {hold}
    cost_body: {{ format: {api}{fields} }}
    limits: [{{ quota: {quota}, window: 1h }}]
"
        )
    };
    let policies: String = ["openai", "anthropic", "gemini", "bedrock"].map(one).concat();
    format!(
        "keys: {{ api_key: {{ header: authorization, scheme: Bearer }} }}
policies:
{policies}headers: {{ preset: x-ratelimit, describes: [openai, anthropic, gemini, bedrock] }}
"
    )
}

struct Served {
    // First, so that Envoy is gone before the model is.
    gateway: Gateway,
    model: Model,
}

fn served(setup: Setup) -> Served {
    let model = Model::start();
    Served { gateway: setup.alone().upstream(model.address()).start(), model }
}

impl Served {
    fn of(quota: u64, hold: u64) -> Served {
        served(Setup::yaml(policy(quota, hold, "")))
    }

    fn post(&self, target: &str, key: &str) -> Request {
        self.gateway.request("POST", target).key(key).header("content-length", "0")
    }

    /// What a key has spent of 10,000 tokens.
    fn spent(&self, api: &str, key: &str) -> u64 {
        let target = format!("/{api}/json?tokens=100");
        let before = self.post(&target, key).send().number("x-ratelimit-remaining");
        9_900 - before
    }
}

const EACH: [&str; 9] = [
    "/openai/json",
    "/openai/stream",
    "/openai/responses",
    "/anthropic/json",
    "/anthropic/stream",
    "/gemini/json",
    "/gemini/list",
    "/gemini/stream",
    "/bedrock/json",
];

fn api(path: &str) -> &str {
    path.split('/').nth(1).unwrap()
}

#[test]
fn each_api_is_charged_the_tokens_that_its_answer_reports_streamed_or_not() {
    let served = Served::of(10_000, 100);
    for path in EACH {
        for how in ["", "&crumbs"] {
            for tokens in [777, 40] {
                let key = new_key();
                let answer = served.post(&format!("{path}?tokens={tokens}{how}"), &key).send();
                assert_eq!((answer.status, answer.number("x-ratelimit-remaining")), (200, 9_900), "{path}");
                assert_eq!(served.spent(api(path), &key), tokens, "{path} {how}");
            }
        }
    }
    for api in ["openai", "anthropic", "gemini", "bedrock"] {
        for why in ["encoded", "type", "absent", "aborted"] {
            assert_eq!(served.gateway.metric(&format!("policy.{api}.cost_body_unread_{why}")), 0);
        }
    }
}

#[test]
fn each_kind_of_tokens_has_its_weight() {
    let weights = ", weights: { input: 1, cached: 0.1, output: 5 }";
    let served = served(Setup::yaml(policy(10_000, 100, weights)));
    // OpenAI's cached tokens are half of the input, and nearly all of Anthropic's are cached.
    for (path, spent) in [
        ("/openai/json", 300 + 30 + 5 * 200),
        ("/openai/stream", 600 + 5 * 200),
        ("/anthropic/json", 2 + 60 + 5 * 200),
        ("/gemini/stream", 600 + 5 * 200),
    ] {
        let key = new_key();
        assert_eq!(served.post(&format!("{path}?tokens=800"), &key).send().status, 200);
        // 598 tokens at 0.1 are rounded up, with the rest, to a whole unit.
        let left = served.post(&format!("/{}/json?tokens=4", api(path)), &key).send();
        assert_eq!(left.number("x-ratelimit-remaining"), 9_900 - spent, "{path}");
    }
}

/// Sends so many requests at once, waits until each has reached the model or been rejected, and lets them end.
fn at_once(served: &Served, request: &Request, times: usize) -> usize {
    let before = served.model.requests();
    let clients: Vec<InFlight> = (0..times).map(|_| request.begin()).collect();
    let passed = || served.model.requests() - before;
    eventually("each request at the model, or rejected", || {
        let rejected = clients.iter().filter(|client| client.answered()).count();
        (rejected + passed() >= times).then_some(())
    });
    served.model.release();
    let passed = clients.into_iter().map(|client| client.response().status);
    passed.filter(|status| *status == 200).count()
}

/// Never more than the quota and what the requests in flight have held too little.
#[test]
fn of_parallel_requests_as_many_pass_as_their_holds_leave_room_for() {
    for path in ["/openai/json", "/openai/stream", "/anthropic/stream", "/gemini/list"] {
        for (hold, tokens, passed, then) in [(200, 200, 5, 0), (100, 160, 10, 0), (200, 100, 5, 3)] {
            let served = Served::of(1_000, hold);
            let request = served.post(&format!("{path}?tokens={tokens}&late"), &new_key());
            assert_eq!(at_once(&served, &request, 20), passed, "{path}: {hold} held, {tokens} used");
            let used = passed as u64 * tokens;
            assert!(used <= 1_000 + passed as u64 * tokens.saturating_sub(hold), "{path}: {used} used");
            // What was held too much can be used: three more by one after the other.
            let more = (0..6).filter(|_| request.send().status == 200).count();
            assert_eq!(more, then + usize::from(hold > tokens), "{path}: {hold} held, {tokens} used");
        }
    }
}

#[test]
fn a_client_that_leaves_a_stream_pays_no_less_than_it_holds_and_what_it_has_caused() {
    let served = Served::of(10_000, 100);
    for (path, spent) in [
        // OpenAI says nothing before the end, Anthropic what it has read, Gemini what it has used so far.
        ("/openai/stream", 100),
        ("/openai/json", 100),
        ("/anthropic/stream", 600 + 100),
        ("/gemini/stream", 600 + 100),
    ] {
        let key = new_key();
        let request = served.post(&format!("{path}?tokens=800&held"), &key);
        for times in 1..=3 {
            let client = request.begin();
            eventually("the beginning of the answer", || client.answered().then_some(()));
            // All pieces but the last have been sent by now.
            std::thread::sleep(std::time::Duration::from_millis(100));
            client.leave();
            served.gateway.until_idle();
            let probe = served.post(&format!("{path}?tokens=100"), &key).send();
            let others = (times - 1) * 100;
            assert_eq!(probe.number("x-ratelimit-remaining"), 9_900 - times * spent - others, "{path}");
        }
        let metric = format!("policy.{}.cost_body_unread_aborted", api(path));
        eventually("the counter", || (served.gateway.metric(&metric) >= 3).then_some(()));
    }
}

#[test]
fn an_upstream_that_breaks_off_has_used_no_less_than_was_held() {
    let served = Served::of(10_000, 100);
    for (path, spent) in [("/openai/stream", 100), ("/anthropic/stream", 700)] {
        let key = new_key();
        let request = served.post(&format!("{path}?tokens=800&broken"), &key);
        assert!(request.connect().try_exchange(&request).is_err(), "a whole answer to {path}");
        served.gateway.until_idle();
        assert_eq!(served.spent(api(path), &key), spent, "{path}");
    }
}

#[test]
fn an_answer_without_numbers_costs_what_is_stated_and_is_counted() {
    for (fields, unread) in [("", 100), (", without: refund", 0), (", without: 3000", 3_000)] {
        let served = served(Setup::yaml(policy(10_000, 100, fields)));
        let spent = |request: Request, key: &str| {
            assert!([200, 204].contains(&request.send().status));
            served.spent("openai", key)
        };
        for (why, target) in [
            ("encoded", "/openai/json?tokens=5000&gzip"),
            ("encoded", "/openai/stream?tokens=5000&gzip"),
            ("absent", "/openai/json?empty"),
        ] {
            let key = new_key();
            assert_eq!(spent(served.post(target, &key), &key), unread, "{why}: {fields}");
        }
        let key = new_key();
        let head = served.gateway.request("HEAD", "/openai/json?tokens=5000").key(&key);
        assert_eq!(spent(head, &key), unread, "HEAD: {fields}");
        let key = new_key();
        assert_eq!(served.post("/bedrock/stream", &key).send().status, 200);
        assert_eq!(served.spent("bedrock", &key), unread, "type: {fields}");
        let key = new_key();
        assert_eq!(served.post("/bedrock/none", &key).send().status, 200);
        eventually("the counters", || {
            let metric =
                |api: &str, why: &str| served.gateway.metric(&format!("policy.{api}.cost_body_unread_{why}"));
            let counted =
                [metric("openai", "encoded"), metric("openai", "absent"), metric("bedrock", "type")];
            (counted == [2, 2, 1] && metric("bedrock", "absent") == 1).then_some(())
        });
    }
}

const DECOMPRESSOR: &str = r#"- name: decompressor
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.decompressor.v3.Decompressor
    decompressor_library:
      name: gzip
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.compression.gzip.decompressor.v3.Gzip"#;

#[test]
fn envoys_decompressor_after_the_filter_makes_compressed_answers_readable() {
    let served = served(Setup::yaml(policy(10_000, 100, "")).later_filter(DECOMPRESSOR));
    for path in EACH {
        let key = new_key();
        let answer = served.post(&format!("{path}?tokens=777&gzip"), &key).send();
        assert_eq!(answer.status, 200);
        answer.lacks("content-encoding");
        assert_eq!(served.spent(api(path), &key), 777, "{path}");
    }
}

/// Settled once: refunds by the status come first, and a request costs the same whatever else counts it.
#[test]
fn several_policies_read_one_body_and_each_its_own_numbers() {
    let served = served(Setup::yaml(
        "keys: { api_key: { header: authorization, scheme: Bearer } }
policies:
  - name: output
    key: api_key
    cost: 100
    cost_body: { json: [/usage/completion_tokens, /usage/output_tokens] }
    limits: [{ quota: 10000, window: 1h }]
  - name: price
    key: api_key
    cost: 100
    cost_body: { sum: [{ json: /usage/prompt_tokens, weight: 0.25 }, { json: /usage/completion_tokens, weight: 2 }] }
    limits: [{ algorithm: token_bucket, quota: 10000, window: 7d }]
  - name: shadow
    key: api_key
    mode: shadow
    cost: 100
    cost_body: { format: openai }
    count_on: [2xx]
    limits: [{ quota: 300, window: 1h }]
  - { name: requests, key: api_key, limits: [{ quota: 100, window: 1h }] }
headers: { preset: ietf }
",
    ));
    let key = new_key();
    let left = || {
        let answer = served.post("/openai/stream?tokens=400", &key).send();
        let items = answer.value("ratelimit").split(", ").map(|item| {
            let (_, left) = item.split_once(";r=").expect("what is left");
            left.split(';').next().and_then(|left| left.parse::<u64>().ok()).expect("a number")
        });
        items.collect::<Vec<_>>()
    };
    // 300 of input and 100 of output each.
    assert_eq!(left(), [9_900, 9_900, 99]);
    assert_eq!(left(), [9_800, 9_625, 98]);
    assert_eq!(left(), [9_700, 9_350, 97]);
    eventually("the counter", || (served.gateway.metric("policy.shadow.shadow_refused") == 2).then_some(()));
}
