use super::*;
use proptest::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

const NOW: Micros = 100 * SECOND;

fn record(fingerprint: u64, share: u8, expires: Micros, bytes: usize) -> NewRecord {
    let mut record = NewRecord::new(fingerprint);
    record.add(LimitId(7), 1, EvictionInfo { expires, share }, &vec![0xAB; bytes]);
    record
}

fn page_of(records: &[NewRecord]) -> Vec<u8> {
    records.iter().fold(Vec::new(), |bytes, record| {
        let mut out = Vec::new();
        Page::open(&bytes).unwrap().with(record, 65_535, Room::OfAll, 0, &mut out).unwrap();
        out
    })
}

fn fingerprints(bytes: &[u8]) -> Vec<u64> {
    Page::open(bytes).unwrap().records().map(|record| record.fingerprint).collect()
}

#[wasm_bindgen_test(unsupported = test)]
fn what_was_written_is_found() {
    let bytes = page_of(&[
        record(1, 5, 200 * SECOND, 3),
        record(2, 9, 200 * SECOND, 0),
        record(3, 7, 200 * SECOND, 200),
    ]);
    let page = Page::open(&bytes).unwrap();
    let found = page.find(3, NOW).unwrap();
    let states: Vec<_> = States(found.states).collect::<Result<_, _>>().unwrap();
    assert_eq!((states.len(), states[0].limit, states[0].kind, states[0].share), (1, LimitId(7), 1, 7));
    assert_eq!(states[0].content, vec![0xAB; 200]);
    assert_eq!(page.find(2, NOW), None, "a record that says nothing is not kept");
    assert_eq!(page.find(4, NOW), None);
}

#[wasm_bindgen_test(unsupported = test)]
fn one_client_costs_a_page_34_bytes() {
    assert_eq!(page_of(&[record(1, 5, 200 * SECOND, 9)]).len(), PAGE_HEADER + 34);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_record_written_again_takes_the_place_of_the_old_one() {
    let bytes = page_of(&[
        record(1, 5, 200 * SECOND, 3),
        record(2, 5, 200 * SECOND, 3),
        record(1, 6, 200 * SECOND, 9),
    ]);
    assert_eq!(fingerprints(&bytes), [2, 1]);
}

#[wasm_bindgen_test(unsupported = test)]
fn expired_records_are_not_found_and_go_first() {
    let bytes = page_of(&[record(1, 255, NOW, 400), record(2, 1, NOW + 1, 400)]);
    let page = Page::open(&bytes).unwrap();
    assert_eq!(page.find(1, NOW), None);
    assert!(page.find(2, NOW).is_some());
    let mut out = Vec::new();
    assert_eq!(page.with(&record(3, 0, 200 * SECOND, 400), 1_000, Room::OfAll, NOW, &mut out), Some(0));
    assert_eq!(fingerprints(&out), [2, 3]);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_full_page_drops_who_gives_away_least_and_the_oldest_of_equals() {
    let later = 200 * SECOND;
    let bytes = page_of(&[
        record(1, 9, later, 100),
        record(2, 3, later, 100),
        record(3, 3, later, 100),
        record(4, 200, later, 100),
    ]);
    let mut out = Vec::new();
    let room = bytes.len();
    let dropped =
        Page::open(&bytes).unwrap().with(&record(5, 0, later, 100), room, Room::OfAll, NOW, &mut out);
    assert_eq!((dropped, fingerprints(&out)), (Some(1), vec![1, 3, 4, 5]));
    let dropped =
        Page::open(&bytes).unwrap().with(&record(5, 0, later, 250), room, Room::OfAll, NOW, &mut out);
    assert_eq!((dropped, fingerprints(&out)), (Some(3), vec![4, 5]));
}

#[wasm_bindgen_test(unsupported = test)]
fn what_is_not_proven_goes_before_what_is() {
    let later = 200 * SECOND;
    let bytes = page_of(&[
        record(proven(1), 3, later, 100),
        record(2, 255, later, 100),
        record(3, 254, later, 100),
        record(proven(4), 127, later, 100),
        record(proven(5), 128, later, 100),
    ]);
    let page = Page::open(&bytes).unwrap();
    let mut out = Vec::new();
    let mut left = |room| {
        let dropped = page.with(&record(6, 0, later, 100), room, Room::OfAll, NOW, &mut out);
        dropped.map(|dropped| (dropped, fingerprints(&out)))
    };
    let size = bytes.len();
    assert_eq!(left(size), Some((1, vec![proven(1), 2, proven(4), proven(5), 6])));
    assert_eq!(left(size - 120), Some((2, vec![proven(1), proven(4), proven(5), 6])));
    assert_eq!(left(size - 240), Some((3, vec![proven(4), proven(5), 6])));
    assert_eq!(left(size - 360), Some((4, vec![proven(5), 6])));
    assert_eq!(left(size - 480), None, "who has used half is never dropped");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_record_that_is_proven_is_found_by_whoever_asks_and_only_once() {
    let bytes = page_of(&[record(1, 5, 200 * SECOND, 3), record(proven(1), 6, 200 * SECOND, 9)]);
    assert_eq!(fingerprints(&bytes), [proven(1)]);
    let page = Page::open(&bytes).unwrap();
    assert!([1, proven(1)].iter().all(|who| page.find(*who, NOW).unwrap().is_proven()));
}

#[wasm_bindgen_test(unsupported = test)]
fn a5_what_has_expired_in_a_record_protects_it_no_longer() {
    let mut mixed = NewRecord::new(proven(1));
    mixed.add(LimitId(7), 1, EvictionInfo { expires: NOW, share: 255 }, &[1; 50]);
    mixed.add(LimitId(8), 1, EvictionInfo { expires: 200 * SECOND, share: 3 }, &[1; 50]);
    let bytes = page_of(&[mixed, record(proven(2), 100, 200 * SECOND, 100)]);
    let mut out = Vec::new();
    let page = Page::open(&bytes).unwrap();
    assert_eq!(page.with(&record(3, 0, 200 * SECOND, 100), bytes.len(), Room::OfAll, NOW, &mut out), Some(1));
    assert_eq!(fingerprints(&out), [proven(2), 3]);
}

fn proven(fingerprint: u64) -> u64 {
    crate::identity::Identity { page: 0, fingerprint }.known(true).fingerprint
}

#[wasm_bindgen_test(unsupported = test)]
fn the_well_used_and_the_overflow_are_never_dropped() {
    let later = 200 * SECOND;
    let bytes = page_of(&[
        record(proven(1), WELL_USED, later, 100),
        record(OVERFLOW, 0, later, 100),
        record(proven(2), 255, later, 100),
    ]);
    let dropped = Page::open(&bytes).unwrap().with(
        &record(5, 0, later, 100),
        bytes.len(),
        Room::OfAll,
        NOW,
        &mut Vec::new(),
    );
    assert_eq!(dropped, None);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_record_too_long_for_its_length_field_fits_no_page() {
    let long = record(1, 1, 200 * SECOND, 70_000);
    assert_eq!(Page::default().with(&long, 65_535, Room::OfAll, NOW, &mut Vec::new()), None);
}

#[wasm_bindgen_test(unsupported = test)]
fn an_empty_value_is_an_empty_page_and_strange_bytes_are_damage() {
    assert!(Page::open(&[]).is_ok());
    assert!(Page::open(b"T\x03\0\0").is_ok());
    for bytes in [&b"T"[..], b"T\x03", b"T\x02\0\0", b"T\x03\x01\0", b"{\"a\":1}", b"T\x03\x05\0short"] {
        assert!(Page::open(bytes).is_err(), "{bytes:?}");
    }
    let whole = page_of(&[record(1, 5, 200 * SECOND, 30)]);
    for cut in 1..whole.len() {
        assert!(Page::open(&whole[..cut]).is_err(), "cut at {cut}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_page_is_filled_up_to_one_of_three_sizes_and_means_the_same() {
    let small = page_of(&[record(1, 5, 200 * SECOND, 9)]);
    let large = page_of(&[record(1, 5, 200 * SECOND, 9), record(2, 5, 200 * SECOND, 300)]);
    let reserve = page_of(&[record(1, 5, 200 * SECOND, 1_400)]);
    let over = page_of(&[record(3, 5, 200 * SECOND, 2_000)]);
    for (page, size) in [(small, 95), (large, 1_343), (reserve, 1_535), (over.clone(), over.len())] {
        let mut filled = page.clone();
        fill(&mut filled, 1_535);
        assert_eq!(filled.len(), size);
        assert_eq!(fingerprints(&filled), fingerprints(&page));
        let add = |page: &[u8]| {
            let mut out = Vec::new();
            Page::open(page).unwrap().with(&record(4, 5, 200 * SECOND, 9), 4_000, Room::OfAll, NOW, &mut out);
            out
        };
        assert_eq!(add(&filled), add(&page), "a filling is not written again");
    }
}

proptest! {
    #[wasm_bindgen_test(unsupported = test)]
    fn no_bytes_can_make_a_page_panic(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..200),
        flips in proptest::collection::vec((0usize..200, any::<u8>()), 0..4),
        sound in any::<bool>(),
    ) {
        if sound {
            bytes = page_of(&[record(1, 5, 200 * SECOND, 40), record(2, 5, 200 * SECOND, 40)]);
        }
        for (at, byte) in flips {
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
        }
        let Ok(page) = Page::open(&bytes) else { return Ok(()) };
        for record in page.records() {
            States(record.states).for_each(drop);
        }
        page.with(&record(9, 1, 200 * SECOND, 30), 150, Room::OfAll, NOW, &mut Vec::new());
    }

    /// Whatever comes and goes, the page stays sound and within its capacity.
    #[wasm_bindgen_test(unsupported = test)]
    fn a_page_never_passes_its_capacity(
        steps in proptest::collection::vec((0u64..30, any::<u8>(), 0usize..120, 0u64..60), 1..80),
        capacity in 200usize..900,
    ) {
        let mut bytes = Vec::new();
        let mut now = NOW;
        for (fingerprint, share, length, seconds) in steps {
            now += seconds * SECOND / 20;
            let mut out = Vec::new();
            let record = record(fingerprint, share, now + seconds * SECOND, length);
            if Page::open(&bytes).unwrap().with(&record, capacity, Room::OfAll, now, &mut out).is_some() {
                bytes = out;
            }
            prop_assert!(bytes.len() <= capacity);
            let mut seen = fingerprints(&bytes);
            let count = seen.len();
            seen.sort_unstable();
            seen.dedup();
            prop_assert_eq!(seen.len(), count, "an identity has two records");
        }
    }
}
