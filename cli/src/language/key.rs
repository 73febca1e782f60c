//! Keys: how callers are told apart.

use super::Kind::{Either, Flag, List, Object as Obj, Statuses, Text, Words};
use super::texts::{COOKIE, DURATION, HEADER, KEY_NAME, NAME, PARAMETER, SCHEME, SEPARATOR, TEXT};
use super::{Object, default, number, optional, word};

const NOT_A_SOURCE: &str = "another source";
const METADATA: &str = "dynamic metadata of an earlier filter: the filter's name, then one or more names down to the value. Every kind of \
     value has [one reading](#values-of-earlier-filters)";

pub(super) const OBJECTS: &[Object] = &[
    Object {
        name: "key",
        at: "keys.NAME",
        about: "A way to tell callers apart. A policy does not apply to a request without its key.",
        one_of: &[
            "header",
            "query",
            "cookie",
            "client_ip",
            "path",
            "metadata",
            "consumer",
            "constant",
            "first_of",
        ],
        fields: &[
            optional(
                "header",
                Text(&HEADER),
                NOT_A_SOURCE,
                "a request header, up to its first comma; `whole` and `separator` read it otherwise",
            ),
            optional(
                "query",
                Text(&TEXT),
                NOT_A_SOURCE,
                "a query parameter, decoded. It ends at `&` or `;`. An empty value counts as absent",
            ),
            optional(
                "cookie",
                Text(&COOKIE),
                NOT_A_SOURCE,
                "a cookie, decoded and without quotes. It ends at `;`; a comma is part of it. An empty value counts as absent",
            ),
            optional(
                "client_ip",
                Obj("client_ip"),
                NOT_A_SOURCE,
                "the client's address as Envoy determines it; the filter reads no header for it. An IPv4-mapped IPv6 address counts as IPv4",
            ),
            optional(
                "path",
                Text(&PARAMETER),
                NOT_A_SOURCE,
                "the `{parameter}` of the matched path; every `match` of a policy with such a key must have it",
            ),
            optional("metadata", List(&Text(&TEXT)), NOT_A_SOURCE, METADATA),
            optional(
                "consumer",
                Text(&NAME),
                NOT_A_SOURCE,
                "`name` for the consumer itself, or the name of one of its attributes",
            ),
            optional(
                "constant",
                Text(&TEXT),
                NOT_A_SOURCE,
                "one value for all callers, who then share the limit",
            ),
            optional(
                "first_of",
                List(&Text(&KEY_NAME)),
                NOT_A_SOURCE,
                "two to eight keys, none of them with `first_of`. The first one that the request has is used, as if it stood alone",
            ),
            optional(
                "scheme",
                Text(&SCHEME),
                "the value is the whole header",
                "with `header`: the authentication scheme before the value, which is not part of it; a header with another scheme counts as absent",
            ),
            optional(
                "prefix",
                number(1, 4_096, "bytes"),
                "the whole value",
                "with `header`, `query` or `cookie`: only this many bytes from the start count",
            ),
            optional(
                "valid",
                Either(&[
                    Words(&[word("consumer", "if it is listed under this key for a consumer")]),
                    Obj("valid"),
                ]),
                "always",
                "with `header`, `query` or `cookie`: when the value is accepted as valid; otherwise it counts as absent",
            ),
            optional(
                "same_as",
                Text(&KEY_NAME),
                "equal values of two keys are two callers",
                "not with `first_of`: equal values of this key and the named one are the same caller, such as an organization \
                 that is known by a claim or by an attribute of a consumer",
            ),
            optional(
                "repeated",
                Words(&[
                    word(
                        "reject",
                        "every policy that counts by this key, or by a consumer identified by it, rejects the request",
                    ),
                    word("first", "the first non-empty value is used"),
                    word("last", "the last non-empty value is used"),
                ]),
                "`reject`; with `header`: `first`",
                "with `header`, `query` or `cookie`: what happens if a request has it several times with different values. \
                 Choose `first` or `last` only if your upstream reads that one too ([spellings](spellings.md))",
            ),
            default(
                "names",
                Words(&[
                    word("exact", "exactly the name written here"),
                    word(
                        "loose",
                        "also in another case, with `.` or a space for `_`, or followed by `[]`, as ASP.NET, PHP and Express read it",
                    ),
                ]),
                "\"exact\"",
                "with `query` or `cookie`: which names of a parameter or cookie are taken for this one",
            ),
            default(
                "case",
                Words(&[
                    word(
                        "ignore",
                        "values that differ only in case are one caller, as most upstreams read UUIDs",
                    ),
                    word("strict", "they are different callers"),
                ]),
                "\"strict\"",
                "with `path`: whether case matters",
            ),
            default(
                "suffix",
                Words(&[
                    word("ignore", "`8.json` is the caller `8`, as in Rails"),
                    word("strict", "they are different callers"),
                ]),
                "\"strict\"",
                "with `path`: whether the part of a value from its first dot on matters",
            ),
            default(
                "whole",
                Flag,
                "false",
                "with `header`, not with `scheme` and `repeated`: the value is the whole header with its commas, all lines \
                 joined with commas as Envoy joins them. Not for credentials: whoever adds a line has another value",
            ),
            optional(
                "separator",
                Text(&SEPARATOR),
                "the value is not divided",
                "with `header`, `query`, `cookie` or `metadata`: divides the value into elements, without whitespace around them; \
                 empty ones do not count. Without `index` the value is a [list](#values-of-earlier-filters). A header without \
                 `scheme` is divided as a whole, all lines joined with commas",
            ),
            optional(
                "index",
                number(-64, 63, ""),
                "all elements, as a list",
                "with `separator`: the value is this element, `0` for the first, `-1` for the last. If there is none, the key is absent",
            ),
        ],
    },
    Object {
        name: "client_ip",
        at: "keys.NAME.client_ip",
        about: "Which part of the client's address counts.",
        one_of: &[],
        fields: &[default(
            "ipv6_prefix",
            number(1, 128, "bits"),
            "64",
            "IPv6 addresses that agree in this many leading bits are one client",
        )],
    },
    Object {
        name: "valid",
        at: "keys.NAME.valid",
        about: "What decides whether a key's value is valid: `metadata` of an earlier filter, or the upstream's responses (`unless` \
                with `for`).",
        one_of: &["metadata", "unless"],
        fields: &[
            optional(
                "metadata",
                List(&Text(&TEXT)),
                "the upstream decides",
                "valid if this metadata of an earlier filter is `true`, a non-empty text, any number, or a list or an object that is \
                 not empty: the filter's name, then one or more names down to the value",
            ),
            optional(
                "unless",
                Statuses,
                "an earlier filter decides",
                "valid until the upstream answers a request that has the value with one of these statuses",
            ),
            default(
                "for",
                Text(&DURATION),
                "\"10m\"",
                "with `unless`: how long the value then counts as absent",
            ),
        ],
    },
];
