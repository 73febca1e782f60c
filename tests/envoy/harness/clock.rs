//! The wall clock, for limits that go by it.

use std::time::{SystemTime, UNIX_EPOCH};

const DAY: u64 = 86_400;

/// A stretch of the UTC calendar.
#[derive(Clone, Copy)]
pub enum Period {
    Minute,
    Hour,
    Day,
    Month,
}

/// Does `act` within one period, again if the period ended meanwhile. Answers what it answered, and in how many seconds
/// the period ends, as of when `act` was done.
pub fn end_of<T>(period: Period, mut act: impl FnMut() -> T) -> (T, u64) {
    loop {
        let end = period.end_after(unix_seconds());
        let answer = act();
        let now = unix_seconds();
        if now < end {
            return (answer, end - now);
        }
    }
}

/// Whole seconds since 1970.
pub(super) fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs()
}

impl Period {
    fn end_after(self, now: u64) -> u64 {
        match self {
            Self::Minute => (now / 60 + 1) * 60,
            Self::Hour => (now / 3_600 + 1) * 3_600,
            Self::Day => (now / DAY + 1) * DAY,
            Self::Month => end_of_month_after(now),
        }
    }
}

/// Counts months from 1970 until one begins later.
fn end_of_month_after(now: u64) -> u64 {
    let lengths = (1970..).flat_map(|year| {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let february = if leap { 29 } else { 28 };
        [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    });
    let mut begin = 0;
    for days in lengths {
        begin += days * DAY;
        if begin > now {
            break;
        }
    }
    begin
}
