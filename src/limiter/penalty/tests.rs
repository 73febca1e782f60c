use super::*;
use crate::limiter::tests::{Kept, TRACES, after, on_traces};
use crate::limiter::{Counter, WorkerId};
use crate::time::{Now, SECOND};
use wasm_bindgen_test::wasm_bindgen_test;

const LENGTH: Micros = 300 * SECOND;
const NOW: Now = Now { mono: 1_000 * SECOND, wall: 1_770_000_000 * SECOND };

fn kept(length: Micros) -> Kept {
    Kept::new(NonZeroU32::MIN, length, Penalty)
}

/// A penalty that has just started.
fn started() -> Kept {
    let mut kept = kept(LENGTH);
    kept.change(NOW, |counter| counter.charge(NOW, 1));
    kept
}

#[wasm_bindgen_test(unsupported = test)]
fn bi_6_a_penalty_lasts_its_length_from_the_first_excess_however_often_it_is_passed() {
    on_traces(TRACES, |random| {
        let length = random.window();
        let (mut kept, mut now, mut end) = (kept(length), random.start(), 0);
        for _ in 0..16 {
            now = after(now, random.gap(length, 1));
            let verdict = kept.judge(now, random.below(3) as u32 + 1);
            assert_eq!(verdict.admitted, now.mono >= end);
            assert_eq!(verdict.retry_after, end.saturating_sub(now.mono));
            if random.one_in(3) {
                if verdict.admitted {
                    end = now.mono + length;
                }
                kept.change(now, |counter| counter.charge(now, 1));
            }
        }
    });
}

#[wasm_bindgen_test(unsupported = test)]
fn bi_6_it_ends_at_its_end_and_not_a_microsecond_before() {
    let kept = started();
    let verdict = kept.judge(NOW, 1);
    assert_eq!((verdict.admitted, verdict.remaining, verdict.retry_after), (false, 0, LENGTH));
    assert_eq!((verdict.next_slot, verdict.full_reset), (NOW.mono + LENGTH, NOW.mono + LENGTH));
    assert!(!kept.judge(after(NOW, LENGTH - 1), 1).admitted);
    assert!(kept.judge(after(NOW, LENGTH), u32::MAX).admitted, "whatever it costs");
    assert!(kept.judge(NOW, 0).admitted, "asking how things stand is always possible");
}

#[wasm_bindgen_test(unsupported = test)]
fn what_is_over_or_never_was_is_not_kept() {
    let mut kept = started();
    let eviction = kept.change(NOW, |_| {});
    assert_eq!((eviction.expires, eviction.share), (NOW.mono + LENGTH, 255), "no newcomer takes its place");
    kept.change(after(NOW, LENGTH), |_| {});
    assert!(kept.state.is_empty());
    let eviction = kept.change(after(NOW, LENGTH), |_| {});
    assert!(kept.state.is_empty());
    assert_eq!(eviction.share, 0);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_refund_of_what_others_counted_ends_no_penalty() {
    let mut kept = started();
    kept.change(NOW, |counter| counter.refund(NOW, 1));
    assert!(!kept.judge(NOW, 1).admitted);
}

#[wasm_bindgen_test(unsupported = test)]
fn x_6_a_step_of_the_wall_clock_neither_ends_nor_prolongs_it() {
    let kept = started();
    for wall in [0, NOW.wall - 86_400 * SECOND, NOW.wall + 86_400 * SECOND] {
        let stepped = |gap| Now { mono: NOW.mono + gap, wall };
        assert_eq!(kept.judge(stepped(SECOND), 1).retry_after, LENGTH - SECOND);
        assert!(kept.judge(stepped(LENGTH), 1).admitted);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_penalty_made_shorter_ends_by_its_new_length_and_one_of_a_faster_worker_by_its_own() {
    let mut kept = started();
    kept.limit.window = 10 * SECOND;
    assert_eq!(kept.judge(NOW, 1).retry_after, 10 * SECOND);
    let mut kept = started();
    kept.limit.window = LENGTH - SECOND;
    assert_eq!(kept.judge(NOW, 1).retry_after, LENGTH);
}

#[wasm_bindgen_test(unsupported = test)]
fn damaged_bytes_are_rejected_and_never_block_for_longer_than_the_length() {
    let limit = Limit::penalty("p", LENGTH);
    for state in [&[0x80][..], &[1, 2], &[0xFF; 11], b"another module's"] {
        assert!(Counter::open(&limit, state, NOW, WorkerId(1)).is_none(), "{state:?}");
    }
    let mut state = Vec::new();
    varint::write(&mut state, u64::MAX);
    let penalty = Counter::open(&limit, &state, NOW, WorkerId(1)).unwrap();
    assert_eq!(penalty.judge(NOW, 1).retry_after, LENGTH);
}
