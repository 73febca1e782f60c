//! Keys: who is asking.

use super::Kind::{Either, List, Object as Obj, Statuses, Text, Words};
use super::texts::{COOKIE, HEADER, KEY_NAME, LENGTH, NAME, PARAMETER, SCHEME, TEXT};
use super::{Object, default, number, optional, word};

const NOT_A_SOURCE: &str = "another source";
const METADATA: &str =
    "what an earlier filter left: the filter's name, then one name or more down to the value";

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
            optional("query", Text(&TEXT), NOT_A_SOURCE, "a parameter of the query"),
            optional("cookie", Text(&COOKIE), NOT_A_SOURCE, "a cookie"),
            optional(
                "client_ip",
                Obj("client_ip"),
                NOT_A_SOURCE,
                "the client's address as Envoy knows it, never a header; an IPv4-mapped address is the IPv4 one",
            ),
            optional(
                "path",
                Text(&PARAMETER),
                NOT_A_SOURCE,
                "the `{parameter}` of the path that matched; every `match` of a policy with such a key has it",
            ),
            optional("metadata", List(&Text(&TEXT)), NOT_A_SOURCE, METADATA),
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
                "two to eight keys, none of them with `first_of`: the first that the request has. A caller is told apart as by that key alone",
            ),
            optional(
                "scheme",
                Text(&SCHEME),
                "the value is the whole header",
                "beside `header`: what stands before the value, no part of it; a header without it is no key",
            ),
            optional(
                "prefix",
                number(1, 4_096, "bytes"),
                "the whole value",
                "beside `header`, `query` or `cookie`: only so many first bytes count",
            ),
            optional(
                "valid",
                Either(&[
                    Words(&[word("consumer", "if it is listed for a consumer under this key")]),
                    Obj("valid"),
                ]),
                "always",
                "beside `header`, `query` or `cookie`: when the value is to be believed; else it is as if it were not there",
            ),
            optional(
                "same_as",
                Text(&KEY_NAME),
                "equal values of two keys are two callers",
                "not beside `first_of`: equal values of this key and that one are one caller, as of an organization that is known by a \
                 claim or by a consumer's attribute",
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
                "if an earlier filter has left this: its name, then one name or more down to a value that is `true` or a text that is not empty",
            ),
            optional(
                "unless",
                Statuses,
                "an earlier filter says it",
                "until the upstream answers a request that has it with such a status",
            ),
            default(
                "for",
                Text(&LENGTH),
                "\"10m\"",
                "beside `unless`: for so long the value is then not believed",
            ),
        ],
    },
];
