//! What a worker owes and remembers while the service fails, and at the bounds.

use super::*;
use crate::fleet::message::Entry;
use crate::limiter::sliding_window::Slots;
use crate::limiter::{Algorithm, LimitId, SlidingWindow};
use crate::time::SECOND;
use std::num::NonZeroU32;
use wasm_bindgen_test::wasm_bindgen_test;

const DAY: Micros = 86_400 * SECOND;

fn at(micros: Micros) -> Now {
    Now { mono: 1_000 * SECOND + micros, wall: 1_764_403_200 * SECOND + micros }
}

fn who(number: u64) -> Identity {
    Identity { page: number, fingerprint: number }
}

fn limits(quota: u32, window: Micros) -> Vec<Limit> {
    let quota = NonZeroU32::new(quota).unwrap();
    vec![Limit {
        id: LimitId(7),
        quota,
        window,
        algorithm: Algorithm::SlidingWindow(SlidingWindow { slots: Slots::EXACT }),
    }]
}

fn claim(number: u64, limits: &[Limit]) -> Claim<'_> {
    Claim {
        caller: who(number),
        policy: "api",
        limits,
        cost: 1,
        spends: true,
        count_rejected: false,
        gives_back: false,
        forgiven: &[],
    }
}

fn verdict() -> Verdict {
    let quota = NonZeroU32::new(10).unwrap();
    Verdict {
        admitted: true,
        quota: quota.get(),
        remaining: 5,
        next_slot: 0,
        full_reset: SECOND,
        retry_after: 0,
    }
}

/// The answer that applies everything and grants so many units.
fn answer(exchange: &Exchange, granted: u32) -> Answer {
    let entry = |_: &Entry| EntryAnswer {
        applied: true,
        verdicts: vec![verdict()],
        granted,
        term: SECOND,
        ..EntryAnswer::default()
    };
    Answer { epoch: 1, workers: 4, entries: exchange.entries.iter().map(entry).collect() }
}

fn report(units: &mut Units, now: Now) -> Option<(Exchange, Sent)> {
    units.note_due(now);
    units.report(50 * MILLISECOND, now)
}

#[wasm_bindgen_test(unsupported = test)]
fn what_is_owed_stays_a_short_message_however_often_it_is_sent_in_vain() {
    let (mut units, limits) = (Units::new(1), limits(10, 60 * SECOND));
    let mut sent = 0u64;
    for round in 0..600 {
        let now = at(round * 100 * MILLISECOND);
        for i in 0..20 {
            let now = at(round * 100 * MILLISECOND + i);
            units.decide_alone(&claim(1, &limits), OnOutage::Allow, 4, now);
            sent += 1;
        }
        let (exchange, open) = report(&mut units, now).unwrap();
        let corrections = exchange.entries[0].corrections.len();
        assert!(corrections <= 96, "{corrections} corrections after {round} failures");
        units.failed(&open);
    }
    // Nothing of it gets lost.
    let mut owed = std::collections::HashMap::new();
    for round in 0..100 {
        let now = at((600 + round) * 100 * MILLISECOND);
        let Some((exchange, open)) = report(&mut units, now) else { break };
        for one in &exchange.entries[0].corrections {
            owed.insert(one.number, one.more.unwrap().1);
        }
        units.answered(&open, &answer(&exchange, 0), now);
    }
    assert_eq!(owed.values().map(|units| u64::from(*units)).sum::<u64>(), sent);
}

#[wasm_bindgen_test(unsupported = test)]
fn callers_of_an_outage_leave_room_for_others_after_it() {
    let (mut units, limits) = (Units::new(1), limits(1_000, 30 * DAY));
    for number in 0..MAX_ACCOUNTS as u64 {
        units.decide_alone(&claim(number, &limits), OnOutage::Local, 4, at(0));
    }
    // The service is back, and everything owed is told.
    let now = at(SECOND);
    units.note_due(now);
    while let Some((exchange, open)) = units.report(50 * MILLISECOND, now) {
        units.answered(&open, &answer(&exchange, 0), now);
    }
    let later = at(DAY);
    units.forget(later);
    assert!(units.wait(&claim(u64::MAX, &limits), later));
}

#[wasm_bindgen_test(unsupported = test)]
fn a_flood_during_an_outage_gets_nobody_a_second_share() {
    let (mut units, limits) = (Units::new(1), limits(40, 30 * DAY));
    let admits = |units: &mut Units, number, now| {
        let verdicts = units.decide_alone(&claim(number, &limits), OnOutage::Local, 4, now);
        verdicts.is_some_and(|verdicts| verdicts.iter().all(|verdict| verdict.admitted))
    };
    assert_eq!((0..20).filter(|i| admits(&mut units, 0, at(*i))).count(), 10);
    for number in 1..2 * MAX_ACCOUNTS as u64 {
        admits(&mut units, number, at(SECOND + number));
    }
    assert!(!admits(&mut units, 0, at(20 * SECOND)));
}

#[wasm_bindgen_test(unsupported = test)]
fn a_caller_that_changes_its_tier_gets_no_further_share() {
    let (mut units, free, pro) = (Units::new(1), limits(40, 60 * SECOND), limits(80, 60 * SECOND));
    let mut admitted = 0;
    for i in 0..200 {
        let limits = if i % 2 == 0 { &free } else { &pro };
        let verdicts = units.decide_alone(&claim(1, limits), OnOutage::Local, 4, at(i));
        admitted += usize::from(verdicts.unwrap().iter().all(|verdict| verdict.admitted));
    }
    assert!(admitted <= 20, "{admitted}");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_correction_that_can_not_be_sent_yet_is_named_as_open() {
    let (mut units, limits) = (Units::new(1), limits(10, 60 * SECOND));
    let claim = Claim { gives_back: true, ..claim(1, &limits) };
    // A unit is granted and used, and its report is on its way when it is given back.
    units.wait(&claim, at(0));
    let (exchange, open) = units.ask(50 * MILLISECOND, at(0)).unwrap();
    units.answered(&open, &answer(&exchange, 1), at(1));
    let InHand::Admitted { grant, .. } = units.spend(&claim, at(2)) else { panic!("none in hand") };
    let (_, first) = report(&mut units, at(3)).unwrap();
    let back = Change { back: Some((at(2), 1)), grant, ..Change::default() };
    units.correct(&claim, back, at(4));
    // The report gets no answer. What is sent next can't say yet which unit goes back, but that one will.
    units.failed(&first);
    let (second, open) = report(&mut units, at(5)).unwrap();
    units.answered(&open, &answer(&second, 0), at(6));
    let (third, _) = report(&mut units, at(7)).unwrap();
    let number = third.entries[0].corrections[0].number;
    assert!(number < second.entries[0].number);
    assert!(second.entries[0].open.contains(&number), "{:?}", second.entries[0].open);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_flood_of_callers_takes_no_units_out_of_a_busy_callers_hand() {
    let (mut units, limits) = (Units::new(1), limits(1_000, 60 * SECOND));
    let ask = |units: &mut Units, number, granted, now| {
        units.wait(&claim(number, &limits), now);
        let (exchange, open) = units.ask(50 * MILLISECOND, now).unwrap();
        units.answered(&open, &answer(&exchange, granted), now);
        units.spend(&claim(number, &limits), now)
    };
    ask(&mut units, 0, 20, at(0));
    for number in 1..2 * MAX_ACCOUNTS as u64 {
        ask(&mut units, number, 1, at(number * 30));
    }
    let now = at(2 * MAX_ACCOUNTS as u64 * 30);
    assert!(matches!(units.spend(&claim(0, &limits), now), InHand::Admitted { .. }));
}

/// A worker with a caller whose grants of one unit each were used and reported.
fn with_reported_uses(gives_back: bool) -> (Units, Now) {
    let (mut units, limits, mut now) = (Units::new(1), limits(1_000, DAY), at(0));
    let claim = Claim { gives_back, ..claim(1, &limits) };
    for _ in 0..200 {
        units.wait(&claim, now);
        let (exchange, sent) = units.ask(50 * MILLISECOND, now).unwrap();
        units.answered(&sent, &answer(&exchange, 1), now);
        assert!(matches!(units.spend(&claim, now), InHand::Admitted { .. }));
        now = at(now.mono - at(0).mono + 10 * MILLISECOND);
    }
    (units, now)
}

#[wasm_bindgen_test(unsupported = test)]
fn only_where_units_go_back_is_it_remembered_when_they_count_and_there_only_the_last() {
    let remembered = |gives_back| {
        let (units, _) = with_reported_uses(gives_back);
        units.accounts.get(who(1)).unwrap().remembered()
    };
    assert_eq!((remembered(false), remembered(true)), (0, 96));
}

#[wasm_bindgen_test(unsupported = test)]
fn a_forgiven_caller_asks_again_and_units_from_before_serve_it_no_more() {
    let (mut units, limits) = (Units::new(1), limits(10, 30 * DAY));
    let entries = [Forgiven::new(&limits[0], at(SECOND).wall)];
    let forgiven = Claim { forgiven: &entries, ..claim(1, &limits) };
    let ask = |units: &mut Units, claim: &Claim<'_>, now, granted| {
        assert!(units.wait(claim, now));
        let (exchange, sent) = units.ask(50 * MILLISECOND, now).unwrap();
        units.answered(&sent, &answer(&exchange, granted), now);
        exchange.entries[0].clone()
    };
    let asked = ask(&mut units, &forgiven, at(0), 4);
    assert_eq!(asked.forgive, [], "it is not yet time");
    assert!(matches!(units.spend(&forgiven, at(1)), InHand::Admitted { .. }));
    let now = at(SECOND - 1);
    assert!(matches!(units.spend(&forgiven, now), InHand::Admitted { .. }));
    let now = at(SECOND);
    assert_eq!(units.spend(&forgiven, now), InHand::Ask, "two units are in hand, from before");
    let asked = ask(&mut units, &forgiven, now, 4);
    assert_eq!(asked.forgive, entries);
    assert_eq!(asked.reports.len(), 1, "what was in hand is reported");
    assert!(matches!(units.spend(&forgiven, now), InHand::Admitted { .. }), "and these are new");
    // The entry is removed.
    assert!(matches!(units.spend(&claim(1, &limits), now), InHand::Admitted { .. }));
}

#[wasm_bindgen_test(unsupported = test)]
fn units_that_were_asked_for_before_a_caller_was_forgiven_serve_it_no_more() {
    for granted in [0, 4] {
        let (mut units, limits) = (Units::new(1), limits(10, 30 * DAY));
        let entries = [Forgiven::new(&limits[0], at(0).wall)];
        let forgiven = Claim { forgiven: &entries, ..claim(1, &limits) };
        assert!(units.wait(&claim(1, &limits), at(0)));
        let (asked, sent) = units.ask(50 * MILLISECOND, at(0)).unwrap();
        assert_eq!(asked.entries[0].forgive, []);
        assert!(units.wait(&forgiven, at(1)));
        let mut before = answer(&asked, granted);
        before.entries[0].verdicts[0].admitted = granted > 0;
        before.entries[0].remember = SECOND;
        units.answered(&sent, &before, at(2));
        assert_eq!(units.spend(&forgiven, at(3)), InHand::Ask, "the answer is from before");
        assert_eq!(units.look(&forgiven, at(3)), InHand::Ask);
        assert!(units.wait(&forgiven, at(3)));
        let (asked, sent) = units.ask(50 * MILLISECOND, at(3)).unwrap();
        assert_eq!(asked.entries[0].forgive, entries);
        assert_eq!(asked.entries[0].reports.len(), usize::from(granted > 0), "what was granted is reported");
        units.answered(&sent, &answer(&asked, 1), at(4));
        assert!(matches!(units.spend(&forgiven, at(4)), InHand::Admitted { .. }));
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn its_share_of_an_outage_is_new_once() {
    let (mut units, limits) = (Units::new(1), limits(40, 30 * DAY));
    let entries = [Forgiven::new(&limits[0], at(SECOND).wall)];
    let admitted = |units: &mut Units, from: Micros, forgiven: &[Forgiven]| {
        let claim = Claim { forgiven, ..claim(1, &limits) };
        let admits = |i: &Micros| {
            let verdicts = units.decide_alone(&claim, OnOutage::Local, 4, at(from + i));
            verdicts.is_some_and(|verdicts| verdicts.iter().all(|verdict| verdict.admitted))
        };
        (0..20).filter(admits).count()
    };
    assert_eq!(admitted(&mut units, 0, &[]), 10);
    assert_eq!(admitted(&mut units, SECOND, &entries), 10);
    assert_eq!(admitted(&mut units, 2 * SECOND, &entries), 0);
    assert_eq!(admitted(&mut units, 3 * SECOND, &[]), 0);
    assert_eq!(admitted(&mut units, 4 * SECOND, &entries), 0);
}
