//! Consumers and tiers.

use super::Kind::{List, Map, Text};
use super::texts::{KEY_NAME, LIMIT, NAME, SECRET, TEXT, TIER};
use super::{Object, number, optional, required};

pub(super) const OBJECTS: &[Object] = &[
    Object {
        name: "consumer",
        at: "consumers[]",
        about: "A known caller. Counts belong to the key, not to the consumer, so they are kept if you change a consumer.",
        one_of: &[],
        fields: &[
            required(
                "name",
                Text(&NAME),
                "a different name for each consumer; `{consumer}` in templates, and the value of a key with `consumer: name`",
            ),
            required(
                "keys",
                Map { names: &KEY_NAME, values: &List(&Text(&SECRET)) },
                "the credentials that identify it, for keys with `header`, `query`, `cookie` or `metadata`. List each credential in full, \
                 even if its key has a `prefix`, and for one consumer only",
            ),
            optional(
                "tier",
                Text(&TIER),
                "the tier that `tiers.from` names, else `tiers.default`",
                "its tier, which decides its quotas",
            ),
            optional(
                "attributes",
                Map { names: &NAME, values: &Text(&TEXT) },
                "none",
                "values that keys with `consumer` can count by; none may be called `name`",
            ),
            optional(
                "quotas",
                Map { names: &LIMIT, values: &number(1, 4_294_967_295, "units") },
                "those of its tier",
                "its own quotas, which replace those of its tier",
            ),
        ],
    },
    Object {
        name: "tiers",
        at: "tiers",
        about: "Classes of callers, such as plans. With tiers, a quota may be a number for each tier. The tier of a caller is that of its \
                consumer, else the one that `from` names, else the default.",
        one_of: &[],
        fields: &[
            required("names", List(&Text(&NAME)), "the names of the tiers, at most 64"),
            required("default", Text(&TIER), "the tier used when none is known"),
            optional(
                "from",
                Text(&KEY_NAME),
                "only consumers have other tiers than the default",
                "a key whose value is the name of the tier; it must not have `path`",
            ),
        ],
    },
];
