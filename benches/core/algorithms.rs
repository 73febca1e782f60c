//! One hot key, alone in its page, by each algorithm. Its requests come at a steady pace, below the limit: so
//! a log has as many entries as it would have.

use super::house::{DEFAULT, Fixture, Steady, charge, limit};
use super::{Case, Says, Subject};
use std::num::NonZeroU32;
use tollgate::identity::Identity;
use tollgate::limiter::calendar::Calendar;
use tollgate::limiter::sliding_window::Slots;
use tollgate::limiter::{
    Algorithm, Concurrency, FixedWindow, Limit, SlidingCounter, SlidingWindow, Stock, TokenBucket,
};
use tollgate::time::{MILLISECOND, Micros, Period, SECOND, Zone};

const MINUTE: Micros = 60 * SECOND;
const HOUR: Micros = 60 * MINUTE;
/// 133 requests a second: of leases of about 62 units, each is used up in its half second.
const LEASED_PACE: Micros = 7_500;

pub const HOT: Identity = Identity { page: 1, fingerprint: 1 };

pub const CASES: &[Case] = &[
    Case {
        name: "sliding_window, exact, 240 of 300",
        says: Says::Admitted,
        set_up: || paced(300, exact(300, MINUTE), 250 * MILLISECOND),
    },
    Case {
        name: "sliding_window, exact, 8 of 10",
        says: Says::Admitted,
        set_up: || paced(20, exact(10, MINUTE), 7_500 * MILLISECOND),
    },
    Case {
        name: "sliding_window, ring, 720 of 900",
        says: Says::Admitted,
        set_up: || paced(900, ring(900, HOUR), 5 * SECOND),
    },
    Case {
        name: "sliding_window, ring, leased, 8,000 of 10,000",
        says: Says::Leased,
        set_up: || paced(8_100, ring(10_000, MINUTE), LEASED_PACE),
    },
    Case {
        name: "sliding_window, exact, rejected, 300 of 300",
        says: Says::Rejected,
        set_up: || paced(300, exact(300, HOUR), 1),
    },
    Case {
        name: "sliding_counter, 240 of 300",
        says: Says::Admitted,
        set_up: || {
            paced(500, limit(300, MINUTE, Algorithm::SlidingCounter(SlidingCounter)), 250 * MILLISECOND)
        },
    },
    Case {
        name: "fixed_window, up to 240 of 300",
        says: Says::Admitted,
        set_up: || paced(300, limit(300, MINUTE, Algorithm::FixedWindow(FixedWindow)), 250 * MILLISECOND),
    },
    Case {
        name: "fixed_window, leased, 1,000,000 an hour",
        says: Says::Leased,
        set_up: || half_spent(limit(1_000_000, HOUR, Algorithm::FixedWindow(FixedWindow))),
    },
    Case {
        name: "calendar, up to 720 of 900 a day",
        says: Says::Admitted,
        set_up: || paced(300, calendar(900), 2 * MINUTE),
    },
    Case {
        name: "calendar, leased, 24,000,000 a day",
        says: Says::Leased,
        set_up: || half_spent(calendar(24_000_000)),
    },
    Case {
        name: "token_bucket, 300 a minute, 50 at once",
        says: Says::Admitted,
        set_up: || {
            let algorithm = Algorithm::TokenBucket(TokenBucket { burst: NonZeroU32::new(50).unwrap() });
            paced(100, limit(300, MINUTE, algorithm), 250 * MILLISECOND)
        },
    },
    Case {
        name: "concurrency, one begins",
        says: Says::Admitted,
        set_up: || {
            paced(100, limit(u32::MAX, SECOND, Algorithm::Concurrency(Concurrency { after: 0 })), MILLISECOND)
        },
    },
    Case {
        name: "concurrency, one begins and ends, 10 of 20",
        says: Says::Admitted,
        set_up: begun_and_ended,
    },
    Case {
        name: "stock, one more",
        says: Says::Admitted,
        set_up: || {
            paced(100, limit(u32::MAX, SECOND, Algorithm::Stock(Stock { reported: false })), MILLISECOND)
        },
    },
];

fn exact(quota: u32, window: Micros) -> Limit {
    let limit = sliding_window(quota, window);
    assert_eq!(limit.algorithm, Algorithm::SlidingWindow(SlidingWindow { slots: Slots::EXACT }));
    limit
}

fn ring(quota: u32, window: Micros) -> Limit {
    let limit = sliding_window(quota, window);
    assert_ne!(limit.algorithm, Algorithm::SlidingWindow(SlidingWindow { slots: Slots::EXACT }));
    limit
}

/// With slots as the default table has them.
pub fn sliding_window(quota: u32, window: Micros) -> Limit {
    let slots = Slots::that_fit(NonZeroU32::new(quota).unwrap(), window, DEFAULT.max_state_bytes());
    limit(quota, window, Algorithm::SlidingWindow(SlidingWindow { slots }))
}

fn calendar(quota: u32) -> Limit {
    let calendar = Calendar { period: Period::Day, zone: Zone::named("Europe/Madrid").unwrap() };
    limit(quota, calendar.max_length(), Algorithm::Calendar(calendar))
}

/// A request each time that so much time has passed.
fn paced(warm_up: u32, limit: Limit, pace: Micros) -> Box<dyn Subject> {
    at_pace(warm_up, Fixture::new(DEFAULT), limit, pace)
}

/// The same where half of each first window has been used at once: leases are by use. At this pace the other
/// half lasts.
fn half_spent(limit: Limit) -> Box<dyn Subject> {
    let mut house = Fixture::new(DEFAULT);
    assert!(house.ask(HOT, &[limit], limit.quota.get() / 2));
    at_pace(1_000, house, limit, LEASED_PACE)
}

fn at_pace(warm_up: u32, house: Fixture, limit: Limit, pace: Micros) -> Box<dyn Subject> {
    Steady::after(warm_up, house, move |house| {
        house.wait(pace);
        house.ask(HOT, &[limit], 1)
    })
}

fn begun_and_ended() -> Box<dyn Subject> {
    let limit = limit(20, SECOND, Algorithm::Concurrency(Concurrency { after: 0 }));
    let mut house = Fixture::new(DEFAULT);
    assert!(house.ask(HOT, &[limit], 10));
    Steady::after(100, house, move |house| {
        house.wait(MILLISECOND);
        let begun = house.now;
        let admitted = house.ask(HOT, &[limit], 1);
        house.table.begin(&house.store, house.now).refund(&charge(HOT, &[limit], 1), begun);
        admitted
    })
}
