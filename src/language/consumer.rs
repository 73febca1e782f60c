//! Consumers: known callers.

use super::Kind::{List, Map, Text};
use super::texts::{KEY_NAME, LIMIT, NAME, SECRET, TEXT, TIER};
use super::{Object, number, optional, required};

pub(super) const OBJECTS: &[Object] = &[Object {
    name: "consumer",
    at: "consumers[]",
    about: "A known caller. Counts follow the key, so a change here keeps them.",
    one_of: &[],
    fields: &[
        required("name", Text(&NAME), "its own"),
        required(
            "keys",
            Map { names: &KEY_NAME, values: &List(&Text(&SECRET)) },
            "the values by which it is known, whole, whatever `prefix` says",
        ),
        optional("tier", Text(&TIER), "the default tier", "one of `tiers.names`"),
        optional(
            "attributes",
            Map { names: &NAME, values: &Text(&TEXT) },
            "none",
            "what keys with `consumer` can count by",
        ),
        optional(
            "quotas",
            Map { names: &LIMIT, values: &number(1, 4_294_967_295, "units") },
            "as everybody in its tier",
            "quotas of its own",
        ),
    ],
}];
