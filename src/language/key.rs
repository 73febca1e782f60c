//! A key: how callers are told apart.

use super::{client_ip, forms, valid};
use crate::config::{Composite, Field, Flag, Form, Kind, Literal, Number, Object, Rule, Word, Words, object};
use crate::http::credential::Repeated;

const NOT_A_SOURCE: &str = "another source";

/// A request header.
pub const HEADER: Field<&Form<String>> = Field::optional(
    "header",
    &forms::HEADER,
    NOT_A_SOURCE,
    "a request header, up to its first comma; `whole` and `separator` read it otherwise",
);

/// A query parameter.
pub const QUERY: Field<&Form<String>> = Field::optional(
    "query",
    &forms::TEXT,
    NOT_A_SOURCE,
    "a query parameter, decoded. It ends at `&` or `;`. An empty value counts as absent",
);

/// A cookie.
pub const COOKIE: Field<&Form<String>> = Field::optional(
    "cookie",
    &forms::COOKIE,
    NOT_A_SOURCE,
    "a cookie, decoded and without quotes. It ends at `;`; a comma is part of it. An empty value counts as absent",
);

/// The client's address.
pub const CLIENT_IP: Field<Composite> = Field::optional(
    "client_ip",
    Composite::new(Kind::Object(&client_ip::OBJECT), "an object"),
    NOT_A_SOURCE,
    "the client's address as Envoy determines it; the filter reads no header for it. An IPv4-mapped IPv6 address counts as IPv4",
);

/// A parameter of the path.
pub const PATH: Field<&Form<String>> = Field::optional(
    "path",
    &forms::PARAMETER,
    NOT_A_SOURCE,
    "the `{parameter}` of the matched path; every `match` of a policy with such a key must have it",
);

/// Metadata of an earlier filter.
pub const METADATA: Field<Composite> = Field::optional(
    "metadata",
    valid::METADATA.kind,
    NOT_A_SOURCE,
    "dynamic metadata of an earlier filter: the filter's name, then one or more names down to the value. Every kind of \
     value has [one reading](#values-of-earlier-filters)",
);

/// The consumer, or an attribute.
pub const CONSUMER: Field<&Form<String>> = Field::optional(
    "consumer",
    &forms::NAME,
    NOT_A_SOURCE,
    "`name` for the consumer itself, or the name of one of its attributes",
);

/// One value for all.
pub const CONSTANT: Field<&Form<String>> = Field::optional(
    "constant",
    &forms::TEXT,
    NOT_A_SOURCE,
    "one value for all callers, who then share the limit",
);

/// Several keys.
pub const FIRST_OF: Field<Composite> = Field::optional(
    "first_of",
    Composite::new(Kind::List(&Kind::Text(&forms::KEY_NAME)), "a list of two to eight key names"),
    NOT_A_SOURCE,
    "two to eight keys, none of them with `first_of`. The first one that the request has is used, as if it stood alone",
);

/// The scheme before a header's value.
pub const SCHEME: Field<&Form<String>> = Field::optional(
    "scheme",
    &forms::SCHEME,
    "the value is the whole header",
    "with `header`: the authentication scheme before the value, which is not part of it; a header with another scheme counts as absent",
);

/// How many bytes count.
pub const PREFIX: Field<Number<usize>> = Field::optional(
    "prefix",
    Number::new(1, 4_096, "bytes"),
    "the whole value",
    "with `header`, `query` or `cookie`: only this many bytes from the start count",
);

/// When a value is accepted: a word, or an object.
pub const VALID: Field<Composite> = Field::optional(
    "valid",
    Composite::new(
        Kind::Either(&[
            Kind::Words(&Words(&[Word::new(
                "consumer",
                (),
                "if it is listed under this key for a consumer",
            )])),
            Kind::Object(&valid::OBJECT),
        ]),
        "consumer, or an object with metadata, or with unless and for",
    ),
    "always",
    "with `header`, `query` or `cookie`: when the value is accepted as valid; otherwise it counts as absent",
);

/// The key whose equal values are the same caller.
pub const SAME_AS: Field<Composite> = Field::optional(
    "same_as",
    Composite::new(Kind::Text(&forms::KEY_NAME), forms::KEY_NAME.allowed),
    "equal values of two keys are two callers",
    "not with `first_of`: equal values of this key and the named one are the same caller, such as an organization \
     that is known by a claim or by an attribute of a consumer",
);

/// What holds for a value that is repeated.
pub const REPEATED: Field<&Words<Repeated>> = Field::optional(
    "repeated",
    &Words(&[
        Word::new(
            "reject",
            Repeated::Reject,
            "every policy that counts by this key, or by a consumer identified by it, rejects the request",
        ),
        Word::new("first", Repeated::First, "the first non-empty value is used"),
        Word::new("last", Repeated::Last, "the last non-empty value is used"),
    ]),
    "`reject`; with `header`: `first`",
    "with `header`, `query` or `cookie`: what happens if a request has it several times with different values. \
     Choose `first` or `last` only if your upstream reads that one too ([spellings](spellings.md))",
);

/// Whether other spellings of the name count.
pub const NAMES: Field<&Words<bool>> = Field::default(
    "names",
    &Words(&[
        Word::new("exact", false, "exactly the name written here"),
        Word::new(
            "loose",
            true,
            "also in another case, with `.` or a space for `_`, or followed by `[]`, as ASP.NET, PHP and Express read it",
        ),
    ]),
    Literal::Text("exact"),
    "with `query` or `cookie`: which names of a parameter or cookie are taken for this one",
);

/// Whether case is ignored.
pub const CASE: Field<&Words<bool>> = Field::default(
    "case",
    &Words(&[
        Word::new(
            "ignore",
            true,
            "values that differ only in case are one caller, as most upstreams read UUIDs",
        ),
        Word::new("strict", false, "they are different callers"),
    ]),
    Literal::Text("strict"),
    "with `path`: whether case matters",
);

/// Whether the suffix is ignored.
pub const SUFFIX: Field<&Words<bool>> = Field::default(
    "suffix",
    &Words(&[
        Word::new("ignore", true, "`8.json` is the caller `8`, as in Rails"),
        Word::new("strict", false, "they are different callers"),
    ]),
    Literal::Text("strict"),
    "with `path`: whether the part of a value from its first dot on matters",
);

/// Whether all lines of a header are one value.
pub const WHOLE: Field<Flag> = Field::default(
    "whole",
    Flag,
    Literal::Flag(false),
    "with `header`, not with `scheme` and `repeated`: the value is the whole header with its commas, all lines \
     joined with commas as Envoy joins them. Not for credentials: whoever adds a line has another value",
);

/// What divides the value.
pub const SEPARATOR: Field<&Form<String>> = Field::optional(
    "separator",
    &forms::SEPARATOR,
    "the value is not divided",
    "with `header`, `query`, `cookie` or `metadata`: divides the value into elements, without whitespace around them; \
     empty ones do not count. Without `index` the value is a [list](#values-of-earlier-filters). A header without \
     `scheme` is divided as a whole, all lines joined with commas",
);

/// Which element counts.
pub const INDEX: Field<Number<i32>> = Field::optional(
    "index",
    Number::new(-64, 63, ""),
    "all elements, as a list",
    "the value is this element, `0` for the first, `-1` for the last. If there is none, the key is absent",
);

/// The object.
pub const OBJECT: Object = object!("key" at "keys.NAME":
"A way to tell callers apart. A policy does not apply to a request without its key.";
HEADER, QUERY, COOKIE, CLIENT_IP, PATH, METADATA, CONSUMER, CONSTANT, FIRST_OF, SCHEME, PREFIX, VALID, SAME_AS,
REPEATED, NAMES, CASE, SUFFIX, WHOLE, SEPARATOR, INDEX;
rules [
    Rule::ExactlyOne(&[
        HEADER.name, QUERY.name, COOKIE.name, CLIENT_IP.name, PATH.name, METADATA.name, CONSUMER.name,
        CONSTANT.name, FIRST_OF.name,
    ]),
    Rule::OnlyWith(INDEX.name, &[SEPARATOR.name]),
]);
