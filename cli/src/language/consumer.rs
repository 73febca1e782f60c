//! Consumers, known callers; and tiers, classes of callers.

use super::Kind::{List, Map, Text};
use super::texts::{KEY_NAME, LIMIT, NAME, SECRET, TEXT, TIER};
use super::{Object, number, optional, required};

pub(super) const OBJECTS: &[Object] = &[
    Object {
        name: "consumer",
        at: "consumers[]",
        about: "A known caller. Counts follow the key, not the consumer, so a change here keeps them.",
        one_of: &[],
        fields: &[
            required(
                "name",
                Text(&NAME),
                "its own; `{consumer}` in templates and the value of `consumer: name`",
            ),
            required(
                "keys",
                Map { names: &KEY_NAME, values: &List(&Text(&SECRET)) },
                "the credentials by which it is known, whole, whatever `prefix` says; of keys with `header`, `query`, `cookie` or `metadata`, each for one consumer only",
            ),
            optional(
                "tier",
                Text(&TIER),
                "the tier that `tiers.from` names, else `tiers.default`",
                "what quotas it has",
            ),
            optional(
                "attributes",
                Map { names: &NAME, values: &Text(&TEXT) },
                "none",
                "what keys with `consumer` can count by; none is called `name`",
            ),
            optional(
                "quotas",
                Map { names: &LIMIT, values: &number(1, 4_294_967_295, "units") },
                "as everybody in its tier",
                "quotas of its own, in place of its tier's",
            ),
        ],
    },
    Object {
        name: "tiers",
        at: "tiers",
        about: "Classes of callers: plans. Where there are tiers, a quota may be one number for each of them. A caller has the tier of its consumer, else the \
                one that `from` names, else the default.",
        one_of: &[],
        fields: &[
            required("names", List(&Text(&NAME)), "at most 64 of them"),
            required("default", Text(&TIER), "the tier of whoever has none"),
            optional(
                "from",
                Text(&KEY_NAME),
                "only consumers have other tiers than the default",
                "a key whose value is the name of the tier; not one with `path`",
            ),
        ],
    },
];
