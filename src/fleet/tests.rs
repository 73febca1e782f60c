//! The messages, as they are written and read.

use super::Malformed;
use super::message::{Answer, Ask, Correction, Entry, EntryAnswer, Exchange, Report, VERSION};
use super::wire::Writer;
use crate::identity::Identity;
use crate::limiter::calendar::Calendar;
use crate::limiter::sliding_window::Slots;
use crate::limiter::{
    Algorithm, AtOnce, Concurrency, FixedWindow, Forgiven, Limit, LimitId, Penalty, SlidingCounter,
    SlidingWindow, Stock, TokenBucket, Verdict,
};
use crate::time::{Period, SECOND, Zone};
use proptest::prelude::*;
use std::num::NonZeroU32;
use wasm_bindgen_test::wasm_bindgen_test;

fn limits() -> Vec<Limit> {
    let quota = NonZeroU32::new(300).unwrap();
    let zone = Zone::named("Europe/Madrid").unwrap();
    let algorithms = [
        Algorithm::SlidingWindow(SlidingWindow { slots: Slots::that_fit(quota, 60 * SECOND, 100) }),
        Algorithm::SlidingCounter(SlidingCounter),
        Algorithm::FixedWindow(FixedWindow),
        Algorithm::Calendar(Calendar { period: Period::Month, zone }),
        Algorithm::TokenBucket(TokenBucket { burst: quota }),
        Algorithm::AtOnce(AtOnce { burst: quota }),
        Algorithm::Concurrency(Concurrency { after: 0 }),
        Algorithm::Stock(Stock { reported: true }),
        Algorithm::Penalty(Penalty::default()),
    ];
    let limit = |(id, algorithm)| Limit { id: LimitId(id), quota, window: 60 * SECOND, algorithm };
    (1..).zip(algorithms).map(limit).collect()
}

fn exchange() -> Exchange {
    let entry = Entry {
        policy: "per-key".into(),
        caller: Identity { page: 1, fingerprint: u64::MAX },
        limits: limits(),
        number: 17,
        open: vec![3, 16],
        lost: vec![15],
        reports: vec![Report { grant: 9, used: vec![(1_000, 2), (0, 1)], ended: 0, ends_in: 7 }],
        corrections: vec![Correction {
            number: 12,
            back: Some((1_764_403_200_000_000, 1)),
            more: Some((5, 70_000)),
            settled: 2,
            stock: Some((7, 1 << 40)),
            returned: Some((0, 1)),
        }],
        in_flight: 4,
        ask: Some(Ask { at_least: 1, at_most: 9, ahead: 30, term: SECOND, wait: 50_000, only_judge: true }),
        forgive: vec![Forgiven { limit: LimitId(u32::MAX), before: 1_764_403_200_000_000, until: u64::MAX }],
    };
    Exchange { holder: u64::MAX, entries: vec![entry] }
}

fn answer() -> Answer {
    let quota = NonZeroU32::new(300).unwrap();
    let verdict = Verdict {
        admitted: false,
        quota: quota.get(),
        remaining: 0,
        next_slot: 5,
        full_reset: 60 * SECOND,
        retry_after: 30 * SECOND,
    };
    let entry = EntryAnswer {
        applied: true,
        verdicts: vec![verdict, Verdict { admitted: true, ..verdict }],
        granted: 8,
        term: SECOND,
        remember: 20_000,
        at: 1_764_403_200_000_000,
        end: 1_764_403_201_000_000,
    };
    Answer { epoch: 3, workers: 12, entries: vec![EntryAnswer::default(), entry] }
}

#[wasm_bindgen_test(unsupported = test)]
fn what_is_written_is_read() {
    assert_eq!(Exchange::decode(&exchange().encode()), Ok(exchange()));
    assert_eq!(Answer::decode(&answer().encode()), Ok(answer()));
}

/// Adds a number, bytes and a message that no reader of today knows.
fn with_fields_of_a_later_version(message: Vec<u8>) -> Vec<u8> {
    let mut later = Writer::default();
    later.number(98, u64::MAX);
    later.bytes(99, b"later");
    later.message(100, |out| out.number(1, 1));
    [later.finish(), message].concat()
}

#[wasm_bindgen_test(unsupported = test)]
fn fields_of_a_later_version_are_skipped() {
    let later = with_fields_of_a_later_version(exchange().encode());
    assert_eq!(Exchange::decode(&later), Ok(exchange()));
    assert_eq!(Answer::decode(&with_fields_of_a_later_version(answer().encode())), Ok(answer()));
}

#[wasm_bindgen_test(unsupported = test)]
fn a_message_of_another_version_is_no_message() {
    for version in [0, VERSION + 1] {
        let mut out = Writer::default();
        out.number(1, version);
        assert_eq!(Exchange::decode(&out.finish()), Err(Malformed));
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn limits_that_no_policy_could_have_are_malformed() {
    let base = limits()[0];
    let wrong = [Limit { window: 0, ..base }, Limit { window: 400 * 86_400 * SECOND, ..base }];
    for limit in wrong {
        let mut exchange = exchange();
        exchange.entries[0].limits = vec![limit];
        assert_eq!(Exchange::decode(&exchange.encode()), Err(Malformed), "{limit:?}");
    }
}

proptest! {
    #[wasm_bindgen_test(unsupported = test)]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0usize..300) {
        let _ = Exchange::decode(&bytes);
        let _ = Answer::decode(&bytes);
        // Nor does a message that was cut or overwritten in the middle.
        for whole in [exchange().encode(), answer().encode()] {
            let at = at.min(whole.len());
            let damaged = [&whole[..at], &bytes].concat();
            let _ = Exchange::decode(&damaged);
            let _ = Answer::decode(&damaged);
        }
    }
}
