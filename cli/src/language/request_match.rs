//! Matches.

use super::Kind::{Either, Flag, Map, OneOrList, Statuses, Text};
use super::texts::{COOKIE, HEADER, HOST, KEY_NAME, METHOD, PATH, PATTERN, TEXT};
use super::{Field, Object, number, optional};

const fn method() -> Field {
    optional("method", OneOrList(&Text(&METHOD)), "any", "one of these methods")
}

const fn host() -> Field {
    optional("host", Text(&HOST), "any", "the host of the request")
}

const fn path() -> Field {
    optional(
        "path",
        Text(&PATH),
        "any",
        "the whole path without the query, as Envoy passes it on. The `match` of a policy also covers [other spellings](#paths)",
    )
}

const fn headers() -> Field {
    optional(
        "headers",
        Map { names: &HEADER, values: &Either(&[Flag, Text(&PATTERN)]) },
        "any",
        "by name: `true` if it must be present, `false` if it must be absent, or a pattern of its value. Case matters in values",
    )
}

const fn query() -> Field {
    optional(
        "query",
        Map { names: &TEXT, values: &Either(&[Flag, Text(&PATTERN)]) },
        "any",
        "query parameters by name, in the same form as `headers`. Names and values are matched [decoded](spellings.md#matches)",
    )
}

const fn cookies() -> Field {
    optional(
        "cookies",
        Map { names: &COOKIE, values: &Either(&[Flag, Text(&PATTERN)]) },
        "any",
        "cookies by name, in the same form as `headers`. Values are matched [decoded and without quotes](spellings.md#matches)",
    )
}

const fn keys() -> Field {
    optional(
        "keys",
        Map { names: &KEY_NAME, values: &Either(&[Flag, Text(&PATTERN)]) },
        "any",
        "by the name of a key: `true` if the request must have a value of it, even one that is `false`, `false` if it must have none, or a \
         pattern of its value; of a list, one of its elements fits. Quote a value such as `\"true\"` or `\"3\"`. With `header`, `query`, \
         `cookie`, `metadata`, `consumer`, or `first_of` of such keys. If the request presents conflicting values, a `match` \
         of a policy covers it, and a rule that frees requests does not",
    )
}

pub(super) const OBJECTS: &[Object] = &[
    Object {
        name: "match",
        at: "policies[].match[]",
        about: "Requests that fulfil every field; an empty match covers all requests.",
        one_of: &[],
        fields: &[
            method(),
            path(),
            host(),
            headers(),
            query(),
            cookies(),
            keys(),
            optional(
                "cost",
                number(1, 4_294_967_295, "units"),
                "the policy's",
                "what such a request costs; if several matches fit, the first one decides",
            ),
        ],
    },
    Object {
        name: "exception",
        at: "policies[].except[], exempt[]",
        about: "Requests that fulfil every field: a match without a cost.",
        one_of: &[],
        fields: &[method(), path(), host(), headers(), query(), cookies(), keys()],
    },
    Object {
        name: "return",
        at: "policies[].returns[]",
        about: "Requests that return a unit if their response has one of the statuses in `on`: a match without a cost.",
        one_of: &[],
        fields: &[
            method(),
            path(),
            host(),
            headers(),
            query(),
            cookies(),
            keys(),
            optional("on", Statuses, "`[2xx]`", "the response statuses that return a unit"),
        ],
    },
];
