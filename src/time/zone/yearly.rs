//! What clocks do every year: the rule that the IANA database ends each zone with, in the notation of POSIX.
//!
//! A rule is read when the module is compiled, so that the reader is not in it. `build.rs` is compiled with this
//! file, too: it holds every rule of the table, as read and reckoned with here, against the database.

use super::civil::{DAY, Day, day, month_of, weekday};

/// Offsets are in seconds east of UTC.
#[derive(Clone, Copy)]
pub struct Yearly {
    standard: i32,
    saving: Option<Saving>,
}

/// Another offset for a part of the year, which may go over its end.
#[derive(Clone, Copy)]
struct Saving {
    offset: i32,
    begin: Turn,
    end: Turn,
}

/// When clocks are changed, by what they show before it.
#[derive(Clone, Copy)]
struct Turn {
    month: u8,
    /// Which weekday of the month, from 1 on; 5 is the last.
    week: u8,
    /// From 0 for Sunday to 6.
    weekday: u8,
    /// Since 00:00 of that day; may be on another day.
    second: i32,
}

impl Yearly {
    /// One offset all year.
    pub const fn constant(offset: i32) -> Yearly {
        Yearly { standard: offset, saving: None }
    }

    /// Reads `CET-1CEST,M3.5.0,M10.5.0/3`. `None`: a form that the database does not have.
    pub const fn parse(posix: &str) -> Option<Yearly> {
        let mut text = Text(posix.as_bytes());
        text.skip_name();
        // POSIX counts from UTC to the west.
        let standard = -text.time();
        if text.0.is_empty() {
            return Some(Yearly::constant(standard));
        }
        text.skip_name();
        let offset = match text.0 {
            [b',', ..] => standard + 3_600,
            _ => -text.time(),
        };
        match (text.turn(), text.turn()) {
            (Some(begin), Some(end)) if text.0.is_empty() => {
                Some(Yearly { standard, saving: Some(Saving { offset, begin, end }) })
            }
            _ => None,
        }
    }

    /// The offset at an instant since the UNIX epoch, in seconds.
    pub fn offset_at(&self, at: i64) -> i32 {
        let past = self.changes_around(at).into_iter().filter(|(change, _)| *change <= at);
        past.max_by_key(|(change, _)| *change).map_or(self.standard, |(_, offset)| offset)
    }

    /// The next change of the offset.
    pub fn change_after(&self, at: i64) -> Option<i64> {
        self.changes_around(at).into_iter().map(|(change, _)| change).filter(|change| *change > at).min()
    }

    /// The changes of that year, and of those before and after it.
    #[inline(never)]
    fn changes_around(&self, at: i64) -> Vec<(i64, i32)> {
        let mut changes = Vec::new();
        let (year, _) = month_of(at.div_euclid(DAY));
        if let Some(Saving { offset, begin, end }) = self.saving {
            for year in year - 1..=year + 1 {
                changes.push((begin.at(year, self.standard), offset));
                changes.push((end.at(year, offset), self.standard));
            }
        }
        changes
    }
}

impl Turn {
    /// The instant of it in a year, while `offset` still holds.
    #[inline(never)]
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

/// What is still to be read.
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

    /// `CET` or `<+03>`.
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

    /// `2`, `-1` or `2:45`, in seconds.
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

    /// `,M3.5.0` or `,M10.5.0/3`.
    const fn turn(&mut self) -> Option<Turn> {
        if !self.take(b',') || !self.take(b'M') {
            return None;
        }
        let month = self.number() as u8;
        self.take(b'.');
        let week = self.number() as u8;
        self.take(b'.');
        let weekday = self.number() as u8;
        let second = if self.take(b'/') { self.time() } else { 2 * 3_600 };
        Some(Turn { month, week, weekday, second })
    }
}
