//! A span of the week in which a policy applies.

use super::forms;
use crate::config::{Composite, Field, Form, Kind, Literal, Object, Word, Words, object};

/// The days on which it begins.
pub const DAYS: Field<Composite> = Field::optional(
    "days",
    Composite::new(
        Kind::List(&Kind::Words(WEEKDAYS)),
        "a list of at least one day: mon, tue, wed, thu, fri, sat, sun",
    ),
    "every day",
    "the days on which it begins",
);

/// The words of [`DAYS`], and each day's number from Sunday on.
pub const WEEKDAYS: &Words<u8> = &Words(&[
    Word::new("mon", 1, "Monday"),
    Word::new("tue", 2, "Tuesday"),
    Word::new("wed", 3, "Wednesday"),
    Word::new("thu", 4, "Thursday"),
    Word::new("fri", 5, "Friday"),
    Word::new("sat", 6, "Saturday"),
    Word::new("sun", 0, "Sunday"),
]);

/// When it begins.
pub const FROM: Field<&Form<u32>> =
    Field::default("from", &forms::CLOCK_TIME, Literal::Text("00:00"), "when it begins");

/// When it ends.
pub const TO: Field<&Form<u32>> = Field::default(
    "to",
    &forms::CLOCK_TIME,
    Literal::Text("00:00"),
    "when it ends: on the next day, unless this is later than `from`; `00:00` is the end of the day",
);

/// The zone whose clocks count.
pub const TIME_ZONE: Field<Composite> = Field::default(
    "time_zone",
    Composite::new(Kind::Text(&forms::ZONE), forms::ZONE.allowed),
    Literal::Text("UTC"),
    "the time zone whose clocks count",
);

/// The object.
pub const OBJECT: Object = object!("span" at "policies[].schedule[]":
    "A span of time on some days of the week. The policy applies while clocks in the zone show a time from `from` up to, but \
     without, `to`. Where clocks go forward, a span that would begin in the hour they skip begins after it; where they go back, they \
     show an hour twice, and it counts twice.";
    DAYS, FROM, TO, TIME_ZONE);
