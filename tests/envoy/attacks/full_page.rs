//! In a page full of callers that may not be forgotten, newcomers are judged where they are counted.

use super::ONE_PAGE;
use crate::harness::{Request, Served, Setup, eventually, new_ip, new_key};

const QUOTA: usize = 5;
const NEWCOMERS: usize = 6;
const TRIES: usize = 60;

/// Policies with these fields, beside one by which the page is filled.
fn served(keys: &str, policies: &str) -> Served {
    let policy = format!(
        "keys:
  regular: {{ header: x-regular }}
{keys}policies:
  - {{ name: regular, key: regular, limits: [{{ quota: 2, window: 1h }}] }}
{policies}{ONE_PAGE}"
    );
    let served = Setup::yaml(policy).alone().start_served();
    fill(&served);
    served
}

/// Callers whom the upstream answers well and who use up what they have: more than the page has room for.
fn fill(served: &Served) {
    for _ in 0..40 {
        served.gateway.get("/").header("x-regular", new_key()).admitted_of(3);
    }
    eventually("a full page", || (served.gateway.metric("table.overflow") > 0).then_some(()));
}

/// How often each of some newcomers reaches the upstream, which answers 401.
fn reached(served: &Served, newcomer: impl Fn() -> Request) -> Vec<usize> {
    let attempts = |request: Request| {
        served.arrivals(|| {
            for _ in 0..TRIES {
                request.send();
            }
        })
    };
    (0..NEWCOMERS).map(|_| attempts(newcomer().answered(401))).collect()
}

/// All together: they share one record.
fn assert_limited(reached: &[usize], most: usize) {
    assert!(reached.iter().sum::<usize>() <= most, "{reached:?} of {TRIES} each reached the upstream");
}

#[test]
fn failed_logins_from_new_addresses_are_limited_in_a_full_page() {
    let served = served(
        "  client_ip: { client_ip: {} }\n",
        "  - { name: failures, key: client_ip, match: [{ path: /login }], count_on: [401], limits: [{ quota: 5, window: 10m }] }\n",
    );
    assert_limited(&reached(&served, || served.gateway.get("/login").from(new_ip())), QUOTA);
}

#[test]
fn failed_logins_to_new_accounts_are_limited_in_a_full_page() {
    let served = served(
        "  account: { header: x-account }\n",
        "  - { name: failures, key: account, count_on: [401], limits: [{ quota: 5, window: 10m }] }\n",
    );
    assert_limited(&reached(&served, || served.gateway.get("/").header("x-account", new_key())), QUOTA);
}

#[test]
fn failed_logins_whose_client_hangs_up_are_limited_in_a_full_page() {
    let served = served(
        "  account: { header: x-account }\n",
        "  - { name: failures, key: account, count_on: [401], limits: [{ quota: 5, window: 10m }] }\n",
    );
    let guesses = || vec![served.gateway.get("/").header("x-account", new_key()); TRIES];
    let reached: Vec<_> = (0..NEWCOMERS).map(|_| served.hung_up(&guesses())).collect();
    assert_limited(&reached, QUOTA);
}

#[test]
fn late_costs_of_newcomers_are_limited_in_a_full_page() {
    let served = served(
        "  caller: { header: x-caller }\n",
        "  - { name: costs, key: caller, cost_header: x-cost, limits: [{ quota: 100, window: 10m }] }\n",
    );
    let newcomer = || served.gateway.get("/").header("x-caller", new_key()).answered_with("x-cost", "20");
    assert_limited(&reached(&served, newcomer), QUOTA);
}

/// Else a made-up key would be a budget of its own for as long as it is shown.
#[test]
fn a_rejected_credential_is_none_any_more_in_a_full_page() {
    let served = served(
        "  key: { header: x-key, valid: { unless: [401], for: 10m } }
  client_ip: { client_ip: {} }\n",
        "  - { name: keyed, class: caller, key: key, match: [{ path: /api }], limits: [{ quota: 1000, window: 1h }] }
  - { name: anonymous, class: caller, key: client_ip, match: [{ path: /api }], limits: [{ quota: 5, window: 10m }] }\n",
    );
    let newcomer = || served.gateway.get("/api").from(new_ip()).header("x-key", new_key());
    // Before the first answer a key may be believed.
    assert_limited(&reached(&served, newcomer), QUOTA + NEWCOMERS);
}
