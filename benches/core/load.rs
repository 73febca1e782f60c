//! By what else is in the table. Each of the others has spent one unit of its limit, 34 bytes a record: 39
//! fill a page.

use super::algorithms::{HOT, sliding_window};
use super::house::{DEFAULT, Fixture, Steady};
use super::{Case, Says, Subject};
use tollgate::identity::Identity;
use tollgate::limiter::Limit;
use tollgate::table::{PageId, Read, Store, Write};
use tollgate::time::{MILLISECOND, Micros, SECOND};

const DAY: Micros = 86_400 * SECOND;
const FULL: u64 = 39;
/// So that there is room for the byte that a second request adds to a record.
const NEARLY_FULL: u64 = 38;
/// A quota of which one unit is so little that any newcomer is as good.
const AMPLE: u32 = 100;

pub const CASES: &[Case] = &[
    Case { name: "the store alone: a full page read, written", says: Says::Admitted, set_up: store_alone },
    Case { name: "hot key, alone in its page", says: Says::Admitted, set_up: || hot_key(0) },
    Case { name: "hot key, page half full", says: Says::Admitted, set_up: || hot_key(FULL / 2) },
    Case { name: "hot key, page full", says: Says::Admitted, set_up: || hot_key(FULL) },
    Case { name: "new key, page expired", says: Says::Admitted, set_up: newcomers_to_expired },
    Case { name: "new key, page full", says: Says::Evicting, set_up: || newcomers(1) },
    Case { name: "new key, page full of throttled", says: Says::Overflowing, set_up: overflowing },
    Case { name: "known key of 622,592, pages full", says: Says::Admitted, set_up: known_of_many },
    Case {
        name: "new key, after 638,976, pages full",
        says: Says::Evicting,
        set_up: || newcomers(ALL_PAGES),
    },
];

const ALL_PAGES: PageId = DEFAULT.pages.get();

/// Limits of records that outlast any run.
fn lasting(quota: u32) -> Limit {
    sliding_window(quota, 366 * DAY)
}

/// A caller whom no client can make up.
fn other(page: PageId, number: u64) -> Identity {
    Identity { page: u64::from(page), fingerprint: HOT.fingerprint + 1 + number }.known(true)
}

/// A table whose first pages are like each other, with so many records that have each spent one of a quota.
fn filled(pages: PageId, records: u64, quota: u32) -> Fixture {
    let mut first = Fixture::new(DEFAULT);
    (0..records).for_each(|number| assert!(first.ask(other(0, number), &[lasting(quota)], 1)));
    assert_eq!(first.table.take_stats().evictions, 0, "a page has room for {records}");
    let house = Fixture::new(DEFAULT);
    if let Read::Present(bytes, _) = first.store.read(0) {
        (0..pages).for_each(|page| assert_eq!(house.store.write(page, &bytes, None), Write::Stored));
    }
    house
}

fn store_alone() -> Box<dyn Subject> {
    Steady::after(1, filled(1, FULL, AMPLE), |house| match house.store.read(0) {
        Read::Present(bytes, version) => house.store.write(0, &bytes, Some(version)) == Write::Stored,
        Read::Absent | Read::Unavailable => false,
    })
}

/// A key that has used 15 of 20 a minute, in a page with so many others.
fn hot_key(others: u64) -> Box<dyn Subject> {
    let limit = sliding_window(20, 60 * SECOND);
    let hot = Identity { page: 0, ..HOT };
    Steady::after(50, filled(1, others, AMPLE), move |house| {
        house.wait(4 * SECOND);
        house.ask(hot, &[limit], 1)
    })
}

/// By the time that the last page has been asked for, what is in the first has expired.
fn newcomers_to_expired() -> Box<dyn Subject> {
    let limit = sliding_window(20, SECOND);
    let mut number = 0;
    Steady::after(ALL_PAGES, Fixture::new(DEFAULT), move |house| {
        house.wait(MILLISECOND);
        number += 1;
        house.ask(other((number % u64::from(ALL_PAGES)) as PageId, number), &[limit], 1)
    })
}

/// Callers that have never asked before, in any of so many full pages.
fn newcomers(pages: PageId) -> Box<dyn Subject> {
    let mut draw = Draw::default();
    let mut number = FULL;
    Steady::after(0, filled(pages, FULL, AMPLE), move |house| {
        number += 1;
        house.ask(other(draw.below(pages), number), &[lasting(AMPLE)], 1)
    })
}

fn overflowing() -> Box<dyn Subject> {
    let limit = sliding_window(20, 60 * SECOND);
    let mut number = FULL;
    Steady::after(50, filled(1, FULL, 1), move |house| {
        house.wait(4 * SECOND);
        number += 1;
        house.ask(other(0, number), &[limit], 1)
    })
}

fn known_of_many() -> Box<dyn Subject> {
    let mut draw = Draw::default();
    Steady::after(0, filled(ALL_PAGES, NEARLY_FULL, AMPLE), move |house| {
        let page = draw.below(ALL_PAGES);
        let number = u64::from(draw.below(NEARLY_FULL as u32));
        house.ask(other(page, number), &[lasting(AMPLE)], 1)
    })
}

/// Numbers in no order that a cache could foresee, the same in each run.
#[derive(Default)]
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: u32) -> u32 {
        // The generator of Knuth's MMIX, of which the high bits are good.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (((self.0 >> 32) * u64::from(end)) >> 32) as u32
    }
}
