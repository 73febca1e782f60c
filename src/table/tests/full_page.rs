//! A full page: who keeps its place, what grows coarser, and what newcomers share.

use super::*;

#[wasm_bindgen_test(unsupported = test)]
fn a_flood_neither_frees_a_throttled_client_nor_grows_the_page() {
    let (mut table, store, limits) = (table(), MemoryStore::default(), [limit(1, 20, 3_600 * SECOND)]);
    assert_eq!(passed(&mut table, &store, 1, &limits, NOW, 30), 20);
    for newcomer in 2..20_000 {
        assert!(admitted(&ask(&mut table, &store, newcomer, &limits, NOW + newcomer)));
    }
    assert_eq!(store.pages(), [0]);
    assert!(store.page(0).len() <= usize::from(ONE_PAGE.page_bytes));
    assert!(table.take_stats().evictions > 19_000);
    assert_eq!(passed(&mut table, &store, 1, &limits, NOW + SECOND, 5), 0);
}

/// The host's allocator keeps room in every size that a page has once had.
#[wasm_bindgen_test(unsupported = test)]
fn a_page_that_fills_has_been_stored_in_three_sizes_only() {
    let (mut table, store, limits) = (table(), MemoryStore::default(), [limit(1, 1, 3_600 * SECOND)]);
    let mut sizes = Vec::new();
    for client in 1..100 {
        ask(&mut table, &store, client, &limits, NOW);
        sizes.push(store.page(0).len());
    }
    sizes.dedup();
    assert_eq!(sizes, [95, 1_343, 1_535], "the last with the overflow record, in the reserve");
}

#[wasm_bindgen_test(unsupported = test)]
fn newcomers_to_a_page_of_throttled_clients_share_one_budget() {
    let (mut table, store, limits) = (table(), MemoryStore::default(), [limit(1, 2, 3_600 * SECOND)]);
    let mut served = 0;
    for client in 1..2_000 {
        served += passed(&mut table, &store, client, &limits, NOW + client, 4);
    }
    let stats = table.take_stats();
    let own_records = (usize::from(ONE_PAGE.page_bytes) - page::RESERVE) / 34;
    assert_eq!(stats.evictions, 0);
    assert_eq!(stats.overflow, 2, "the overflow record has one quota for all");
    assert!(served as usize <= own_records * 2 + 2, "{served} served");
    assert!(store.page(0).len() <= usize::from(ONE_PAGE.page_bytes));
}

#[wasm_bindgen_test(unsupported = test)]
fn two_heavy_clients_in_one_page_grow_coarser_and_stay_capped() {
    let (mut table, store, limits) = (table(), MemoryStore::default(), [limit(1, 600, 60 * SECOND)]);
    // Each alone would take some 1,200 bytes: together more than the page.
    let pace = 97_003;
    for who in [1, 2] {
        let admitted =
            (0..2_000).filter(|i| admitted(&ask(&mut table, &store, who, &limits, NOW + i * pace)));
        assert!(admitted.count() <= 600 * 4);
    }
    let at = |i| NOW + i * pace;
    let mut log = Vec::new();
    for i in 2_000..6_000 {
        for who in [1, 2] {
            if admitted(&ask(&mut table, &store, who, &limits, at(i))) && who == 1 {
                log.push(at(i));
            }
        }
    }
    for (i, instant) in log.iter().enumerate() {
        let within = log[i..].iter().take_while(|later| **later < instant + 60 * SECOND).count();
        assert!(within <= 600, "{within} in one window");
    }
    // A steady caller at 3 % above the limit is served nearly all of it.
    assert!(log.len() > 3_600, "{} of 4000", log.len());
    assert!(store.page(0).len() <= usize::from(ONE_PAGE.page_bytes));
}

/// A charge of one unit to an identity that is not proven.
fn made_up(who: u64, limits: &[Limit]) -> Charge<'_> {
    Charge { identity: identity(who).known(false), ..charge(who, limits) }
}

#[wasm_bindgen_test(unsupported = test)]
fn a5_what_clients_can_make_up_takes_no_place_from_whom_they_can_not() {
    let (mut table, store, limits) = (table(), MemoryStore::default(), [limit(1, 1, 3_600 * SECOND)]);
    let one = |table: &mut Table, charge| {
        table.begin(&store, at(NOW)).charge(&[charge], ChargeMode::AllOrNothing).remove(0)
    };
    // Each has spent its quota, so that none would give nothing away.
    for who in 1_000..2_000 {
        assert!(one(&mut table, made_up(who, &limits)).admitted(), "a newcomer finds room");
    }
    for who in 1..30 {
        assert!(one(&mut table, charge(who, &limits)).admitted());
    }
    for who in 2_000..3_000 {
        assert!(one(&mut table, made_up(who, &limits)).admitted());
    }
    assert!((1..30).all(|who| !one(&mut table, charge(who, &limits)).admitted()), "they are still counted");
    assert_eq!(table.take_stats().overflow, 0);
}

#[wasm_bindgen_test(unsupported = test)]
fn a5_whoever_is_proved_by_an_answer_stays_and_only_then_is_asked_for() {
    let (mut table, store, limits) = (table(), MemoryStore::default(), [limit(1, 2, 3_600 * SECOND)]);
    let mut one = |who| {
        table.begin(&store, at(NOW)).charge(&[made_up(who, &limits)], ChargeMode::AllOrNothing).remove(0)
    };
    assert_eq!([one(1), one(2)].map(|outcome| outcome.unproven), [true, true], "half of the quota is used");
    let proof = Correction { proves: true, ..Correction::default() };
    table.begin(&store, at(NOW)).correct(&made_up(1, &limits), &proof);
    let mut one = |who| {
        table.begin(&store, at(NOW)).charge(&[made_up(who, &limits)], ChargeMode::AllOrNothing).remove(0)
    };
    assert!(!one(1).unproven, "it is proven");
    for flood in 1_000..2_000 {
        one(flood);
        one(flood);
    }
    assert!(!one(1).admitted(), "still counted");
    assert!(one(2).admitted(), "dropped for others");
}

/// Fills the page with proven, well used records, so that newcomers share the overflow record.
fn full_page(table: &mut Table, store: &MemoryStore) {
    let limits = [limit(9, 1, 3_600 * SECOND)];
    (10_000..10_100).for_each(|who| drop(ask(table, store, who, &limits, NOW)));
}

#[wasm_bindgen_test(unsupported = test)]
fn a4_newcomers_of_a_full_page_are_judged_where_they_are_counted() {
    let (mut table, store, limits) = (table(), MemoryStore::default(), [limit(1, 5, 600 * SECOND)]);
    full_page(&mut table, &store);
    let looked = |table: &mut Table, who| {
        let look = Charge { cost: 5, count: Count::Never, ..charge(who, &limits) };
        table.begin(&store, at(NOW)).charge(&[look], ChargeMode::AllOrNothing).remove(0)
    };
    assert!(looked(&mut table, 1).admitted());
    table.begin(&store, at(NOW)).charge_late(&charge(1, &limits));
    let outcome = looked(&mut table, 2);
    assert_eq!((outcome.admitted(), outcome.overflowed), (false, true));

    // Units are given back only to the record that they were counted in.
    let held = table.begin(&store, at(NOW)).charge(&[charge(3, &limits)], ChargeMode::AllOrNothing).remove(0);
    assert_eq!((held.overflowed, held.verdicts[0].remaining), (true, 3));
    let back = Correction { back: Some((at(NOW), 1)), ..Correction::default() };
    table.begin(&store, at(NOW)).correct(&charge(3, &limits), &back);
    assert_eq!(looked(&mut table, 4).verdicts[0].remaining, 3, "it was not said to be from there");
    table.begin(&store, at(NOW)).correct(&charge(3, &limits), &Correction { overflowed: true, ..back });
    assert_eq!(looked(&mut table, 4).verdicts[0].remaining, 4);
}

#[wasm_bindgen_test(unsupported = test)]
fn a5_no_newcomer_is_rejected_by_a_month_that_others_have_used_up() {
    let (mut table, store) = (table(), MemoryStore::default());
    full_page(&mut table, &store);
    let limits = [limit(1, 3, 60 * SECOND), limit(2, 3, 30 * 86_400 * SECOND)];
    assert_eq!(passed(&mut table, &store, 1, &limits, NOW, 5), 3);
    let later = ask(&mut table, &store, 2, &limits, NOW + 59 * SECOND);
    assert_eq!(later.iter().map(|verdict| verdict.admitted).collect::<Vec<_>>(), [false, true]);
    assert!(admitted(&ask(&mut table, &store, 2, &limits, NOW + 61 * SECOND)), "the minute is over");
}
