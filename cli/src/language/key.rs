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
            optional("header", Text(&HEADER), NOT_A_SOURCE, "a request header, up to its first comma"),
            optional(
                "query",
                Text(&TEXT),
                NOT_A_SOURCE,
                "a parameter of the query, decoded. It ends at `&` or `;`. An empty one counts as absent",
            ),
            optional(
                "cookie",
                Text(&COOKIE),
                NOT_A_SOURCE,
                "a cookie, without quotes and decoded. It ends at `;`, and a comma is part of it. An empty one counts as absent",
            ),
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
            optional(
                "repeated",
                Words(&[
                    word(
                        "reject",
                        "every policy that counts by this key, or by a consumer known by it, rejects the request",
                    ),
                    word("first", "the first value that is not empty counts"),
                    word("last", "the last value that is not empty counts"),
                ]),
                "`reject`; `first` beside `header`",
                "beside `header`, `query` or `cookie`: what happens to a request that has it several times with different values. \
                 Choose `first` or `last` only if your upstream reads that one ([spellings](spellings.md))",
            ),
            default(
                "names",
                Words(&[
                    word("exact", "as it is written here"),
                    word(
                        "loose",
                        "also in another case, with `.` or a space for `_`, and with `[]` behind it, as ASP.NET, PHP and Express read it",
                    ),
                ]),
                "\"exact\"",
                "beside `query` or `cookie`: which names are this one",
            ),
            default(
                "case",
                Words(&[
                    word(
                        "ignore",
                        "values that differ only in case are one caller, as UUIDs are to most upstreams",
                    ),
                    word("strict", "they are two"),
                ]),
                "\"strict\"",
                "beside `path`: whether case matters",
            ),
            default(
                "suffix",
                Words(&[
                    word("ignore", "`8.json` is the caller `8`, as in Rails"),
                    word("strict", "they are two"),
                ]),
                "\"strict\"",
                "beside `path`: whether what follows the first dot of a value matters",
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
