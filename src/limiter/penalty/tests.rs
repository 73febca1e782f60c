use super::*;
use crate::limiter::tests::{Kept, Random, TRACES, after, at, on_traces};
use crate::limiter::{Counter, WorkerId};
use crate::time::{Now, SECOND};
use wasm_bindgen_test::wasm_bindgen_test;

const LENGTH: Micros = 300 * SECOND;
const NOW: Now = Now { mono: 1_000 * SECOND, wall: 1_770_000_000 * SECOND };

fn kept(length: Micros) -> Kept {
    Kept::new(NonZeroU32::MIN, length, Penalty::default())
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
    let limit = Limit::penalty("p", LENGTH, Penalty::default());
    for state in [&[0x80][..], &[1, 2, 3, 4], &[1, 0x80], &[0xFF; 11], b"another module's"] {
        assert!(Counter::open(&limit, state, NOW, WorkerId(1)).is_none(), "{state:?}");
    }
    let mut state = Vec::new();
    varint::write(&mut state, u64::MAX);
    let penalty = Counter::open(&limit, &state, NOW, WorkerId(1)).unwrap();
    assert_eq!(penalty.judge(NOW, 1).retry_after, LENGTH);
}

/// Lengths of the blocks of a row, which increase.
fn growing(random: &mut Random) -> Vec<Micros> {
    let mut lengths = vec![random.window().next_multiple_of(SECOND)];
    for _ in 0..random.below(8) {
        lengths.push(lengths[lengths.len() - 1] + random.pick(&[SECOND, 7 * SECOND, 3_600 * SECOND]));
    }
    lengths
}

fn kept_growing(lengths: &[Micros]) -> Kept {
    let growth = Growth::new(lengths[1..].iter().copied());
    Kept::new(NonZeroU32::MIN, lengths[0], Penalty { growth, ..Penalty::default() })
}

/// The oracle keeps all blocks, and looks for the row's beginning among them.
fn length_of_next(blocks: &[(Micros, Micros)], lengths: &[Micros], now: Micros) -> Micros {
    let follows = |(start, end): &(Micros, Micros), next: Micros| next - end < end - start;
    let (mut row, mut next) = (0, now);
    for block in blocks.iter().rev().take_while(|block| {
        let in_row = follows(block, next);
        next = block.0;
        in_row
    }) {
        assert!(block.1 <= now);
        row += 1;
    }
    lengths[row.min(lengths.len() - 1)]
}

#[wasm_bindgen_test(unsupported = test)]
fn the_nth_block_in_a_row_has_the_nth_length_and_a_pause_as_long_as_the_last_ends_the_row() {
    on_traces(TRACES, |random| {
        let lengths = growing(random);
        let (mut kept, mut now) = (kept_growing(&lengths), random.start());
        let mut blocks: Vec<(Micros, Micros)> = Vec::new();
        for _ in 0..24 {
            now = match blocks.last() {
                // Around the block's end, and around the row's.
                Some((start, end)) if random.one_in(2) => {
                    let edge = random.pick(&[*end, 2 * end - start]);
                    at(now, random.around(edge, 1, now.mono))
                }
                Some(_) | None => after(now, random.gap(lengths[0], 1)),
            };
            let end = blocks.last().map_or(0, |(_, end)| *end);
            assert_eq!(kept.judge(now, 1).retry_after, end.saturating_sub(now.mono));
            if random.one_in(2) {
                if end <= now.mono {
                    let length = length_of_next(&blocks, &lengths, now.mono);
                    blocks.push((now.mono, now.mono + length));
                }
                let eviction = kept.change(now, |counter| counter.charge(now, 1));
                let (start, end) = blocks[blocks.len() - 1];
                let row = if lengths.len() > 1 { end - start } else { 0 };
                assert_eq!((eviction.expires, eviction.share), (end + row, 255));
            }
        }
    });
}

/// The state of a version whose penalties had one length.
#[wasm_bindgen_test(unsupported = test)]
fn a_state_without_a_level_is_that_of_a_first_block() {
    let mut kept = kept_growing(&[10 * SECOND, 60 * SECOND]);
    varint::write(&mut kept.state, NOW.mono + 10 * SECOND);
    assert_eq!(kept.judge(NOW, 1).retry_after, 10 * SECOND);
    let later = after(NOW, 15 * SECOND);
    kept.change(later, |counter| counter.charge(later, 1));
    assert_eq!(kept.judge(later, 1).retry_after, 60 * SECOND);
}

#[wasm_bindgen_test(unsupported = test)]
fn of_a_list_that_became_shorter_the_last_length_holds() {
    let mut kept = kept_growing(&[SECOND, 10 * SECOND, 60 * SECOND, 600 * SECOND]);
    let mut now = NOW;
    for length in [1, 10, 60] {
        kept.change(now, |counter| counter.charge(now, 1));
        now = after(now, length * SECOND);
    }
    let shorter = kept_growing(&[SECOND, 10 * SECOND]).limit;
    kept.limit = shorter;
    kept.change(now, |counter| counter.charge(now, 1));
    assert_eq!(kept.judge(now, 1).retry_after, 10 * SECOND);
}
