//! What an operator sees of limits that the fleet counts, with a service that the test plays.

use super::*;
use crate::filter::tests::fleet::{FLEET, Member, SEED, calls, latest};
use crate::fleet::message::{Answer, Entry, EntryAnswer};
use crate::limiter::Verdict;
use crate::time::MILLISECOND;

/// A member of the fleet that has joined, and the operator's filter in the same VM.
fn pair_in_fleet() -> (Member, Worker) {
    let policy = FLEET.replace("ON_OUTAGE", "local");
    let member = Member::joined("local");
    let host = Fake::again(&policy.replacen('{', r#"{"role": "operator","#, 1));
    let mut root = TollgateRoot::new(host, member.0.tables.clone(), member.0.members.clone(), 2);
    assert!(root.configure());
    let operator = Worker { tables: member.0.tables.clone(), members: member.0.members.clone(), root };
    on(Some(("/run/tollgate.sock", None)));
    (member, operator)
}

/// A question about `acme` that waits for the service.
fn ask(operator: &Worker, method: &str, path: &str) -> TollgateStream<Fake> {
    host(|knows| {
        let headers = [(":method", method), (":path", path), ("x-tollgate-value", "acme")];
        knows.request = headers.map(|(name, value)| (name.to_string(), value.to_string())).to_vec();
        knows.replies.clear();
    });
    let mut stream = operator.root.create_stream(STREAM);
    assert_eq!(stream.request(STREAM), Flow::Paused);
    operator.root.send_calls();
    stream
}

/// The service answers the latest call of the operator's filter: so many units are left. Returns its only entry.
fn answer(operator: &Worker, remaining: u64) -> Entry {
    let (call, exchange) = latest();
    let retry_after = if remaining > 0 { 0 } else { 30 * SECOND };
    let (next_slot, full_reset) = (30 * SECOND, 60 * SECOND);
    let verdict =
        Verdict { admitted: remaining > 0, quota: 8, remaining, next_slot, full_reset, retry_after };
    let entry =
        EntryAnswer { applied: true, verdicts: vec![verdict], remember: SECOND, ..EntryAnswer::default() };
    let answer = Answer { epoch: 1, workers: 4, entries: vec![entry; exchange.entries.len()] };
    host(|knows| knows.answer = (200, answer.encode()));
    operator.root.answered(call);
    let [entry] = &exchange.entries[..] else { panic!("{exchange:?}") };
    entry.clone()
}

fn reply() -> (u32, String) {
    let replies = host(|knows| knows.replies.clone());
    assert_eq!(replies.len(), 1);
    (replies[0].0, replies[0].1.clone())
}

#[wasm_bindgen_test(unsupported = test)]
fn an_operator_sees_what_the_service_says_and_nothing_is_counted() {
    let (_member, operator) = pair_in_fleet();
    let _stream = ask(&operator, "GET", "/caller?key=client");
    let entry = answer(&operator, 3);
    let asked = entry.ask.unwrap();
    assert!(asked.only_judge && asked.at_most == 0 && entry.forgive.is_empty(), "{entry:?}");
    assert_eq!(
        reply(),
        (200, r#"{"key":"client","consumer":null,"tier":null,"policies":[{"policy":"per-client","scope":"fleet","rejected_for":0,"limits":[{"limit":"limit","algorithm":"sliding_window","quota":8,"used":5,"remaining":3,"next_unit_in":30,"all_units_in":60}]}],"left_out":[]}"#.into())
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn a_caller_that_the_fleet_rejects_is_shown_with_its_wait() {
    let (_member, operator) = pair_in_fleet();
    let _stream = ask(&operator, "GET", "/caller?key=client");
    answer(&operator, 0);
    let (_, body) = reply();
    assert!(body.contains(r#""rejected_for":30"#) && body.contains(r#""used":8,"remaining":0"#), "{body}");
}

#[wasm_bindgen_test(unsupported = test)]
fn what_is_forgiven_in_the_fleet_is_told_to_the_service_once_and_shown_after_it_has_followed() {
    let (member, operator) = pair_in_fleet();
    let (_, _request) = member.request(STREAM + 1);
    // The service rejects a request that was asked for before.
    let (call, _) = latest();
    let _stream = ask(&operator, "POST", "/forgive?key=client&policy=per-client");
    assert_eq!(latest().0, call, "one question about a caller at a time");
    let verdict =
        Verdict { admitted: false, quota: 8, remaining: 0, next_slot: 0, full_reset: 0, retry_after: SECOND };
    let rejection =
        EntryAnswer { applied: true, verdicts: vec![verdict], remember: SECOND, ..EntryAnswer::default() };
    member.answer(call, 200, &Answer { epoch: 1, workers: 4, entries: vec![rejection] }.encode());
    assert_eq!(host(|knows| knows.replies.len()), 0, "that answer is from before");
    operator.root.send_calls();
    let (call, exchange) = latest();
    assert_eq!(exchange.entries[0].forgive.len(), 1, "{exchange:?}");
    let verdict = Verdict { admitted: true, remaining: 8, retry_after: 0, ..verdict };
    let fresh = EntryAnswer {
        applied: true,
        verdicts: vec![verdict],
        granted: 1,
        term: 50 * MILLISECOND,
        ..EntryAnswer::default()
    };
    member.answer(call, 200, &Answer { epoch: 1, workers: 4, entries: vec![fresh] }.encode());
    let shown = host(|knows| knows.replies.last().cloned()).unwrap();
    assert!(shown.0 == 200 && shown.1.contains(r#""forgiven":true,"scope":"fleet""#), "{shown:?}");
    // When its account is gone here, only the service remembers it.
    wait(90);
    operator.root.tick();
    let _stream = ask(&operator, "GET", "/caller?key=client");
    let entry = answer(&operator, 8);
    assert!(entry.forgive.is_empty(), "{entry:?}");
}

#[wasm_bindgen_test(unsupported = test)]
fn the_pseudonym_of_a_caller_of_the_fleet_is_known_to_a_worker_that_has_met_it() {
    let (_member, operator) = pair_in_fleet();
    let _stream = ask(&operator, "GET", "/caller?key=client");
    let fingerprint = answer(&operator, 3).caller.fingerprint;
    wait(5);
    let _stream = ask(&operator, "GET", &format!("/caller?caller={fingerprint:016x}"));
    assert_eq!(answer(&operator, 4).caller.fingerprint, fingerprint);
    let (_, body) = reply();
    assert!(body.contains(r#""policies":[{"policy":"per-client","scope":"fleet""#), "{body}");
}

#[wasm_bindgen_test(unsupported = test)]
fn while_the_service_does_not_answer_the_view_says_so_and_nothing_is_said_to_be_forgiven() {
    for (method, path, status) in [("GET", "/caller?key=client", 200), ("POST", "/forgive?key=client", 503)] {
        let (_member, operator) = pair_in_fleet();
        let _stream = ask(&operator, method, path);
        for _ in 0..9 {
            host(|knows| knows.answer = (503, Vec::new()));
            operator.root.answered(calls() as u32);
        }
        let (found, body) = reply();
        assert_eq!(found, status, "{body}");
        assert!(body.contains("the fleet's service does not answer"), "{body}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_service_that_answers_nothing_about_the_caller_is_asked_a_few_times() {
    let (_member, operator) = pair_in_fleet();
    let before = calls();
    let _stream = ask(&operator, "GET", "/caller?key=client");
    while host(|knows| knows.replies.is_empty()) {
        let asked = calls() - before;
        assert!(asked <= 4, "asked {asked} times");
        let (call, exchange) = latest();
        let entries = vec![EntryAnswer::default(); exchange.entries.len()];
        host(|knows| knows.answer = (200, Answer { epoch: 1, workers: 4, entries }.encode()));
        operator.root.answered(call);
        wait(1);
        operator.root.send_calls();
    }
    let (_, body) = reply();
    assert!(body.contains("the fleet's service does not answer"), "{body}");
}

#[wasm_bindgen_test(unsupported = test)]
fn an_operator_that_leaves_while_the_service_is_asked_gets_no_answer() {
    let (_member, operator) = pair_in_fleet();
    drop(ask(&operator, "GET", "/caller?key=client"));
    answer(&operator, 3);
    assert_eq!(host(|knows| knows.replies.len()), 0);
}

#[wasm_bindgen_test(unsupported = test)]
fn an_operator_is_answered_after_the_worker_has_joined() {
    let policy = FLEET.replace("ON_OUTAGE", "local").replacen('{', r#"{"role": "operator","#, 1);
    let operator = Worker::start(&policy);
    on(Some(("/run/tollgate.sock", None)));
    let _stream = ask(&operator, "GET", "/caller?key=client");
    host(|knows| knows.answer = (200, SEED.to_vec()));
    operator.root.answered(1);
    answer(&operator, 3);
    assert!(reply().1.contains(r#""used":5"#));
}

#[wasm_bindgen_test(unsupported = test)]
fn a_host_that_allows_no_calls_leaves_the_fleet_out_of_the_view() {
    let fake = Fake::new(&FLEET.replace("ON_OUTAGE", "local").replacen('{', r#"{"role": "operator","#, 1));
    host(|knows| knows.rejects_calls = true);
    let operator = Worker::join(fake);
    on(Some(("/run/tollgate.sock", None)));
    let (status, body) = about(&operator, "GET", "/caller?key=client", "acme");
    assert!(status == 200 && body.contains("the fleet's service does not answer"), "{body}");
}
