//! Matches: which requests.

use super::Kind::{Either, Flag, Map, OneOrList, Statuses, Text};
use super::texts::{ANY_TEXT, HEADER, HOST, METHOD, PATH};
use super::{Field, Object, number, optional};

const fn method() -> Field {
    optional("method", OneOrList(&Text(&METHOD)), "any", "one of these methods")
}

const fn host() -> Field {
    optional("host", Text(&HOST), "any", "the host that is asked for")
}

const fn path() -> Field {
    optional(
        "path",
        Text(&PATH),
        "any",
        "the whole path without the query, as Envoy hands it over. In the `match` of a policy also in [other spellings](#paths)",
    )
}

const fn headers() -> Field {
    optional(
        "headers",
        Map { names: &HEADER, values: &Either(&[Flag, Text(&ANY_TEXT)]) },
        "any",
        "by name: `true` if it is to be there, `false` if not, or the text that it is to be",
    )
}

pub(super) const OBJECTS: &[Object] = &[
    Object {
        name: "match",
        at: "policies[].match[]",
        about: "Requests that fit all that is said; an empty match fits all.",
        one_of: &[],
        fields: &[
            method(),
            host(),
            path(),
            headers(),
            optional(
                "cost",
                number(1, 1_000_000, "units"),
                "the policy's",
                "what one such request spends; of several matches the first that fits counts",
            ),
        ],
    },
    Object {
        name: "exception",
        at: "policies[].except[], exempt[]",
        about: "Requests that fit all that is said. Like a match, without a cost.",
        one_of: &[],
        fields: &[method(), host(), path(), headers()],
    },
    Object {
        name: "return",
        at: "policies[].returns[]",
        about: "Requests that give a unit back when they are answered well. A match, without a cost.",
        one_of: &[],
        fields: &[
            method(),
            host(),
            path(),
            headers(),
            optional("on", Statuses, "`[2xx]`", "the statuses that give back"),
        ],
    },
];
