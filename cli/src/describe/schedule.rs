//! Schedules in words.

use tollgate::language::span::WEEKDAYS;
use tollgate::rules::{Schedule, Span};

/// When a policy applies.
pub(crate) fn schedule(schedule: &Schedule) -> String {
    schedule.spans().iter().map(span).collect::<Vec<_>>().join(", ")
}

fn span(span: &Span) -> String {
    let zone = span.zone.name();
    let hours = match (span.from, span.to) {
        (0, 0) => String::new(),
        (from, to) => format!(" {} to {}", clock(from), clock(to)),
    };
    format!("{}{hours} ({zone})", days(span.days))
}

fn clock(second: u32) -> String {
    format!("{:02}:{:02}", second / 3_600, second / 60 % 60)
}

/// `every day`, or days and rows of days, such as `mon to fri, sun`.
fn days(days: u8) -> String {
    let mut rows: Vec<(&str, &str)> = Vec::new();
    let mut before = false;
    for day in WEEKDAYS.0 {
        let is_listed = days >> day.means & 1 == 1;
        match rows.last_mut().filter(|_| before) {
            Some((_, last)) if is_listed => *last = day.word,
            None if is_listed => rows.push((day.word, day.word)),
            Some(_) | None => {}
        }
        before = is_listed;
    }
    match rows.as_slice() {
        [("mon", "sun")] => "every day".into(),
        rows => {
            let words =
                rows.iter().map(
                    |(first, last)| {
                        if first == last { (*first).into() } else { format!("{first} to {last}") }
                    },
                );
            words.collect::<Vec<String>>().join(", ")
        }
    }
}
