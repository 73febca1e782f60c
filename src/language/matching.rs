//! Matches: which requests.

use super::Kind::{Either, Flag, Map, OneOrList, Statuses, Text};
use super::texts::{HEADER, HOST, METHOD, PATH, TEXT};
use super::{Field, Object, number, optional};

const fn method() -> Field {
    optional("method", OneOrList(&Text(&METHOD)), "any", "one of these methods")
}

const fn host() -> Field {
    optional(
        "host",
        Text(&HOST),
        "any",
        "the host without its port, in any case; `*.` stands for one or more labels",
    )
}

const fn path() -> Field {
    optional(
        "path",
        Text(&PATH),
        "any",
        "the whole path without the query, as on the wire. `{name}` and `*` stand for one segment that is not empty, `**` at \
         the end for any rest",
    )
}

const fn headers() -> Field {
    optional(
        "headers",
        Map { names: &HEADER, values: &Either(&[Flag, Text(&TEXT)]) },
        "any",
        "by name: `true` it is there, `false` it is not, or a text that it is",
    )
}

pub(super) const OBJECTS: &[Object] = &[
    Object {
        name: "match",
        at: "policies[].match[]",
        about: "Requests that fit all that is said; without anything, all.",
        one_of: &[],
        fields: &[
            method(),
            host(),
            path(),
            headers(),
            optional("cost", number(1, 1_000_000, "units"), "the policy's", "what one such request spends"),
        ],
    },
    Object {
        name: "exception",
        at: "policies[].except[], exempt[]",
        about: "Requests that fit all that is said.",
        one_of: &[],
        fields: &[method(), host(), path(), headers()],
    },
    Object {
        name: "return",
        at: "policies[].returns[]",
        about: "Requests that give a unit back, if they are answered well.",
        one_of: &[],
        fields: &[
            method(),
            host(),
            path(),
            headers(),
            optional("on", Statuses, "`[2xx]`", "the statuses with which they do"),
        ],
    },
];
