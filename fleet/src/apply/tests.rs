//! What the simulation can't show: single steps.

use super::apply;
use crate::record::{HOLDER_TTL, Record};
use std::num::NonZeroU32;
use tollgate::fleet::REPORT_TIME;
use tollgate::fleet::message::{Ask, Correction, Entry, EntryAnswer, Report};
use tollgate::identity::Identity;
use tollgate::limiter::Growth;
use tollgate::limiter::concurrency::WorkerId;
use tollgate::limiter::penalty::Penalty;
use tollgate::limiter::sliding_window::Slots;
use tollgate::limiter::{
    Algorithm, Concurrency, Counter, FixedWindow, Forgiven, Limit, LimitId, SlidingWindow, Stock,
};
use tollgate::time::{MILLISECOND, Micros, Now, SECOND};

const T: Micros = 1_764_403_200 * SECOND;
const ANN: u64 = 0xA;
const BOB: u64 = 0xB;

fn limit(algorithm: Algorithm) -> Limit {
    Limit { id: LimitId(7), quota: NonZeroU32::new(10).unwrap(), window: 60 * SECOND, algorithm }
}

fn sliding() -> Limit {
    limit(Algorithm::SlidingWindow(SlidingWindow { slots: Slots::EXACT }))
}

fn entry(number: u64, limits: &[Limit]) -> Entry {
    Entry {
        policy: "api".into(),
        caller: Identity { page: 1, fingerprint: 2 },
        limits: limits.to_vec(),
        number,
        ..Entry::default()
    }
}

fn asks(number: u64, units: u32, limits: &[Limit]) -> Entry {
    let ask =
        Ask { at_least: units, at_most: units, term: 2 * SECOND, wait: 50 * MILLISECOND, ..Ask::default() };
    Entry { ask: Some(ask), ..entry(number, limits) }
}

fn reports(number: u64, grant: u64, used: &[(Micros, u32)], limits: &[Limit]) -> Entry {
    Entry {
        reports: vec![Report { grant, used: used.to_vec(), ended: 0, ends_in: 0 }],
        ..entry(number, limits)
    }
}

/// The units that a limit counts.
fn used(record: &Record, limit: &Limit, at: Micros) -> u64 {
    let state = record.state(limit.id, limit.algorithm.kind());
    let now = Now { mono: at, wall: at };
    let counter = Counter::open(limit, state, now, WorkerId(0)).unwrap();
    u64::from(limit.quota.get()) - counter.judge(now, 0).remaining
}

/// The last wait of what one worker after another is told, each when the block of the one before has ended.
#[test]
fn a_row_of_blocks_is_one_for_all_workers_and_grows() {
    let penalty = Penalty { growth: Growth::new([60 * SECOND, 600 * SECOND]), ..Penalty::default() };
    let limits = [sliding(), Limit::penalty("api", 10 * SECOND, penalty)];
    let (mut record, mut now) = (Record::default(), T);
    for (number, (worker, length)) in (1..).zip([(ANN, 10), (BOB, 60), (ANN, 600), (BOB, 600)]) {
        let answer = apply(&mut record, worker, &asks(number, 11, &limits), now);
        assert_eq!((answer.granted, answer.remember), (0, length * SECOND));
        now += length * SECOND;
    }
    now += 600 * SECOND;
    assert_eq!(
        apply(&mut record, ANN, &asks(9, 11, &limits), now).remember,
        10 * SECOND,
        "the row has ended"
    );
}

#[test]
fn an_entry_that_comes_twice_gives_the_same_grant_and_counts_once() {
    let (mut record, limits) = (Record::default(), [sliding()]);
    let first = apply(&mut record, ANN, &asks(1, 3, &limits), T);
    let again = apply(&mut record, ANN, &asks(1, 3, &limits), T + MILLISECOND);
    assert_eq!((first.granted, again.granted, again.end), (3, 3, first.end));
    assert_eq!(used(&record, &limits[0], T + MILLISECOND), 3);
}

#[test]
fn a_rejected_entry_that_comes_twice_is_not_granted_the_second_time() {
    let (mut record, limits) = (Record::default(), [sliding()]);
    apply(&mut record, BOB, &asks(1, 10, &limits), T);
    assert_eq!(apply(&mut record, ANN, &asks(1, 3, &limits), T).granted, 0);
    apply(&mut record, BOB, &reports(2, 1, &[], &limits), T);
    let again = apply(&mut record, ANN, &asks(1, 3, &limits), T);
    assert_eq!((again.granted, again.applied), (0, true));
    assert_eq!(used(&record, &limits[0], T), 0);
}

#[test]
fn an_entry_that_comes_after_a_later_one_is_given_up() {
    let (mut record, limits) = (Record::default(), [sliding()]);
    apply(&mut record, ANN, &asks(2, 1, &limits), T);
    assert_eq!(apply(&mut record, ANN, &asks(1, 1, &limits), T), EntryAnswer::default());
    assert_eq!(used(&record, &limits[0], T), 1);
}

#[test]
fn an_entry_that_a_later_one_has_announced_is_applied() {
    let (mut record, limits) = (Record::default(), [sliding()]);
    apply(&mut record, ANN, &Entry { open: vec![1], ..asks(2, 1, &limits) }, T);
    assert_eq!(apply(&mut record, ANN, &asks(1, 1, &limits), T).granted, 1);
    assert_eq!(apply(&mut record, ANN, &asks(1, 1, &limits), T).granted, 1);
    assert_eq!(used(&record, &limits[0], T), 2);
}

#[test]
fn an_announced_entry_that_is_rejected_is_not_granted_when_it_comes_again() {
    let (mut record, limits) = (Record::default(), [sliding()]);
    apply(&mut record, ANN, &Entry { open: vec![1], ..entry(2, &limits) }, T);
    apply(&mut record, BOB, &asks(1, 10, &limits), T);
    assert_eq!(apply(&mut record, ANN, &asks(1, 1, &limits), T).granted, 0);
    apply(&mut record, BOB, &reports(2, 1, &[], &limits), T);
    assert_eq!(apply(&mut record, ANN, &asks(1, 1, &limits), T).granted, 0);
}

#[test]
fn only_what_is_lost_goes_back() {
    let (mut record, limits) = (Record::default(), [sliding()]);
    apply(&mut record, ANN, &asks(1, 3, &limits), T);
    // The engine may have forgotten that it was reported.
    apply(&mut record, ANN, &entry(2, &limits), T);
    assert_eq!(used(&record, &limits[0], T), 3);
    apply(&mut record, ANN, &Entry { lost: vec![1], ..entry(3, &limits) }, T);
    assert_eq!(used(&record, &limits[0], T), 0);
}

#[test]
fn a_report_that_comes_twice_counts_once() {
    let (mut record, limits) = (Record::default(), [sliding()]);
    apply(&mut record, ANN, &asks(1, 5, &limits), T);
    for number in [2, 3] {
        apply(&mut record, ANN, &reports(number, 1, &[(MILLISECOND, 2)], &limits), T + SECOND);
        assert_eq!(used(&record, &limits[0], T + SECOND), 2);
    }
}

#[test]
fn a_report_about_a_grant_that_the_engine_has_forgotten_counts() {
    let (mut record, limits) = (Record::default(), [sliding()]);
    apply(&mut record, ANN, &reports(5, 4, &[(SECOND, 2)], &limits), T);
    assert_eq!(used(&record, &limits[0], T), 2);
    apply(&mut record, ANN, &reports(6, 4, &[(2 * SECOND, 2)], &limits), T + SECOND);
    assert_eq!(used(&record, &limits[0], T + SECOND), 2);
}

#[test]
fn a_grant_without_a_report_is_taken_for_used_and_a_later_report_changes_nothing() {
    let (mut record, limits) = (Record::default(), [sliding()]);
    let end = apply(&mut record, ANN, &asks(1, 5, &limits), T).end;
    let late = end + REPORT_TIME;
    apply(&mut record, ANN, &reports(2, 1, &[], &limits), late);
    assert_eq!(used(&record, &limits[0], late), 5);
}

#[test]
fn units_of_a_grant_count_at_its_end_until_they_are_reported() {
    let (mut record, limits) = (Record::default(), [sliding()]);
    let end = apply(&mut record, ANN, &asks(1, 5, &limits), T).end;
    assert_eq!(used(&record, &limits[0], end + limits[0].window - MILLISECOND), 5);
    assert_eq!(used(&record, &limits[0], end + limits[0].window + MILLISECOND), 0);
}

#[test]
fn a_correction_that_comes_twice_counts_once() {
    let (mut record, limits) = (Record::default(), [sliding()]);
    let more = Correction { number: 1, more: Some((SECOND, 3)), ..Correction::default() };
    for number in [2, 3] {
        apply(&mut record, ANN, &Entry { corrections: vec![more], ..entry(number, &limits) }, T);
        assert_eq!(used(&record, &limits[0], T), 3);
    }
}

#[test]
fn a_correction_leaves_units_in_flight_alone() {
    let (mut record, limits) = (Record::default(), [limit(Algorithm::Concurrency(Concurrency { after: 0 }))]);
    let more = Correction { number: 1, more: Some((SECOND, 3)), ..Correction::default() };
    let entry = Entry { corrections: vec![more], in_flight: 2, ..entry(2, &limits) };
    apply(&mut record, ANN, &entry, T);
    assert_eq!(used(&record, &limits[0], T), 2);
}

#[test]
fn a_grant_ends_with_its_aligned_window() {
    let (mut record, limits) = (Record::default(), [limit(Algorithm::FixedWindow(FixedWindow))]);
    let edge = T + 60 * SECOND - T % (60 * SECOND);
    let answer = apply(&mut record, ANN, &asks(1, 5, &limits), edge - 10 * MILLISECOND);
    assert_eq!((answer.granted, answer.end), (5, edge - 1));
}

#[test]
fn a_small_step_back_of_the_clock_stops_a_record_for_as_long() {
    let (mut record, limits) = (Record::default(), [sliding()]);
    apply(&mut record, ANN, &asks(1, 1, &limits), T);
    assert_eq!(apply(&mut record, BOB, &asks(1, 1, &limits), T - SECOND).at, T);
}

#[test]
fn a_large_step_back_moves_the_grants_with_the_clock() {
    let (mut record, limits) = (Record::default(), [sliding()]);
    let hour = 3_600 * SECOND;
    let end = apply(&mut record, ANN, &asks(1, 5, &limits), T).end;
    let (back, window) = (T - hour, limits[0].window);
    assert_eq!(apply(&mut record, BOB, &asks(1, 6, &limits), back).granted, 0);
    assert_eq!(used(&record, &limits[0], end - hour + window - MILLISECOND), 5);
    assert_eq!(used(&record, &limits[0], end - hour + window + MILLISECOND), 0);
    apply(&mut record, ANN, &reports(2, 1, &[], &limits), back);
    assert_eq!(used(&record, &limits[0], back), 0);
}

#[test]
fn a_crowd_of_workers_does_not_make_a_record_long() {
    let (mut record, limits) = (Record::default(), [sliding()]);
    for worker in 0..5_000 {
        apply(&mut record, worker, &asks(1, 1, &limits), T + worker);
    }
    assert!(record.to_text().len() < 128 * 1_024, "{}", record.to_text().len());
    assert!(record.holders.len() > 1_000, "{}", record.holders.len());
    assert!(record.holders.iter().any(|one| one.holder == 4_999));
}

#[test]
fn a_worker_with_many_numbers_does_not_make_a_record_long() {
    let (mut record, limits) = (Record::default(), [sliding()]);
    apply(&mut record, ANN, &Entry { open: (1..10_000).collect(), ..asks(10_000, 1, &limits) }, T);
    assert!(record.to_text().len() < 2_000, "{}", record.to_text().len());
}

#[test]
fn limits_that_nobody_has_any_more_do_not_make_a_record_long() {
    let mut record = Record::default();
    for id in 0..1_000 {
        let limit = Limit { id: LimitId(id), ..limit(Algorithm::Stock(Stock { reported: false })) };
        apply(&mut record, ANN, &asks(u64::from(id) + 1, 1, &[limit]), T);
    }
    assert!(record.states.len() < 40, "{}", record.states.len());
}

#[test]
fn a_worker_that_has_gone_is_forgotten() {
    let (mut record, limits) = (Record::default(), [sliding()]);
    apply(&mut record, ANN, &asks(1, 1, &limits), T);
    apply(&mut record, BOB, &asks(1, 1, &limits), T + HOLDER_TTL);
    assert_eq!(record.holders.len(), 1);
}

fn forgiving(before: Micros, entry: Entry) -> Entry {
    let forgive = entry.limits.iter().map(|limit| Forgiven::new(limit, before)).collect();
    Entry { forgive, ..entry }
}

/// The units that are granted to whoever asks for one after the other.
fn granted(record: &mut Record, first: u64, before: Option<Micros>, limits: &[Limit], now: Micros) -> u32 {
    (first..first + 20)
        .map(|number| {
            let asked = asks(number, 1, limits);
            let asked = before.map_or(asked.clone(), |before| forgiving(before, asked));
            apply(record, ANN, &asked, now).granted
        })
        .sum()
}

#[test]
fn forgiven_counts_begin_at_zero_once_whoever_says_so_and_however_often() {
    for limit in [sliding(), limit(Algorithm::FixedWindow(FixedWindow))] {
        let (mut record, limits) = (Record::default(), [limit]);
        assert_eq!(granted(&mut record, 1, None, &limits, T), 10);
        let now = T + SECOND;
        assert_eq!(granted(&mut record, 100, Some(now + 1), &limits, now), 0, "not yet");
        assert_eq!(granted(&mut record, 200, Some(now), &limits, now), 10);
        assert_eq!(granted(&mut record, 300, Some(now), &limits, now + 1), 0);
        assert_eq!(apply(&mut record, BOB, &forgiving(now, asks(1, 1, &limits)), now + 2).granted, 0);
        assert_eq!(granted(&mut record, 400, None, &limits, now + 3), 0, "the entry is removed");
        let mut record = Record::from_text(&record.to_text()).unwrap();
        assert_eq!(granted(&mut record, 500, Some(now - 1), &limits, now + 4), 0, "an older one");
        assert_eq!(granted(&mut record, 600, Some(now + 5), &limits, now + 5), 10, "a later one");
    }
}

#[test]
fn a_grant_from_before_changes_nothing_afterwards_but_by_what_was_used_since() {
    let (mut record, limits) = (Record::default(), [limit(Algorithm::FixedWindow(FixedWindow))]);
    let end = apply(&mut record, ANN, &asks(1, 6, &limits), T).end;
    apply(&mut record, BOB, &asks(1, 4, &limits), T);
    apply(&mut record, BOB, &forgiving(T, asks(2, 5, &limits)), T);
    assert_eq!(used(&record, &limits[0], T), 5, "Bob's new ones");
    // Of Ann's six, two were used before, three afterwards, and one goes back.
    let uses = [(end - T + 1, 2), (end - T - 10, 3)];
    apply(&mut record, ANN, &reports(2, 1, &uses, &limits), T + 20);
    assert_eq!(used(&record, &limits[0], T + 20), 8);
    apply(&mut record, BOB, &Entry { lost: vec![1], ..entry(3, &limits) }, T + 30);
    assert_eq!(used(&record, &limits[0], T + 30), 8, "nor does one that got lost give anything back");
    let back = Correction { number: 4, back: Some((T - 1, 2)), ..Correction::default() };
    apply(&mut record, BOB, &Entry { corrections: vec![back], ..entry(4, &limits) }, T + 40);
    assert_eq!(used(&record, &limits[0], T + 40), 8, "nor a response");
    let owed = |age| Correction { number: 5, more: Some((age, 1)), ..Correction::default() };
    let debts = vec![owed(10), Correction { number: 6, ..owed(10 * SECOND) }];
    apply(&mut record, BOB, &Entry { corrections: debts, ..entry(7, &limits) }, T + SECOND);
    assert_eq!(used(&record, &limits[0], T + SECOND), 9, "what was admitted alone counts if it was since");
}

#[test]
fn a_forgiven_block_ends_for_all_workers_and_what_exists_stays() {
    let stock = Limit { id: LimitId(8), ..limit(Algorithm::Stock(Stock { reported: false })) };
    let penalty = Limit::penalty("api", 600 * SECOND, Penalty::default());
    let (mut record, limits) = (Record::default(), [sliding(), stock, penalty]);
    apply(&mut record, ANN, &asks(1, 4, &limits), T);
    assert!(apply(&mut record, ANN, &asks(2, 11, &limits), T).remember > SECOND, "blocked");
    let answer = apply(&mut record, BOB, &forgiving(T, asks(1, 5, &limits)), T);
    assert_eq!(answer.granted, 5);
    assert_eq!(used(&record, &limits[0], T), 5);
    assert_eq!(used(&record, &limits[1], T), 9);
}

#[test]
fn a_clock_that_is_set_back_takes_the_fresh_start_with_it() {
    let (mut record, limits) = (Record::default(), [limit(Algorithm::FixedWindow(FixedWindow))]);
    apply(&mut record, ANN, &forgiving(T, asks(1, 3, &limits)), T);
    let now = T - 30 * SECOND;
    let end = apply(&mut record, ANN, &asks(2, 4, &limits), now).end;
    apply(&mut record, ANN, &reports(3, 2, &[(end - now - 1, 1)], &limits), now + 10);
    assert_eq!(used(&record, &limits[0], now + 10), 4, "three unused ones went back");
}
