//! `tollgate explain` and Envoy agree: on every policy that ships or that a page shows, a row of requests
//! gets the same statuses, limits, waits and bodies from both. Times may differ by what a request takes.

pub mod row;

use std::fs;
use std::thread;
use std::time::Duration;

use crate::harness::{Gateway, Setup, in_repository, new_key};
use row::{Row, row};

/// A policy of `envoy/policies` in Envoy, and in the tool.
struct Shipped {
    gateway: Gateway,
    policy: String,
}

fn shipped(name: &str) -> Shipped {
    let path = in_repository("envoy/policies").join(name);
    let policy = fs::read_to_string(path).expect("a policy");
    // Nobody can foresee a random wait.
    started(policy.replace("jitter: 5", "jitter: 0"))
}

fn started(policy: impl Into<String>) -> Shipped {
    let policy = policy.into();
    Shipped { gateway: Setup::yaml(policy.clone()).start(), policy }
}

impl Shipped {
    #[track_caller]
    fn agrees(&self, row: Row) {
        row.compare(&self.gateway, &self.policy);
    }
}

#[test]
fn billium_is_explained_as_it_is_enforced() {
    let billium = shipped("billium.yaml");
    billium.agrees(row("GET", "/").times(52));
    billium.agrees(row("GET", "/").key(&new_key()).times(52));
}

#[test]
fn parseo_is_explained_as_it_is_enforced() {
    let parseo = shipped("parseo.yaml");
    let path = "/external/v1/invoices";
    parseo.agrees(row("GET", path).times(22));
    parseo.agrees(row("GET", path).key("nobody").times(22));
    parseo.agrees(row("HEAD", path).key("parseo_shop").times(602));
    parseo.agrees(row("GET", "/external/v2").times(3));
}

#[test]
fn facturapi_is_explained_as_it_is_enforced() {
    let facturapi = shipped("facturapi.yaml");
    let secret = |row: Row| row.key("sk_live_acme").answered_with("x-ratelimit-limit", "7");
    facturapi.agrees(secret(row("POST", "/v2/invoices/7/stamp")).times(22));
    facturapi.agrees(secret(row("POST", "/v2/invoices")).times(102));
    facturapi.agrees(secret(row("GET", "/v2/invoices")).times(122));
    facturapi.agrees(row("PUT", "/v2/invoices/7").answered(&[200, 500, 404]).times(102));
}

#[test]
fn factuarea_is_explained_as_it_is_enforced() {
    let factuarea = shipped("factuarea.yaml");
    factuarea.agrees(row("GET", "/v1/x").key(&new_key()).answered(&[401]).times(12));
    factuarea.agrees(row("GET", "/v1/x").key(&new_key()).answered(&[200, 401, 500, 401, 200]).times(14));
    factuarea.agrees(row("POST", "/v1/invoices/7/send").key("fact_free").times(3));
    factuarea.agrees(row("GET", "/v1/invoices/7/pdf").key("fact_export").times(32));
    let endpoints = row("POST", "/v1/webhook_endpoints").key("fact_dashboard");
    factuarea.agrees(endpoints.answered(&[201, 422, 201, 500, 201]).times(9));
}

#[test]
fn safepays_is_explained_as_it_is_enforced() {
    let safepays = shipped("safepays.yaml");
    safepays.agrees(row("GET", "/api/v2/x").key(&new_key()).answered(&[200, 401, 500]).times(1_003));
    safepays.agrees(row("GET", "/api/v2/x").times(3));
}

#[test]
fn the_kitchen_sink_is_explained_as_it_is_enforced() {
    let sink = shipped("kitchen-sink.yaml");
    sink.agrees(row("POST", "/login").answered(&[401, 200, 401]).times(9));
    let costs = row("GET", "/v1/x").key("test").answered_with("x-cost", "7");
    sink.agrees(costs.answered(&[200, 503, 200]).times(12));
    // The same caller, who has spent nothing yet.
    let sink = shipped("kitchen-sink.yaml");
    sink.agrees(row("POST", "/v1/webhooks").key("test").answered(&[201, 409]).times(13));
    sink.agrees(row("GET", "/healthz").times(2));
}

/// Requests that the policies of the pages are about.
const USUAL: [(&str, &str); 6] = [
    ("GET", "/api/x"),
    ("POST", "/login"),
    ("POST", "/v1/exports"),
    ("POST", "/v1/invoices/7/send"),
    ("POST", "/v1/webhooks"),
    ("GET", "/?api_key=abc"),
];

#[test]
fn the_policies_of_the_pages_are_explained_as_they_are_enforced() {
    let mut compared = 0;
    for page in ["README.md", "docs/how-do-i.md"] {
        let text = fs::read_to_string(in_repository(page)).expect("a page");
        let blocks = text.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
        // The tool knows no fleet: it explains one proxy.
        let alone = |block: &&str| block.contains("\npolicies:") && !block.contains("scope: fleet");
        for policy in blocks.filter(alone) {
            let shown = started(policy);
            for (method, path) in USUAL {
                let row = row(method, path).key(&new_key()).answered(&[200, 401, 201, 429, 404, 500]);
                shown.agrees(row.times(8));
            }
            compared += 1;
        }
    }
    assert!(compared >= 18, "{compared} policies");
}

#[test]
fn every_algorithm_and_every_form_of_headers_is_explained_as_it_is_enforced() {
    let limits = [
        "quota: 5, window: 1h",
        "algorithm: sliding_counter, quota: 5, window: 1h",
        "algorithm: fixed_window, quota: 5, window: 1h",
        "quota: 5, window: month, time_zone: Europe/Madrid",
        "algorithm: token_bucket, quota: 5, window: 1h, burst: 7",
        "algorithm: concurrency, quota: 1",
        "algorithm: stock, quota: 5",
    ];
    let counting =
        ["count: all", "count_on: [401, 429]", "refund_on: [404]", "block_for: 2h", "cost_header: x-cost"];
    let headers = [
        "x-ratelimit, format: delta",
        "ietf",
        "github, upstream: keep",
        "envoy",
        "x-ratelimit, show: on_429, reset: full_reset",
    ];
    let possible = |limit: &str, field: &str| {
        let (concurrency, stock) = (limit.contains("concurrency"), limit.contains("stock"));
        !(concurrency && !field.starts_with("block_for") || stock && field.starts_with("count: "))
    };
    for (number, limit) in limits.iter().enumerate() {
        let fields: Vec<&str> = counting.into_iter().filter(|field| possible(limit, field)).collect();
        let policies: String = fields.iter().enumerate().map(|(i, field)| {
            format!("  - {{ name: p{i}, key: key, match: [{{ path: /p{i} }}], {field}, limits: [{{ {limit} }}] }}\n")
        }).collect();
        let describes: Vec<String> = (0..fields.len()).map(|i| format!("p{i}")).collect();
        let form = headers[number % headers.len()];
        let policy = format!(
            "keys: {{ key: {{ header: x-key }} }}\npolicies:\n{policies}headers: {{ preset: {form}, describes: [{}] }}\n",
            describes.join(", ")
        );
        let shown = started(policy);
        for (i, _) in fields.iter().enumerate() {
            let row = row("GET", &format!("/p{i}")).header("x-key", &new_key());
            let row = row.answered(&[200, 401, 404, 401]).answered_with("x-cost", "2");
            // Its windows begin when the machine started, which the tool does not know.
            let row = if limit.contains("sliding_counter") { row.at_any_time() } else { row };
            shown.agrees(row.answered_with("x-ratelimit-used", "3").times(11));
        }
    }
}

#[test]
fn requests_with_pauses_are_explained_as_they_are_enforced() {
    let policy = "keys: { key: { header: x-key } }
policies: [{ name: p, key: key, limits: [{ quota: 1, window: 3s }] }]
headers: { preset: x-ratelimit, format: delta }
";
    let shown = started(policy);
    let row = row("GET", "/")
        .header("x-key", &new_key())
        .times(5)
        .every("2s", || thread::sleep(Duration::from_secs(2)));
    assert_eq!(row.compare(&shown.gateway, &shown.policy), [200, 429, 200, 429, 200]);
}
