//! A1: what a worker remembers is bounded, and at the bound nothing may be lost.

use super::*;
use crate::call::Call;
use crate::upstream::Deed;
use tollgate::time::{MILLISECOND, SECOND};

/// More callers than a worker has accounts for, all within one second.
const STRANGERS: u64 = 4_200;

const LOGINS: &str =
    r#"{"name": "logins", "key": "ip", "count_on": [401], "limits": [{"quota": 5, "window": "10m"}]}"#;

fn failed_login(address: u64) -> Visit {
    Visit::new(Call::post("/login").from(address), Deed::Answers(401))
}

/// A tick has just been. Each stranger makes one request.
fn flood(world: &mut World, strangers: u64, visit: impl Fn(u64) -> Visit) {
    world.wait(SECOND + MILLISECOND);
    for stranger in 1_000..1_000 + strangers {
        world.ask(0, &visit(stranger), Fate::served(0));
        world.wait(100);
    }
}

#[test]
fn a1_late_charges_survive_a_full_map() {
    let mut world = roomy(&policies(LOGINS));
    flood(&mut world, STRANGERS, failed_login);
    let admitted = ask(&mut world, 400, &failed_login(1), Fate::served(0), MILLISECOND);
    assert_eq!(admitted, 5, "failed logins past a limit of 5, after those of {STRANGERS} others");
}

#[test]
fn a1_one_caller_more_than_fit_changes_nothing() {
    let admitted = [4_094, 4_095, 4_096, 4_097].map(|others| {
        let mut world = roomy(&policies(LOGINS));
        flood(&mut world, others, failed_login);
        ask(&mut world, 400, &failed_login(1), Fate::served(0), MILLISECOND)
    });
    assert_eq!(admitted, [5; 4], "failed logins past a limit of 5");
}

#[test]
fn a1_real_costs_survive_a_full_map() {
    let document = policies(
        r#"{"name": "p", "key": "key", "cost_header": "x-cost", "limits": [{"quota": 40, "window": "10m"}]}"#,
    );
    let mut world = roomy(&document);
    let dear = |key: u64| Visit {
        cost: 20,
        ..Visit::new(Call::get("/").key(format!("k{key}")), Deed::Answers(200))
    };
    flood(&mut world, STRANGERS, dear);
    let admitted = ask(&mut world, 400, &dear(1), Fate::served(0), MILLISECOND);
    assert_eq!(admitted, 2, "requests of 20 units past a quota of 40");
}

/// Releases are debts, too: honest clients alone can fill the map.
#[test]
fn a1_honest_streams_under_a_concurrency_limit_fill_no_map() {
    let at_once = r#"{"name": "at_once", "key": "ip", "limits": [{"algorithm": "concurrency", "quota": 8}]}"#;
    let mut world = roomy(&policies(&format!("{at_once}, {LOGINS}")));
    flood(&mut world, STRANGERS, |stranger| Visit { deed: Deed::Answers(200), ..failed_login(stranger) });
    let admitted = ask(&mut world, 400, &failed_login(1), Fate::served(0), MILLISECOND);
    assert_eq!(admitted, 5, "failed logins past a limit of 5, beside {STRANGERS} honest clients");
}

#[test]
fn a1_refunds_survive_a_full_map() {
    let document = policies(
        r#"{"name": "p", "key": "ip", "refund_on": ["5xx"], "limits": [{"quota": 3, "window": "10m"}]}"#,
    );
    let mut world = roomy(&document);
    let fails = |address: u64| Visit::new(Call::get("/").from(address), Deed::Answers(500));
    flood(&mut world, STRANGERS, fails);
    let admitted = ask(&mut world, 100, &fails(1), Fate::served(0), MILLISECOND);
    assert_eq!(admitted, 100, "requests whose units all come back");
}
