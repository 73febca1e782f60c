//! What happens to every policy: each kind of request by a caller of its own, and whatever else a field may
//! depend on.

use super::gateway::{Answer, Gateway, status};
use tollgate::http::SampleRequest;

/// What can be seen of a policy. An error if it is invalid.
pub fn trace(policy: &serde_json::Value) -> Result<Vec<String>, String> {
    let mut gateway = Gateway::new(policy)?;
    for (caller, act) in
        [many, statuses, kinds, in_flight, returns, spellings, contention, long_times].into_iter().enumerate()
    {
        act(&mut gateway, &format!("caller-{caller}"));
        gateway.wait(1);
    }
    Ok(gateway.trace)
}

fn request(method: &str, path: &str, caller: &str) -> SampleRequest {
    let request =
        SampleRequest::new(method, path).with_header("x-key", caller).with_header("x-request-id", "7");
    request.with_header("accept-language", "es").with_header(":authority", "api.example.com")
}

fn post(caller: &str) -> SampleRequest {
    request("POST", "/v1/a", caller)
}

fn posts(gateway: &mut Gateway, caller: &str, times: u32) {
    (0..times).for_each(|_| gateway.ask(&post(caller), &status(201)));
}

fn many(gateway: &mut Gateway, caller: &str) {
    posts(gateway, caller, 7);
    (0..3).for_each(|_| gateway.ask(&request("GET", "/v1/a", caller), &status(200)));
    gateway.wait(2);
    posts(gateway, caller, 3);
}

fn statuses(gateway: &mut Gateway, caller: &str) {
    for each in [Some(401), Some(429), Some(500), None] {
        let (caller, each) = (format!("{caller}-{each:?}"), Answer { status: each, ..status(200) });
        gateway.ask(&post(&caller), &each);
        posts(gateway, &caller, 2);
        gateway.ask(&post(&caller), &each);
    }
    for each in [
        Answer { cost: Some(2), ..status(201) },
        Answer { stock: Some(2), ..status(201) },
        Answer { body: BODY, ..status(201) },
    ] {
        gateway.wait(1);
        let caller = format!("{caller}-{:?}-{:?}", each.cost, each.stock);
        gateway.ask(&post(&caller), &each);
        posts(gateway, &caller, 2);
    }
}

/// As OpenAI reports two tokens, and others one.
const BODY: &str = r#"{
    "n": 2, "m": 1,
    "usage": {
        "prompt_tokens": 1, "prompt_tokens_details": {"cached_tokens": 1}, "completion_tokens": 1,
        "output_tokens": 1, "outputTokens": 1
    },
    "usageMetadata": {"candidatesTokenCount": 1}
}"#;

fn kinds(gateway: &mut Gateway, caller: &str) {
    gateway.ask(&request("GET", "/v1/a", caller), &status(200));
    gateway.ask(&request("POST", "/v1/b", caller), &status(201));
    gateway.ask(&request("POST", "/v1/a?plan=pro", caller), &status(201));
    for number in ["1", "3"] {
        let stating = request("POST", &format!("/v1/a?n={number}"), &format!("{caller}-{number}"));
        (0..3).for_each(|_| gateway.ask(&stating, &status(201)));
    }
    let caller = format!("{caller}-too");
    gateway.ask(&post(&caller).with_header("cookie", "beta=1"), &status(201));
    gateway.ask(&post(&caller).with_header("x-a", "1"), &status(201));
    let other = SampleRequest::new("POST", "/v1/a").with_header("x-key", &caller);
    gateway.ask(&other.with_header(":authority", "other.example.com"), &status(201));
    gateway.ask(
        &SampleRequest::new("OPTIONS", "/v1/a").with_header("access-control-request-method", "PUT"),
        &status(204),
    );
    posts(gateway, &caller, 2);
    let caller = format!("{caller}-again");
    (0..3).for_each(|_| gateway.ask(&request("POST", "/v1/b", &caller), &status(201)));
    gateway.wait(11);
    posts(gateway, &caller, 3);
}

fn in_flight(gateway: &mut Gateway, caller: &str) {
    for _ in 0..6 {
        gateway.ask(&post(caller), &Answer { lasts: 3, ..status(201) });
    }
    for _ in 0..4 {
        gateway.wait(1);
        posts(gateway, caller, 1);
    }
}

/// Each kind of return by a caller of its own, after three units.
fn returns(gateway: &mut Gateway, caller: &str) {
    for kind in ["", "404", "/v1/b", "x-a", "plan", "beta", "host", "PUT"] {
        let caller = format!("{caller}{kind}");
        let delete = |path: &str| request("DELETE", path, &caller);
        let back = match kind {
            "/v1/b" => delete("/v1/b"),
            "x-a" => delete("/v1/a").with_header("x-a", "1"),
            "plan" => delete("/v1/a?plan=pro"),
            "beta" => delete("/v1/a").with_header("cookie", "beta=1"),
            "host" => {
                let request = SampleRequest::new("DELETE", "/v1/a").with_header("x-key", &caller);
                request.with_header(":authority", "other.example.com")
            }
            "PUT" => request("PUT", "/v1/a", &caller),
            _ => delete("/v1/a"),
        };
        posts(gateway, &caller, 3);
        gateway.ask(&back, &status(if kind == "404" { 404 } else { 204 }));
        posts(gateway, &caller, 1);
    }
}

fn spellings(gateway: &mut Gateway, caller: &str) {
    for path in ["/v1/a/", "/V1/A", "/v1/a;x", "/v1/a.json"] {
        let caller = format!("{caller}{path}");
        for _ in 0..5 {
            gateway.ask(&request("POST", path, &caller), &status(201));
        }
    }
}

fn contention(gateway: &mut Gateway, caller: &str) {
    gateway.contend(true);
    posts(gateway, caller, 8);
    gateway.contend(false);
    gateway.wait(1);
    posts(gateway, caller, 2);
}

fn long_times(gateway: &mut Gateway, caller: &str) {
    for seconds in [3, 8, 50, 600, 3_600, 14 * 3_600, 86_400, 32 * 86_400] {
        posts(gateway, caller, 6);
        gateway.wait(seconds);
    }
    posts(gateway, caller, 6);
}
