//! A2: no answer is no good answer.

use super::*;
use crate::call::Call;
use crate::fate::Ending;
use crate::random_policy::knows;
use crate::upstream::Deed;
use tollgate::time::{MILLISECOND, SECOND};

const HOOKS: &str = r#"{"name": "hooks", "key": "key", "match": [{"method": "POST", "path": "/hooks"}],
    "refund_unless": [201], "returns": [{"method": "DELETE", "path": "/hooks/{id}"}],
    "limits": [{"algorithm": "stock", "quota": 10}] MORE}"#;

fn hooks(more: &str) -> World {
    roomy(&policies(&HOOKS.replace("MORE", more)))
}

fn create() -> Visit {
    Visit::new(Call::post("/hooks").key("one"), Deed::Creates)
}

fn delete() -> Visit {
    Visit::new(Call::new("DELETE", "/hooks/7").key("one"), Deed::Deletes)
}

/// A hundred creates, and what has come of them.
fn created(fate: Fate) -> u32 {
    let mut world = hooks("");
    let created = ask(&mut world, 100, &create(), fate, 30 * MILLISECOND);
    world.wait(10 * SECOND);
    created + ask(&mut world, 100, &create(), fate, 30 * MILLISECOND)
}

#[test]
fn a2_hanging_up_buys_nothing() {
    let left = Fate::left(20 * MILLISECOND, 100 * MILLISECOND);
    assert_eq!(created(left), 10, "creates reached the upstream, of a stock of 10");
}

#[test]
fn a2_a_timeout_of_envoy_buys_nothing() {
    let timed_out = Fate::timed_out(20 * MILLISECOND, 100 * MILLISECOND);
    assert_eq!(created(timed_out), 10, "creates reached the upstream, of a stock of 10");
}

#[test]
fn a2_an_answer_of_envoy_gives_nothing_back() {
    let document = policies(
        r#"{"name": "p", "key": "key", "refund_on": ["5xx"], "limits": [{"quota": 10, "window": "60s"}]}"#,
    );
    let visit = Visit::new(Call::get("/").key("one"), Deed::Answers(200));
    let fate = Fate::timed_out(20 * MILLISECOND, 10 * MILLISECOND);
    let admitted = ask(&mut roomy(&document), 100, &visit, fate, 30 * MILLISECOND);
    assert_eq!(admitted, 10, "requests that the upstream has handled");
}

#[test]
fn a2_an_answer_of_the_upstream_gives_back_what_it_always_did() {
    let mut world = hooks("");
    let invalid = Visit { deed: Deed::Answers(422), ..create() };
    let fate = Fate::served(10 * MILLISECOND);
    assert_eq!(ask(&mut world, 100, &invalid, fate, 30 * MILLISECOND), 100, "nothing was created");
    assert_eq!(ask(&mut world, 100, &create(), fate, 30 * MILLISECOND), 10);
    assert_eq!(ask(&mut world, 4, &delete(), fate, 30 * MILLISECOND), 4);
    assert_eq!(ask(&mut world, 100, &create(), fate, 30 * MILLISECOND), 4, "so many were deleted");
}

/// A stock whose true number each answer tells.
fn reported() -> World {
    const HEADER: &str = r#""stock_header": "x-stock-0""#;
    assert!(knows(&format!("{HEADER},")), "the language has no stock_header");
    hooks(&format!(", {HEADER}"))
}

#[test]
fn a2_a_stock_is_corrected_by_what_the_upstream_says() {
    let mut world = reported();
    let (served, left) = (Fate::served(10 * MILLISECOND), Fate::left(MILLISECOND, 10 * MILLISECOND));
    assert_eq!(ask(&mut world, 100, &create(), served, 30 * MILLISECOND), 10);
    assert_eq!(
        ask(&mut world, 10, &delete(), left, 30 * MILLISECOND),
        10,
        "all is deleted, and nobody heard"
    );
    let nothing = Visit { deed: Deed::Answers(404), ..delete() };
    ask(&mut world, 1, &nothing, served, 30 * MILLISECOND);
    assert_eq!(ask(&mut world, 100, &create(), served, 30 * MILLISECOND), 10, "none existed");
}

#[test]
fn a2_what_a_request_costs_without_an_answer_is_the_policys_to_say() {
    const SAID: &str = r#""cost_header": "x-cost", "unanswered": 50,"#;
    assert!(knows(SAID), "the language has no unanswered");
    let document = policies(&format!(
        r#"{{"name": "p", "key": "key", {SAID} "limits": [{{"quota": 100, "window": "60s"}}]}}"#
    ));
    let dear = Visit { cost: 50, ..Visit::new(Call::get("/").key("one"), Deed::Answers(200)) };
    let left = Fate::left(5 * MILLISECOND, 10 * MILLISECOND);
    let admitted = ask(&mut roomy(&document), 100, &dear, left, 30 * MILLISECOND);
    assert_eq!(admitted, 2, "requests of 50 real units each, of a quota of 100");
}

/// Each answer tells how many there were when its request was handled; the first is the last to arrive.
#[test]
fn a2_an_answer_that_others_have_overtaken_makes_no_room() {
    let mut world = reported();
    let mut created = 0;
    for _ in 0..10 {
        for back in (1..=10).rev() {
            let ending = Ending::Served { back: back * 10 * MILLISECOND, tail: 0 };
            let late = Fate { handled: Some(20 * MILLISECOND), ending };
            created += u32::from(world.ask_alone(0, &create(), late, MILLISECOND));
        }
        world.wait(SECOND);
    }
    assert_eq!(created, 10, "creates reached the upstream, of a stock of 10");
}

/// What was left is not handled yet when another answer tells how many there are.
#[test]
fn a2_an_answer_before_what_was_left_is_handled_makes_no_room() {
    let mut world = reported();
    let mut created = 0;
    for _ in 0..10 {
        created +=
            ask(&mut world, 10, &create(), Fate::left(MILLISECOND, 100 * MILLISECOND), 2 * MILLISECOND);
        let nothing = Visit { deed: Deed::Answers(404), ..delete() };
        ask(&mut world, 1, &nothing, Fate::served(MILLISECOND), 5 * MILLISECOND);
    }
    assert_eq!(created, 10, "creates reached the upstream, of a stock of 10");
}
