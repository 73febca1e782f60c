//! POSIX TZ strings such as `CET-1CEST,M3.5.0,M10.5.0/3`: an offset and, optionally, yearly daylight saving
//! time. The IANA database ends each zone with one.
//!
//! The strings are parsed at compile time, so the parser is not part of the module. `build.rs` includes this
//! file too, and checks every rule of the table, as parsed and evaluated here, against the database.

use super::civil::{DAY, Day, day, month_of, weekday};

/// A parsed TZ string. Offsets are in seconds east of UTC.
#[derive(Clone, Copy)]
pub struct PosixTz {
    standard: i32,
    dst: Option<Dst>,
}

/// Daylight saving time. In the southern hemisphere `begin` is later in the year than `end`.
#[derive(Clone, Copy)]
struct Dst {
    offset: i32,
    begin: Rule,
    end: Rule,
}

/// When clocks change, in local time before the change.
#[derive(Clone, Copy)]
struct Rule {
    month: u8,
    /// Which occurrence of the weekday in the month, 1 to 5; 5 means the last.
    week: u8,
    /// 0 (Sunday) to 6.
    weekday: u8,
    /// Seconds since 00:00 of that day. Negative values and values above 24 h fall on another day.
    second: i32,
}

impl PosixTz {
    /// The same offset all year.
    pub const fn constant(offset: i32) -> PosixTz {
        PosixTz { standard: offset, dst: None }
    }

    /// Parses the forms that occur in the database; `None` for any other.
    pub const fn parse(posix: &str) -> Option<PosixTz> {
        let mut text = Text(posix.as_bytes());
        text.skip_name();
        // POSIX offsets are positive to the west.
        let standard = -text.time();
        if text.0.is_empty() {
            return Some(PosixTz::constant(standard));
        }
        text.skip_name();
        let offset = match text.0 {
            [b',', ..] => standard + 3_600,
            _ => -text.time(),
        };
        match (text.rule(), text.rule()) {
            (Some(begin), Some(end)) if text.0.is_empty() => {
                Some(PosixTz { standard, dst: Some(Dst { offset, begin, end }) })
            }
            _ => None,
        }
    }

    /// The offset at `at`, in seconds since the UNIX epoch.
    pub fn offset_at(&self, at: i64) -> i32 {
        let past = self.changes_around(at).into_iter().filter(|(change, _)| *change <= at);
        past.max_by_key(|(change, _)| *change).map_or(self.standard, |(_, offset)| offset)
    }

    /// The first change of the offset after `at`.
    pub fn change_after(&self, at: i64) -> Option<i64> {
        self.changes_around(at).into_iter().map(|(change, _)| change).filter(|change| *change > at).min()
    }

    /// The changes of the year of `at` and of the years before and after it: each instant, and the offset
    /// from then on.
    fn changes_around(&self, at: i64) -> Vec<(i64, i32)> {
        let mut changes = Vec::new();
        let (year, _) = month_of(at.div_euclid(DAY));
        if let Some(Dst { offset, begin, end }) = self.dst {
            for year in year - 1..=year + 1 {
                changes.push((begin.at(year, self.standard), offset));
                changes.push((end.at(year, offset), self.standard));
            }
        }
        changes
    }
}

impl Rule {
    /// The instant of the change in `year`, in seconds since the UNIX epoch; `offset` is the one before the
    /// change.
    fn at(self, year: i64, offset: i32) -> i64 {
        self.day(year) * DAY + i64::from(self.second) - i64::from(offset)
    }

    fn day(self, year: i64) -> Day {
        let month = i64::from(self.month);
        let first = day(year, month, 1);
        let to_weekday = (i64::from(self.weekday) - weekday(first)).rem_euclid(7);
        let found = first + to_weekday + 7 * (i64::from(self.week) - 1);
        if found < day(year, month + 1, 1) { found } else { found - 7 }
    }
}

/// The rest of the text.
struct Text<'a>(&'a [u8]);

impl Text<'_> {
    const fn take(&mut self, wanted: u8) -> bool {
        match self.0 {
            [first, rest @ ..] if *first == wanted => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    /// Skips a name such as `CET` or `<+03>`.
    const fn skip_name(&mut self) {
        let quoted = self.take(b'<');
        while let [first, rest @ ..] = self.0 {
            if !quoted && !first.is_ascii_alphabetic() || self.take(b'>') {
                return;
            }
            self.0 = rest;
        }
    }

    const fn number(&mut self) -> i32 {
        let mut number = 0;
        while let [digit @ b'0'..=b'9', rest @ ..] = self.0 {
            number = 10 * number + (*digit - b'0') as i32;
            self.0 = rest;
        }
        number
    }

    /// Parses `2`, `-1` or `2:45`; returns seconds.
    const fn time(&mut self) -> i32 {
        let sign = if self.take(b'-') { -1 } else { 1 };
        let mut seconds = self.number() * 3_600;
        let mut unit = 60;
        while unit > 0 && self.take(b':') {
            seconds += self.number() * unit;
            unit /= 60;
        }
        sign * seconds
    }

    /// Parses `,M3.5.0` or `,M10.5.0/3`. Without a time, clocks change at 02:00.
    const fn rule(&mut self) -> Option<Rule> {
        if !self.take(b',') || !self.take(b'M') {
            return None;
        }
        let month = self.number() as u8;
        self.take(b'.');
        let week = self.number() as u8;
        self.take(b'.');
        let weekday = self.number() as u8;
        let second = if self.take(b'/') { self.time() } else { 2 * 3_600 };
        Some(Rule { month, week, weekday, second })
    }
}
