//! What operators and other services see of a record.

use super::{Foreign, HolderState, Mark, Record, State};
use tollgate::limiter::LimitId;
use tollgate::time::{Micros, SECOND};

const T: Micros = 1_764_403_200 * SECOND;

/// One request: a grant of one unit that is not reported yet.
fn one_request() -> Record {
    let mut state = vec![0, 1];
    tollgate_varint(T / 1_000 + 50, &mut state);
    state.extend([0, 0]);
    let states =
        vec![State { limit: LimitId(0x0f3a_2b1c), kind: 1, expires: T + 60_050_000, content: state }];
    let grant = Mark::Granted { since: T, end: T + 50_000, units: 1 };
    let worker = HolderState { holder: 0xc0ffee, latest: 1, seen: T, marks: vec![(1, grant)] };
    Record { written: T, states, holders: vec![worker] }
}

fn tollgate_varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

#[test]
fn a_record_can_be_read_by_a_person() {
    let text = one_request().to_text();
    let expected = "v1 1764403200000000; 0f3a2b1c/1 1764403200050 +0 /2^0ms until 1764403260050000; \
                    @0000000000c0ffee 1 seen 1764403200000000 1=1@1764403200000000..1764403200050000";
    assert_eq!(text, expected);
    assert!(text.len() <= 198, "{}", text.len());
    assert_eq!(Record::from_text(&text), Ok(one_request()));
}

#[test]
fn what_this_version_has_not_written_is_foreign() {
    let sound = one_request().to_text();
    let later = sound.replacen("v1", "v2", 1);
    let unknown_kind = sound.replace("/1 ", "/99 ");
    let cut = sound.get(..sound.len() - 3).unwrap();
    for text in ["", "1", "hello", "v1", "v1 ", "v1 x", "\u{0}", &later, &unknown_kind, cut] {
        let found = Record::from_text(text);
        assert!(found == Err(Foreign) || text == cut, "{text}: {found:?}");
    }
}

#[test]
fn the_worker_that_was_silent_for_longest_makes_room() {
    let mut record = one_request();
    for holder in 0..3_000 {
        record.holders.push(HolderState::new(holder, T + holder));
    }
    record.make_room();
    let silent = record.holders.iter().map(|one| one.seen).min();
    assert!(silent > Some(T) && record.holders.iter().any(|one| one.holder == 2_999), "{silent:?}");
}
