//! Policies that are enforced for a share of their callers, and policies with a schedule.

use super::*;
use crate::engine::applying;
use crate::engine::caller::{Caller, ConsumerCache};
use crate::http::RequestCache;
use crate::identity::{Seed, Seeds};
use crate::limiter::WorkerId;
use crate::table::Table;
use crate::testing::compiled;
use crate::time::parse_instant;

/// One request a minute for each key, and then a rejection; with these further fields.
fn of_share(fields: &str) -> String {
    format!(
        r#"{{"keys": {{"key": {{"query": "key"}}}},
             "policies": [{{"name": "p", "key": "key", "limits": [{{"quota": 1, "window": "60s"}}], {fields}}}]}}"#
    )
}

fn key(i: u32) -> FakeRequest {
    FakeRequest::to(&format!("/?key=caller-{i}"))
}

/// Which of 2,000 callers are rejected by their second request.
fn enforced(fixture: &mut Fixture) -> Vec<bool> {
    let second = |i| (0..2).map(|_| fixture.decide(&key(i)).rejected()).last().unwrap();
    (0..2_000).map(second).collect()
}

#[wasm_bindgen_test(unsupported = test)]
fn a_share_is_about_as_large_as_it_says_and_the_rest_is_in_shadow() {
    let mut fixture = Fixture::new(&of_share(r#""enforce": "10%""#));
    let rejected = enforced(&mut fixture);
    let share = rejected.iter().filter(|rejected| **rejected).count();
    assert!((140..=260).contains(&share), "{share} of 2000");
    let free = (0..2_000).find(|i| !rejected[*i as usize]).unwrap();
    let decision = fixture.decide(&key(free));
    assert!(decision.shadows()[0].rejected() && decision.policies().is_empty());
}

#[wasm_bindgen_test(unsupported = test)]
fn whoever_belongs_to_a_share_belongs_to_every_larger_one() {
    let mut before = vec![false; 2_000];
    for percent in [1, 5, 10, 20, 50, 99, 100] {
        let now = enforced(&mut Fixture::new(&of_share(&format!(r#""enforce": "{percent}%""#))));
        assert!(before.iter().zip(&now).all(|(before, now)| *now || !before), "{percent}");
        before = now;
    }
    assert!(before.iter().all(|rejected| *rejected), "100% are all");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_caller_belongs_to_the_same_share_in_every_worker_and_after_every_reload() {
    let mut fixture = Fixture::new(&of_share(r#""enforce": "30%""#));
    let first = enforced(&mut fixture);
    // Another worker of the same process has the same seed.
    let table = Table::new(Seed::new([7; Seed::LEN]), fixture.engine.rules().table_size, WorkerId(2));
    fixture.table = table;
    fixture.wait(61);
    assert_eq!(enforced(&mut fixture), first);
    let reloaded = of_share(r#""enforce": "30%", "cost": 1"#)
        .replace("\"quota\": 1", "\"quota\": 1, \"burst\": 1, \"algorithm\": \"token_bucket\"");
    assert_eq!(enforced(&mut Fixture::new(&reloaded)), first);
}

#[wasm_bindgen_test(unsupported = test)]
fn the_share_of_a_fleets_policy_is_the_same_in_every_proxy() {
    let policy = of_share(r#""enforce": "30%", "scope": "fleet""#)
        .replace("{\"keys\"", "{\"fleet\": {\"cluster\": \"f\"}, \"keys\"");
    let rules = compiled(&policy).rules;
    let shadows = |table: u8, fleet: Option<u8>| {
        let seed = |byte| Seed::new([byte; Seed::LEN]);
        let seeds = Seeds { table: seed(table), fleet: fleet.map(seed) };
        let cache = ConsumerCache::default();
        let is_shadow = |i| {
            let sent = key(i);
            let request = RequestCache::new(&sent);
            applying(
                &rules,
                &request,
                &Caller::new(&request, &rules.callers, &cache, &seeds, &[]),
                0,
                &mut Vec::new(),
            )[0]
            .shadow
        };
        (0..500).map(is_shadow).collect::<Vec<bool>>()
    };
    assert_eq!(shadows(1, Some(9)), shadows(2, Some(9)));
    assert_ne!(shadows(1, None), shadows(2, None), "before they have joined, each has its own");
}

#[wasm_bindgen_test(unsupported = test)]
fn conflicting_values_are_no_way_out_of_the_share() {
    let mut fixture = Fixture::new(&of_share(r#""enforce": "1%""#));
    assert_eq!(fixture.passed(200, |i| FakeRequest::to(&format!("/?key=caller-{i}&key=other"))), 0);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_caller_outside_the_share_gets_the_next_policy_of_the_class() {
    let mut fixture = Fixture::new(
        r#"{"keys": {"key": {"query": "key"}}, "policies": [
            {"name": "new", "key": "key", "class": "c", "enforce": "50%", "limits": [{"quota": 1, "window": "60s"}]},
            {"name": "old", "key": "key", "class": "c", "limits": [{"quota": 3, "window": "60s"}]}]}"#,
    );
    let passed: Vec<usize> = (0..100).map(|i| fixture.passed(5, |_| key(i))).collect();
    assert!(passed.contains(&1) && passed.contains(&3));
    assert!(passed.iter().all(|passed| [1, 3].contains(passed)));
}

/// A policy of one request for office hours in Madrid, and one of three requests of the same class.
const OFFICE: &str = r#"{"keys": {"key": {"query": "key"}}, "policies": [
    {"name": "office", "key": "key", "class": "c", "limits": [{"quota": 1, "window": "60s"}],
     "schedule": [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "17:00", "time_zone": "Europe/Madrid"},
                  {"days": ["sat"], "from": "23:00", "to": "01:00", "time_zone": "Europe/Madrid"}]},
    {"name": "rest", "key": "key", "class": "c", "limits": [{"quota": 3, "window": "60s"}]}]}"#;

fn at(fixture: &mut Fixture, instant: &str) {
    let wall = parse_instant(instant).unwrap();
    fixture.now = Now { mono: fixture.now.mono + 3_600 * SECOND, wall };
}

#[wasm_bindgen_test(unsupported = test)]
fn outside_its_schedule_a_policy_takes_no_part_in_its_class() {
    let mut fixture = Fixture::new(OFFICE);
    for (instant, passes) in [
        ("2026-05-15T06:59:59Z", 3), // a Friday; 08:59:59
        ("2026-05-15T07:00:00Z", 1),
        ("2026-05-15T14:59:59Z", 1),
        ("2026-05-15T15:00:00Z", 3),
        ("2026-05-16T10:00:00Z", 3),
        ("2026-05-16T21:00:00Z", 1), // Saturday, 23:00
        ("2026-05-16T22:59:59Z", 1), // 00:59:59 on Sunday
        ("2026-05-16T23:00:00Z", 3),
        // In winter, the same hours are an hour later in UTC.
        ("2026-11-27T07:59:59Z", 3),
        ("2026-11-27T08:00:00Z", 1),
        // The first office hours after each change.
        ("2026-03-30T06:59:59Z", 3),
        ("2026-03-30T07:00:00Z", 1),
        ("2026-10-26T07:59:59Z", 3),
        ("2026-10-26T08:00:00Z", 1),
    ] {
        at(&mut fixture, instant);
        assert_eq!(fixture.passed(5, |_| key(1)), passes, "{instant}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn what_was_counted_within_the_schedule_is_kept_over_its_pause() {
    let mut fixture = Fixture::new(&OFFICE.replace("\"60s\"", "\"1d\""));
    at(&mut fixture, "2026-05-14T14:59:00Z");
    assert_eq!(fixture.passed(5, |_| key(1)), 1);
    fixture.wait(120);
    assert_eq!(fixture.passed(5, |_| key(1)), 3);
    at(&mut fixture, "2026-05-15T07:00:00Z"); // an hour later on the clock of counts
    assert_eq!(fixture.passed(5, |_| key(1)), 0);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_request_is_settled_although_the_schedule_has_ended() {
    let mut fixture = Fixture::new(
        r#"{"keys": {"key": {"query": "key"}}, "policies": [
            {"name": "p", "key": "key", "refund_on": ["5xx"], "schedule": [{"from": "09:00", "to": "17:00"}],
             "limits": [{"quota": 1, "window": "1d"}, {"name": "flight", "algorithm": "concurrency", "quota": 1}]}]}"#,
    );
    at(&mut fixture, "2026-05-15T16:59:59Z");
    let mut decision = fixture.decide(&key(1));
    fixture.wait(10);
    fixture.on_response(&mut decision, &FakeResponse::of_upstream(503));
    fixture.on_stream_end(&mut decision);
    at(&mut fixture, "2026-05-15T09:00:00Z");
    assert_eq!(fixture.passed(5, |_| key(1)), 1);
}
