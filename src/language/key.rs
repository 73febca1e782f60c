//! Keys: who is asking.

use super::Kind::{Either, List, Object as Obj, Statuses, Text, Words};
use super::texts::{HEADER, KEY_NAME, LENGTH, NAME, PARAMETER, SCHEME, TEXT};
use super::{Object, default, number, optional, word};

const NOT_A_SOURCE: &str = "another source";

pub(super) const OBJECTS: &[Object] = &[
    Object {
        name: "key",
        at: "keys.NAME",
        about: "A way to tell callers apart. A policy does not apply to a request that lacks its key.",
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
                "a request header; of repeated ones the first, up to its first comma",
            ),
            optional(
                "scheme",
                Text(&SCHEME),
                "the value is the whole header",
                "beside `header`: the scheme before the value, no part of it; a value without it is no key",
            ),
            optional(
                "prefix",
                number(1, 4_096, "bytes"),
                "the whole value",
                "beside `header`, `query` or `cookie`: only so many first bytes count",
            ),
            optional("query", Text(&TEXT), NOT_A_SOURCE, "a parameter of the query"),
            optional("cookie", Text(&TEXT), NOT_A_SOURCE, "a cookie"),
            optional(
                "client_ip",
                Obj("client_ip"),
                NOT_A_SOURCE,
                "the client's address as Envoy knows it, never a header; an IPv4-mapped address is the IPv4 one",
            ),
            optional("path", Text(&PARAMETER), NOT_A_SOURCE, "the `{parameter}` of the match that matched"),
            optional(
                "metadata",
                List(&Text(&TEXT)),
                NOT_A_SOURCE,
                "what an earlier filter left: the filter's name, then the names down to the value",
            ),
            optional(
                "consumer",
                Text(&NAME),
                NOT_A_SOURCE,
                "`name`: who the consumer is; else one of its attributes",
            ),
            optional("constant", Text(&TEXT), NOT_A_SOURCE, "the same for all callers"),
            optional(
                "first_of",
                List(&Text(&KEY_NAME)),
                NOT_A_SOURCE,
                "the first of these keys that the request has",
            ),
            optional(
                "valid",
                Either(&[
                    Words(&[word("consumer", "the value is listed for a consumer under this key")]),
                    Obj("valid"),
                ]),
                "always",
                "beside `header`, `query` or `cookie`: when the value is to be believed; else it is as if it were not there",
            ),
        ],
    },
    Object {
        name: "client_ip",
        at: "keys.NAME.client_ip",
        about: "What of the client's address counts.",
        one_of: &[],
        fields: &[default(
            "ipv6_prefix",
            number(1, 128, "bits"),
            "64",
            "IPv6 addresses that share so many first bits are one client",
        )],
    },
    Object {
        name: "valid",
        at: "keys.NAME.valid",
        about: "Who says that a key's value is to be believed: an earlier filter by `metadata`, or the upstream by its answers, \
                `unless` with `for`.",
        one_of: &["metadata", "unless"],
        fields: &[
            optional(
                "metadata",
                List(&Text(&TEXT)),
                "the upstream says it",
                "an earlier filter has left this: the filter's name, then the names down to a value that is not empty or is true",
            ),
            optional(
                "unless",
                Statuses,
                "an earlier filter says it",
                "until the upstream answers the value with such a status",
            ),
            optional(
                "for",
                Text(&LENGTH),
                "beside `unless` it is required",
                "for so long the value is then not believed",
            ),
        ],
    },
];
