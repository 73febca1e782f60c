//! A limit.

use super::forms;
use crate::config::{Composite, Field, Form, Kind, Literal, Number, Object, Word, Words, object};
use crate::time::{Micros, Period};

/// Its name.
pub const NAME: Field<&Form<String>> = Field::default(
    "name",
    &forms::NAME,
    Literal::Text("limit"),
    "a different name for each limit of a policy. Counts are stored under it: a new name starts from zero",
);

/// How units are counted.
pub const ALGORITHM: Field<&Words<()>> = Field::optional(
    "algorithm",
    &Words(&[
        Word::new("sliding_window", (), "at most `quota` in every trailing window"),
        Word::new(
            "sliding_counter",
            (),
            "an approximation with two counters, as in other rate limiters: up to 2 × quota − 1 can pass in one window",
        ),
        Word::new(
            "fixed_window",
            (),
            "at most `quota` in each window of the clock; up to twice as many around the edge of two windows",
        ),
        Word::new("calendar", (), "at most `quota` in each calendar day, week or month of a time zone"),
        Word::new("token_bucket", (), "`burst` at once, refilled evenly by `quota` per window"),
        Word::new(
            "concurrency",
            (),
            "at most `quota` requests in flight; a unit is released when its stream ends",
        ),
        Word::new(
            "stock",
            (),
            "at most `quota` items may exist at once; units are released only by `refund_on`, `refund_unless` and `returns`",
        ),
    ]),
    "`calendar` if the window is a period, else `sliding_window`",
    "how units are counted",
);

/// The maximum number of units: a number, or one for each tier.
pub const QUOTA: Field<Composite> = Field::required(
    "quota",
    Composite::new(
        Kind::Either(&[
            forms::UNITS.erased(),
            Kind::Map { names: &forms::TIER, values: &forms::UNITS.erased() },
        ]),
        "a whole number from 1 to 4294967295",
    ),
    "the maximum number of units: one number for all callers, or one for each tier",
);

/// The time that the quota is for: a duration, or a period.
pub const WINDOW: Field<Composite> = Field::optional(
    "window",
    Composite::new(
        Kind::Either(&[Kind::Text(&forms::DURATION.text), Kind::Words(PERIODS)]),
        forms::DURATION.text.allowed,
    ),
    "`concurrency` and `stock` have none; for the others it is required",
    "the time that the quota is for: with `calendar` a period, with the others a duration",
);

/// The periods that [`WINDOW`] can be.
pub const PERIODS: &Words<Period> = &Words(&[
    Word::new("day", Period::Day, "from 00:00 to 00:00"),
    Word::new("week", Period::Week, "from Monday to Sunday"),
    Word::new("month", Period::Month, "from the first day to the last"),
]);

/// The zone of the periods.
pub const TIME_ZONE: Field<Composite> = Field::default(
    "time_zone",
    Composite::new(Kind::Text(&forms::ZONE), forms::ZONE.allowed),
    Literal::Text("UTC"),
    "with `calendar`: the time zone of the periods",
);

/// A bucket's capacity.
pub const BURST: Field<Number<u32>> = Field::optional(
    "burst",
    forms::UNITS,
    "the quota",
    "with `token_bucket`: the maximum number of units at once",
);

/// The wait that a rejection announces.
pub const RETRY_AFTER: Field<&Form<Micros>> = Field::optional(
    "retry_after",
    &forms::DURATION,
    "`1s`, and `60s` for `stock`",
    "with `concurrency` and `stock`: the wait that a rejection announces, since the real one cannot be known",
);

/// The message of its rejections: a text, or one for each language.
pub const MESSAGE: Field<Composite> = Field::optional(
    "message",
    Composite::new(
        Kind::Either(&[
            Kind::Text(&forms::TEMPLATE),
            Kind::Map { names: &forms::LANGUAGE.text, values: &Kind::Text(&forms::TEMPLATE) },
        ]),
        "text, or an object of texts by language such as es, with default",
    ),
    "the message of the policy",
    "the `{message}` of rejections by this limit, in place of `reject.message` and in the same form",
);

/// The object.
pub const OBJECT: Object = object!("limit" at "policies[].limits[]": "At most `quota` units per `window`.";
    NAME, ALGORITHM, QUOTA, WINDOW, TIME_ZONE, BURST, RETRY_AFTER, MESSAGE);
