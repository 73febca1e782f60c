//! What docs/around-the-filter.md shows for pages in a browser, and what it says of clients that retry.

use std::fs;

use crate::harness::{Gateway, Request, Setup, in_repository, new_key, per_key, unix_time};

const ORIGIN: &str = "https://app.example.com";

/// The blocks of YAML that the page shows.
fn shown() -> [String; 2] {
    let page = fs::read_to_string(in_repository("docs/around-the-filter.md")).expect("the page");
    let blocks = page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let blocks: Vec<String> = blocks.map(str::to_owned).collect();
    blocks.try_into().expect("the filter and its policy")
}

fn gateway() -> Gateway {
    let [filter, policy] = shown();
    let limit = per_key(1, "1h") + "headers: { preset: x-ratelimit }\n";
    Setup::yaml(limit).filter(filter).host(&policy).start()
}

fn from(request: Request, origin: &str) -> Request {
    request.header("origin", origin)
}

#[test]
fn a_page_in_a_browser_can_read_a_rejection_and_its_wait() {
    let gateway = gateway();
    let request = from(gateway.get("/").key(new_key()), ORIGIN);
    for status in [200, 429] {
        let response = request.send();
        assert_eq!((response.status, response.value("access-control-allow-origin")), (status, ORIGIN));
        assert_eq!(response.value("access-control-allow-credentials"), "true");
        let exposed = response.value("access-control-expose-headers");
        for name in response.limit_headers().into_iter().chain((status == 429).then_some("retry-after")) {
            assert!(exposed.split(", ").any(|own| own == name), "{name} is not in {exposed}");
        }
    }
    let other = from(gateway.get("/").key(new_key()), "https://elsewhere.example").send();
    other.lacks("access-control-allow-origin");
}

#[test]
fn a_preflight_never_reaches_the_limits() {
    let gateway = gateway();
    let key = new_key();
    let preflight = from(gateway.request("OPTIONS", "/").key(&key), ORIGIN);
    let preflight = preflight.header("access-control-request-method", "POST");
    for _ in 0..3 {
        let answer = preflight.send();
        assert_eq!((answer.status, answer.value("access-control-allow-origin")), (200, ORIGIN));
    }
    assert_eq!(gateway.get("/").key(&key).send().status, 200);
}

/// Octokit waits if nothing remains, until an instant in seconds since 1970; discord.js for `retry-after`.
#[test]
fn whichever_limit_rejects_octokit_and_discord_js_are_told_how_long() {
    let policy = "keys: { key: { header: x-key } }
policies:
  - name: core
    key: key
    limits: [{ name: hour, quota: 30, window: 1h }, { name: minute, quota: 3, window: 1m }]
headers: { preset: github, describes: violated, format: epoch }
";
    let gateway = Setup::yaml(policy).start();
    let request = gateway.get("/").header("x-key", new_key());
    assert_eq!(request.admitted_of(3), 3);
    let rejected = request.send();
    assert_eq!((rejected.status, rejected.number("x-ratelimit-remaining")), (429, 0));
    let (now, wait) = (unix_time().as_secs(), rejected.retry_after());
    assert!((50..=60).contains(&wait), "{rejected:?}");
    assert!(rejected.number("x-ratelimit-reset") >= now + wait - 1, "{now}: {rejected:?}");
}
