//! Limits: how many.

use super::Kind::{Either, Map, Text, Words};
use super::texts::{LANGUAGE, LENGTH, NAME, TEMPLATE, TIER, ZONE};
use super::{Kind, Object, default, number, optional, required, word};

const UNITS: Kind = number(1, 4_294_967_295, "units");

pub(super) const OBJECTS: &[Object] = &[Object {
    name: "limit",
    at: "policies[].limits[]",
    about: "At most so many units in so much time.",
    one_of: &[],
    fields: &[
        default("name", Text(&NAME), "\"limit\"", "its own within the policy; counts are named by it"),
        optional(
            "algorithm",
            Words(&[
                word("sliding_window", "at most the quota in every trailing window"),
                word(
                    "sliding_counter",
                    "the approximation by two counters that others use: up to 2 × quota − 1 can pass",
                ),
                word(
                    "fixed_window",
                    "at most the quota in each window of the clock, up to twice that around an edge",
                ),
                word("calendar", "at most the quota in each natural day, week or month of a zone"),
                word("token_bucket", "`burst` at once, then the quota per window, evenly"),
                word("concurrency", "at most the quota in flight, given back when their streams end"),
                word("stock", "at most the quota exist: nothing comes back by itself"),
            ]),
            "`calendar` if the window is a period, else `sliding_window`",
            "how units are counted",
        ),
        required(
            "quota",
            Either(&[UNITS, Map { names: &TIER, values: &UNITS }]),
            "the most units: one number for all, or one for each of the tiers",
        ),
        optional(
            "window",
            Either(&[
                Text(&LENGTH),
                Words(&[
                    word("day", "from 00:00 to 00:00"),
                    word("week", "from Monday on"),
                    word("month", "from day 1 on"),
                ]),
            ]),
            "`concurrency` and `stock` have none; for the others it is required",
            "the time that the quota is for; with `calendar` a period, with the others a length",
        ),
        default("time_zone", Text(&ZONE), "\"UTC\"", "with `calendar`: whose clock"),
        optional("burst", UNITS, "the quota", "with `token_bucket`: the most units at once"),
        optional(
            "retry_after",
            Text(&LENGTH),
            "`1s`, and `60s` for `stock`",
            "with `concurrency` and `stock`: the wait that a rejection tells, since it can't be known",
        ),
        optional(
            "message",
            Either(&[Text(&TEMPLATE), Map { names: &LANGUAGE, values: &Text(&TEMPLATE) }]),
            "the policy's",
            "the `{message}` of this limit's rejections, in place of `reject.message`, and like that",
        ),
    ],
}];
