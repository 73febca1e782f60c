//! Any requests, refunds, conflicts, clock steps and damage through two workers on a table of two pages:
//! nothing panics, pages stay within their bytes, and never is more left than the quota.
#![no_main]

use libfuzzer_sys::arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use std::ops::Range;
use tollgate::identity::{Identity, Seed};
use tollgate::limiter::Limit;
use tollgate::limiter::concurrency::WorkerId;
use tollgate::table::memory::MemoryStore;
use tollgate::table::{Charge, ChargeMode, Count, OnContention, Outcome, Page, Table};
use tollgate::time::{Now, SECOND};
use tollgate_fuzz::{later, limit, number, pages};

fuzz_target!(|data: &[u8]| {
    let _ = run(&mut Unstructured::new(data));
});

fn run(u: &mut Unstructured<'_>) -> Result<()> {
    let table_size = pages(2);
    let mut limits = || (0..6).map(|id| limit(u, id, table_size)).collect::<Result<Vec<Limit>>>();
    // A reload may make any other limit of each.
    let generations = [limits()?, limits()?];
    let store = MemoryStore::default();
    let mut workers =
        [1, 2].map(|holder| Table::new(Seed::new([7; Seed::LEN]), table_size, WorkerId(holder)));
    let start = u64::from(number(u)?) * SECOND / 16;
    let mut now = Now { mono: start, wall: start + 1_700_000_000 * SECOND };
    let mut charged: Vec<(usize, Charge<'_>, Now)> = Vec::new();
    for _ in 0..256 {
        if u.is_empty() {
            break;
        }
        let which = usize::from(bool::arbitrary(u)?);
        let Some(worker) = workers.get_mut(which) else { break };
        match u8::arbitrary(u)? % 16 {
            0..=6 => {
                let charges = charges(u, &generations)?;
                let charging = *u.choose(&[ChargeMode::AllOrNothing, ChargeMode::Sequential])?;
                let outcomes = worker.begin(&store, now).charge(&charges, charging);
                check(&charges, &outcomes);
                let counted = charges.iter().zip(&outcomes).filter(|(_, outcome)| outcome.charged);
                charged.extend(counted.map(|(charge, _)| (which, *charge, now)));
            }
            7 => now = later(now, u64::from(number(u)?)),
            8 => now = later(now, u64::from(number(u)? % 100_000) * SECOND),
            9 => now.wall = now.wall.saturating_sub(u64::from(number(u)?) * SECOND),
            10 | 11 if !charged.is_empty() => {
                let (which, charge, at) = charged.swap_remove(usize::from(u8::arbitrary(u)?) % charged.len());
                workers[which].begin(&store, now).refund(&charge, at);
            }
            12 => {
                for charge in charges(u, &generations)? {
                    worker.begin(&store, now).charge_late(&charge);
                }
            }
            13 => worker.begin(&store, now).settle(),
            14 => store.conflicts.set(u32::from(u8::arbitrary(u)?)),
            _ => damage(u, &store)?,
        }
        for page in store.pages() {
            let length = store.page(page).len();
            assert!(length <= usize::from(table_size.page_bytes), "a page of {length} bytes");
        }
    }
    Ok(())
}

/// One or two charges, each of one of eight callers, and of one of four policies with limits of their own.
fn charges<'a>(u: &mut Unstructured<'_>, generations: &'a [Vec<Limit>; 2]) -> Result<Vec<Charge<'a>>> {
    const POLICIES: [Range<usize>; 4] = [0..1, 1..3, 3..4, 4..6];
    let limits = &generations[usize::from(bool::arbitrary(u)?)];
    let first = usize::from(u8::arbitrary(u)? % 4);
    let several = if bool::arbitrary(u)? { 2 } else { 1 };
    POLICIES
        .iter()
        .cycle()
        .skip(first)
        .take(several)
        .map(|policy| {
            let who = u64::from(u8::arbitrary(u)? % 8);
            Ok(Charge {
                identity: Identity { page: who % 2, fingerprint: if who == 7 { u64::MAX } else { who } },
                limits: &limits[policy.clone()],
                cost: if bool::arbitrary(u)? { 1 } else { number(u)? },
                count: *u.choose(&[Count::Accepted, Count::All, Count::Never])?,
                on_contention: *u.choose(&[OnContention::Bucket, OnContention::Deny, OnContention::Allow])?,
                held: u.arbitrary()?,
                fleet: None,
            })
        })
        .collect()
}

fn check(charges: &[Charge<'_>], outcomes: &[Outcome]) {
    assert_eq!(charges.len(), outcomes.len());
    for (charge, outcome) in charges.iter().zip(outcomes) {
        assert_eq!(charge.limits.len(), outcome.verdicts.len());
        for verdict in &outcome.verdicts {
            assert!(verdict.remaining <= u64::from(verdict.quota), "{verdict:?}");
            assert!(verdict.admitted || verdict.retry_after > 0, "{verdict:?}");
        }
    }
}

/// One byte of one page is another, or its end is missing. What opens may still be anything.
fn damage(u: &mut Unstructured<'_>, store: &MemoryStore) -> Result<()> {
    let page = u32::from(bool::arbitrary(u)?);
    let (at, byte, cut) = (u16::arbitrary(u)?, u8::arbitrary(u)?, u8::arbitrary(u)? == 0);
    let mut bytes = store.page(page);
    let Some(at) = usize::from(at).checked_rem(bytes.len()) else { return Ok(()) };
    if cut {
        bytes.truncate(at);
    } else if let Some(place) = bytes.get_mut(at) {
        *place = byte;
    }
    let _ = Page::open(&bytes);
    store.overwrite(page, &bytes);
    Ok(())
}
