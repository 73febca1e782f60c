//! The wall clock, for limits that go by it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

/// A stretch of the UTC calendar, or of Madrid's.
#[derive(Clone, Copy)]
pub enum Period {
    Minute,
    Hour,
    Day,
    Month,
    MonthInMadrid,
}

/// Does `act` within one period, again if the period ended meanwhile. Answers what it answered, and in how
/// many seconds the period ends, as of when `act` was done.
pub fn end_of<T>(period: Period, mut act: impl FnMut() -> T) -> (T, u64) {
    loop {
        let end = period.end_after(unix_time().as_secs());
        let answer = act();
        let now = unix_time().as_secs();
        if now < end {
            return (answer, end - now);
        }
    }
}

/// The time since the UNIX epoch.
pub fn unix_time() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970")
}

impl Period {
    fn end_after(self, now: u64) -> u64 {
        match self {
            Self::Minute => (now / 60 + 1) * 60,
            Self::Hour => (now / HOUR + 1) * HOUR,
            Self::Day => (now / DAY + 1) * DAY,
            Self::Month => first_after(now, months().map(|(_, begin)| begin)),
            Self::MonthInMadrid => first_after(now, months().map(begin_in_madrid)),
        }
    }
}

fn first_after(now: u64, mut instants: impl Iterator<Item = u64>) -> u64 {
    instants.find(|instant| *instant > now).expect("there is always another month")
}

/// From 1970 on, each month from 0 for January and when it begins in UTC.
fn months() -> impl Iterator<Item = (usize, u64)> {
    let lengths = (1970..).flat_map(|year| {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let february = if leap { 29 } else { 28 };
        [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].into_iter().enumerate()
    });
    lengths.scan(0, |end, (month, days)| {
        let begin = *end;
        *end += days * DAY;
        Some((month, begin))
    })
}

/// Summer is from the last Sunday of March to that of October: from April's first day to October's, and over
/// at November's.
fn begin_in_madrid((month, begin): (usize, u64)) -> u64 {
    let ahead = if (3..=9).contains(&month) { 2 * HOUR } else { HOUR };
    begin.saturating_sub(ahead)
}
