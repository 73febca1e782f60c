//! Limits.

use super::Kind::{Either, Map, Text, Words};
use super::texts::{DURATION, LANGUAGE, NAME, TEMPLATE, TIER, ZONE};
use super::{Kind, Object, default, number, optional, required, word};

const UNITS: Kind = number(1, 4_294_967_295, "units");

pub(super) const OBJECTS: &[Object] = &[Object {
    name: "limit",
    at: "policies[].limits[]",
    about: "At most `quota` units per `window`.",
    one_of: &[],
    fields: &[
        default(
            "name",
            Text(&NAME),
            "\"limit\"",
            "a different name for each limit of a policy. Counts are stored under it: a new name starts from zero",
        ),
        optional(
            "algorithm",
            Words(&[
                word("sliding_window", "at most `quota` in every trailing window"),
                word(
                    "sliding_counter",
                    "an approximation with two counters, as in other rate limiters: up to 2 × quota − 1 can pass in one window",
                ),
                word(
                    "fixed_window",
                    "at most `quota` in each window of the clock; up to twice as many around the edge of two windows",
                ),
                word("calendar", "at most `quota` in each calendar day, week or month of a time zone"),
                word("token_bucket", "`burst` at once, refilled evenly by `quota` per window"),
                word(
                    "concurrency",
                    "at most `quota` requests in flight; a unit is released when its stream ends",
                ),
                word(
                    "stock",
                    "at most `quota` items may exist at once; units are released only by `refund_on`, `refund_unless` and `returns`",
                ),
            ]),
            "`calendar` if the window is a period, else `sliding_window`",
            "how units are counted",
        ),
        required(
            "quota",
            Either(&[UNITS, Map { names: &TIER, values: &UNITS }]),
            "the maximum number of units: one number for all callers, or one for each tier",
        ),
        optional(
            "window",
            Either(&[
                Text(&DURATION),
                Words(&[
                    word("day", "from 00:00 to 00:00"),
                    word("week", "from Monday to Sunday"),
                    word("month", "from the first day to the last"),
                ]),
            ]),
            "`concurrency` and `stock` have none; for the others it is required",
            "the time that the quota is for: with `calendar` a period, with the others a duration",
        ),
        default("time_zone", Text(&ZONE), "\"UTC\"", "with `calendar`: the time zone of the periods"),
        optional("burst", UNITS, "the quota", "with `token_bucket`: the maximum number of units at once"),
        optional(
            "retry_after",
            Text(&DURATION),
            "`1s`, and `60s` for `stock`",
            "with `concurrency` and `stock`: the wait that a rejection announces, since the real one cannot be known",
        ),
        optional(
            "message",
            Either(&[Text(&TEMPLATE), Map { names: &LANGUAGE, values: &Text(&TEMPLATE) }]),
            "the message of the policy",
            "the `{message}` of rejections by this limit, in place of `reject.message` and in the same form",
        ),
    ],
}];
