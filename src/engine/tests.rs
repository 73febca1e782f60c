use super::*;
use crate::compile::compile;
use crate::config::parse;
use crate::http::MetadataPath;
use crate::identity::Seed;
use crate::limiter::concurrency::WorkerId;
use crate::reply::{Reply, ReplyRules};
use crate::table::memory::MemoryStore;
use crate::time::SECOND;
use proptest::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

mod callers;
mod costs;
mod penalty;
mod plans;
mod replies;
mod responses;
mod selection;
mod told;

/// Billium's own file, as JSON would carry it.
const BILLIUM: &str = r#"{
    "keys": {"client_ip": {"client_ip": {}}, "api_key": {"header": "authorization", "scheme": "Bearer", "prefix": 16}},
    "policies": [
        {"name": "ip", "key": "client_ip", "limits": [{"quota": 50, "window": "60s"}]},
        {"name": "key", "key": "api_key", "limits": [{"quota": 300, "window": "60s"}]}
    ],
    "charge": "sequential",
    "headers": {"preset": "x-ratelimit", "describes": "ip", "reset": "next_slot"}
}"#;

#[derive(Default)]
struct Call {
    headers: Vec<(&'static str, Vec<u8>)>,
    ip: String,
    metadata: Vec<(MetadataPath, &'static str)>,
}

impl Call {
    fn from(ip: &str) -> Call {
        Call { ip: format!("{ip}:4711"), ..Call::default() }
    }

    fn with(mut self, name: &'static str, value: impl AsRef<[u8]>) -> Call {
        self.headers.push((name, value.as_ref().to_vec()));
        self
    }

    fn key(self, key: &str) -> Call {
        self.with("authorization", format!("Bearer {key}"))
    }
}

impl Request for Call {
    fn header(&self, name: &str) -> Option<Vec<u8>> {
        self.headers.iter().find(|(header, _)| *header == name).map(|(_, value)| value.clone())
    }

    fn source_address(&self) -> Option<Vec<u8>> {
        (!self.ip.is_empty()).then(|| self.ip.clone().into_bytes())
    }

    fn metadata(&self, path: &MetadataPath) -> Option<Vec<u8>> {
        let (_, value) = self.metadata.iter().find(|(of, _)| of == path)?;
        Some(value.as_bytes().to_vec())
    }
}

/// An engine, its store and its clock.
struct Fixture {
    engine: Engine,
    replies: ReplyRules,
    table: Table,
    store: MemoryStore,
    now: Now,
}

impl Fixture {
    fn new(json: &str) -> Fixture {
        let configuration = compile(&parse(json.as_bytes()).unwrap()).unwrap();
        let policies = configuration.rules;
        let table = Table::new(Seed::new([7; Seed::LEN]), policies.geometry, WorkerId(1));
        let now = Now { mono: 500 * SECOND, wall: 1_747_314_000 * SECOND };
        Fixture {
            engine: Engine::new(policies),
            replies: configuration.replies,
            table,
            store: MemoryStore::default(),
            now,
        }
    }

    fn decide(&mut self, call: &Call) -> Decision {
        self.engine.decide(call, &mut self.table, &self.store, self.now)
    }

    fn passed(&mut self, requests: u32, call: impl Fn(u32) -> Call) -> usize {
        (0..requests).filter(|i| !self.decide(&call(*i)).rejected()).count()
    }

    fn wait(&mut self, seconds: u64) {
        self.now.mono += seconds * SECOND;
        self.now.wall += seconds * SECOND;
    }

    fn reply<'a>(&'a self, decision: &Decision, call: &Call) -> Reply<'a> {
        self.replies.reply(decision, call, || [0xAB; 16]).unwrap()
    }

    fn headers(&mut self, call: &Call) -> Vec<String> {
        let decision = self.decide(call);
        let headers = self.replies.limit_headers(&decision);
        headers.into_iter().map(|(name, value)| format!("{name}: {value}")).collect()
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn bi_4_one_ip_never_reaches_300_and_six_ips_with_one_key_do() {
    let mut one = Fixture::new(BILLIUM);
    assert_eq!(one.passed(400, |_| Call::from("192.0.2.1").key("0123456789abcdefX")), 50);
    let mut seven = Fixture::new(BILLIUM);
    assert_eq!(
        seven.passed(700, |i| Call::from(&format!("192.0.2.{}", i % 7)).key("0123456789abcdefX")),
        300
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn bi_3_keys_share_a_budget_exactly_when_they_share_16_characters() {
    let mut house = Fixture::new(BILLIUM);
    let ip = |i: u32| format!("198.51.100.{}", i % 20);
    assert_eq!(house.passed(350, |i| Call::from(&ip(i)).key(&format!("0123456789abcdef{i}"))), 300);
    assert_eq!(house.passed(100, |i| Call::from(&ip(i)).key("0123456789abcdeX")), 100);
}

#[wasm_bindgen_test(unsupported = test)]
fn bi_11_without_a_key_only_the_ip_counts() {
    let mut house = Fixture::new(BILLIUM);
    assert_eq!(house.decide(&Call::from("192.0.2.1")).answers().len(), 1);
    assert_eq!(house.decide(&Call::from("192.0.2.1").key("abc")).answers().len(), 2);
}

#[wasm_bindgen_test(unsupported = test)]
fn bi_12_of_two_rejections_the_larger_wait_is_told() {
    let mut house = Fixture::new(BILLIUM);
    let from = |ip: u32| move |_| Call::from(&format!("192.0.2.{ip}")).key("one");
    for ip in 2..7 {
        house.passed(50, from(ip));
    }
    house.wait(20);
    house.passed(50, from(1));
    house.wait(1);
    // The IP's first slot frees in 59 s, the key's in 39 s.
    let decision = house.decide(&Call::from("192.0.2.1").key("one"));
    assert_eq!(decision.answers().iter().filter(|answer| answer.rejected()).count(), 2);
    let reply = house.reply(&decision, &Call::default());
    assert_eq!(reply.headers.last().unwrap(), &("retry-after", "59".into()));
    assert_eq!(reply.details, "tollgate_refused_by_ip");
}

#[wasm_bindgen_test(unsupported = test)]
fn x_2_after_the_wait_and_not_a_second_before_the_request_passes() {
    let mut house = Fixture::new(BILLIUM);
    let call = Call::from("192.0.2.1");
    house.passed(60, |_| Call::from("192.0.2.1"));
    house.wait(17);
    let decision = house.decide(&call);
    assert_eq!(decision.retry_after(), 43 * SECOND);
    house.wait(42);
    assert!(house.decide(&call).rejected());
    house.wait(1);
    assert!(!house.decide(&call).rejected());
}

#[wasm_bindgen_test(unsupported = test)]
fn x_4_a_preflight_is_exempt_and_a_plain_options_is_not() {
    let mut house = Fixture::new(BILLIUM);
    let options = || Call::from("192.0.2.1").with(":method", "OPTIONS");
    let preflight = || options().with("access-control-request-method", "POST");
    assert_eq!(house.passed(100, |_| preflight()), 100);
    assert_eq!(house.passed(100, |_| options()), 50);
    assert!(house.decide(&preflight().with(":method", "GET")).answers().is_empty());
    let forged = Call::from("192.0.2.1").with(":method", "GET").with("access-control-request-method", "POST");
    assert!(house.decide(&forged).rejected(), "the header alone exempts nobody");
    let authorized = preflight().with("authorization", "Basic Og==");
    assert!(house.decide(&authorized).rejected(), "a browser's preflight has no credentials");
}

#[wasm_bindgen_test(unsupported = test)]
fn x_7_a_path_matches_without_its_query() {
    let mut house = Fixture::new(
        r#"{"keys": {"ip": {"client_ip": {}}}, "policies": [{"name": "p", "key": "ip",
            "match": [{"method": "POST", "path": "/v1/invoices/{id}/send"}], "limits": [{"quota": 1, "window": "1m"}]}]}"#,
    );
    let call = |method: &str, path: &str| Call::from("192.0.2.1").with(":method", method).with(":path", path);
    assert!(house.decide(&call("POST", "/v1/invoices/7")).answers().is_empty());
    assert!(house.decide(&call("GET", "/v1/invoices/7/send")).answers().is_empty());
    assert!(!house.decide(&call("POST", "/v1/invoices/7/send?a=/b")).rejected());
    assert!(house.decide(&call("POST", "/v1/invoices/8/send#x")).rejected());
}

#[wasm_bindgen_test(unsupported = test)]
fn fa_10_fa_13_headers_tell_the_quota_what_is_left_and_when_a_slot_frees() {
    let mut house = Fixture::new(BILLIUM);
    let call = Call::from("192.0.2.1");
    assert_eq!(
        house.headers(&call),
        ["x-ratelimit-limit: 50", "x-ratelimit-remaining: 49", "x-ratelimit-reset: 1747314060"]
    );
    house.wait(10);
    house.passed(60, |_| Call::from("192.0.2.1"));
    assert_eq!(
        house.headers(&call),
        ["x-ratelimit-limit: 50", "x-ratelimit-remaining: 0", "x-ratelimit-reset: 1747314060"]
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn pa_4_reset_waits_for_the_rejecting_limit_even_if_it_describes_another() {
    let mut house = Fixture::new(
        &BILLIUM.replace("\"quota\": 300", "\"quota\": 1").replace("\"quota\": 50", "\"quota\": 2"),
    );
    let call = || Call::from("192.0.2.1").key("one");
    house.decide(&Call::from("192.0.2.1"));
    house.wait(30);
    house.decide(&Call::from("192.0.2.2").key("one"));
    // The IP's first slot frees in 30 s, the key's in 60 s.
    assert_eq!(house.headers(&call()).last().unwrap(), "x-ratelimit-reset: 1747314090");
}

#[wasm_bindgen_test(unsupported = test)]
fn x_10_no_byte_of_a_key_is_kept_in_the_table() {
    let mut house = Fixture::new(BILLIUM);
    house.decide(&Call::from("192.0.2.1").key("sk_live_4242424242424242"));
    for page in house.store.pages() {
        let bytes = house.store.page(page);
        assert!(!bytes.windows(4).any(|window| b"sk_live_42424242".windows(4).any(|part| part == window)));
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_request_without_anything_is_served_and_counted_as_one_client() {
    let mut house = Fixture::new(BILLIUM);
    assert_eq!(house.passed(60, |_| Call::default()), 50);
    assert_eq!(house.passed(60, |_| Call { ip: "@internal".into(), ..Call::default() }), 50);
}

proptest! {
    #[wasm_bindgen_test(unsupported = test)]
    fn no_request_can_make_it_panic(
        values in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 4),
        ip in "\\PC{0,30}",
    ) {
        let mut house = Fixture::new(BILLIUM);
        let names = ["authorization", ":method", ":path", "access-control-request-method"];
        let call = names.into_iter().zip(values).fold(Call { ip, ..Call::default() }, |call, (name, value)| call.with(name, value));
        let decision = house.decide(&call);
        prop_assert!(!decision.rejected());
        house.replies.limit_headers(&decision);
    }
}
