//! Types that several fields have: the forms of texts, what each becomes, and what is valid.

use super::parse;
use crate::body::Pointer;
use crate::config::{Composite, Doc, Form, Kind, Number, Text, Thousandths};
use crate::http::{Host, PathTemplate, Pattern};
use crate::time::{self, Micros};

/// A number of units.
pub const UNITS: Number<u32> = Number::new(1, u32::MAX as i64, "units");

/// What a request may cost.
pub const COST: Number<u32> = Number::new(0, UNITS.range.max, "units");

/// What a quota may be.
pub const QUOTA: Number<u32> = Number::new(0, UNITS.range.max, "units");

/// What an error says is allowed where one is wanted.
pub const QUOTA_ALLOWED: &str = "a whole number from 0 to 4294967295";

/// What a number of a response's body is multiplied by.
pub const WEIGHT: Thousandths = Thousandths::new(1_000_000, "");

/// A set of response statuses.
pub const STATUSES: Composite = Composite::new(
    Kind::Statuses,
    "a list of statuses such as 401, classes such as 5xx, or gRPC statuses such as grpc:not_found",
);

/// What an error says where a token is wanted.
macro_rules! token {
    ($what:literal) => {
        concat!($what, " (letters, digits and !#$%&'*+-.^_`|~)")
    };
}

/// A text that is never read by itself, but compared with names of the configuration.
const fn reference(
    name: &'static str,
    what: &'static str,
    pattern: &'static str,
    allowed: &'static str,
) -> Text {
    Text { name: Doc::new(name), what: Doc::new(what), pattern: Doc::new(Some(pattern)), allowed }
}

/// A name that the operator chooses.
pub const NAME: Form<String> = Form::new(
    "name",
    "at most 64 letters, digits, `_` and `-`",
    Some("^[A-Za-z0-9_-]{1,64}$"),
    "a name of at most 64 letters, digits, _ and -",
    parse::name,
);

/// The name of a key.
pub const KEY_NAME: Text =
    reference("key name", "the name of a key under `keys`", "^[A-Za-z0-9_-]{1,64}$", "the name of a key");

/// The name of a tier.
pub const TIER: Text =
    reference("tier", "one of `tiers.names`", "^[A-Za-z0-9_-]{1,64}$", "the name of a tier");

/// A limit of a policy.
pub const LIMIT: Text = reference(
    "limit reference",
    "`policy/limit`, or just `policy` if it has only one limit",
    "^[A-Za-z0-9_-]{1,64}(/[A-Za-z0-9_-]{1,64})?$",
    "a limit, as policy/limit, or just policy if it has only one limit",
);

/// A length of time.
pub const DURATION: Form<Micros> = Form::new(
    "duration",
    "a whole number and its unit, `s`, `m`, `h` or `d`: `60s`, `10m`, `1h`, `7d`; from `1s` to `366d`",
    Some("^0*[1-9][0-9]*[smhd]$"),
    "a duration such as 60s, 10m, 1h or 7d, from 1s to 366d",
    parse::duration,
);

/// A share.
pub const PERCENT: Form<u8> = Form::new(
    "percentage",
    "a whole number from 1 to 100 and `%`: `10%`",
    Some("^0*([1-9][0-9]?|100)%$"),
    "a whole percentage such as 10%, from 1% to 100%",
    parse::percent,
);

/// A time of the day, in seconds since 00:00.
pub const CLOCK_TIME: Form<u32> = Form::new(
    "time of day",
    "two digits for the hour and two for the minute, from `00:00` to `23:59`; in quotes",
    Some("^([01][0-9]|2[0-3]):[0-5][0-9]$"),
    "a time in quotes, such as \"09:00\", from 00:00 (the start or the end of a day) to 23:59",
    parse::clock_time,
);

/// A short length of time.
pub const MILLISECONDS: Form<Micros> = Form::new(
    "milliseconds",
    "a whole number of milliseconds such as `50ms`, from `1ms` to `1000ms`, or `1s`",
    Some("^(0*[1-9][0-9]{0,2}|0*1000)ms$|^1s$"),
    "milliseconds such as 50ms, from 1ms to 1000ms, or 1s",
    parse::milliseconds,
);

/// An instant.
pub const TIMESTAMP: Form<Micros> = Form::new(
    "timestamp",
    "RFC 3339 in whole seconds with a UTC offset, from 1970 on: `2026-05-19T00:00:00-06:00`",
    Some("^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]"),
    "a timestamp with its UTC offset, such as 2026-05-19T00:00:00-06:00, from 1970 on",
    time::parse_instant,
);

/// A time zone. An error names similar ones.
pub const ZONE: Text = reference(
    "time zone",
    "an IANA time zone such as `Europe/Madrid`",
    "^[A-Za-z]",
    "an IANA time zone such as Europe/Madrid",
);

/// A request method.
pub const METHOD: Form<String> = Form::new(
    "method",
    "upper-case, such as `POST`",
    Some("^[A-Z-]+$"),
    "an upper-case method such as POST, or a list of them",
    parse::method,
);

/// The hosts of requests.
pub const HOST: Form<Host> = Form::new(
    "host",
    "`api.example.com`, `*.example.com` for all its subdomains, or a pattern such as `api-*` or `api-*.example.com`; without a port; case does not matter",
    Some(r"^\*?([A-Za-z0-9._-]+\*?)+$|^\[[0-9A-Fa-f:.]+\]$"),
    "a host such as api.example.com, *.example.com for its subdomains, api-* or api-*.example.com, without a port: \
     * stands for any text; without host, every host matches",
    Host::parse,
);

/// Addresses of clients. An error names the range that was probably meant.
pub const ADDRESS_RANGE: Text = Text {
    name: Doc::new("address range"),
    what: Doc::new(
        "an IP address, or a range of them in CIDR form, which begins at its first address: `192.0.2.7`, `192.0.2.0/24`, `2001:db8::/32`",
    ),
    pattern: Doc::new(Some(r"^[0-9A-Fa-f.:]+(/[0-9]{1,3})?$")),
    allowed: "an IP address, or a range of them such as 192.0.2.0/24 or 2001:db8::/32",
};

/// The paths of requests.
pub const PATH: Form<PathTemplate> = Form::new(
    "path",
    "starts with `/`; `{word}` and `*` stand for one whole segment that is not empty, `*` within a segment for any text of it, also none, \
     `**` at the end for any rest, also none: `/v1/invoices/{id}/**`, `/v*/users`. After `**` one more segment may follow, and another \
     `**`: `/**/*.php` is a last segment at any depth, `/**/*.php/**` one anywhere",
    Some(r#"^(/(\{[A-Za-z0-9_]+\}|[!"$-.0->@-z|~]*))+$"#),
    "a path such as /v1/invoices/{id} or /files/*.pdf: it starts with /, {name} is one whole segment, each name occurs once, \
     * is any text within a segment, ** stands at the end or before one last segment as in /**/*.php",
    PathTemplate::parse,
);

/// Where a value stands in a JSON document.
pub const POINTER: Form<Pointer> = Form::new(
    "JSON pointer",
    "[RFC 6901](https://www.rfc-editor.org/rfc/rfc6901), of 1 to 8 segments: `/usage/total_tokens`; `~1` stands for `/` and `~0` for `~`. \
     A list at the top of a body counts as the documents in it",
    Some("^(/([^/~]|~[01])+){1,8}$"),
    "a JSON pointer such as /usage/total_tokens, of 1 to 8 segments",
    Pointer::parse,
);

/// The parameter of a path.
pub const PARAMETER: Form<String> = Form::new(
    "parameter",
    "the word in `{word}` of a path",
    Some("^[A-Za-z0-9_-]{1,64}$"),
    "the name of a path parameter, of at most 64 letters, digits, _ and -",
    parse::name,
);

/// The name of a header, in lower case.
pub const HEADER: Form<String> = Form::new(
    "header name",
    "at most 256 characters; case does not matter",
    Some("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}$"),
    token!("a header name"),
    parse::header_name,
);

/// The name of a limit header, in lower case.
pub const HEADER_TEMPLATE: Form<String> = Form::new(
    "header name template",
    "a header name in which `{policy}` and `{limit_name}` stand for the names of the described limit; it is sent in lower case",
    Some("^([A-Za-z0-9!#$%&'*+.^_`|~-]|\\{policy\\}|\\{limit_name\\})+$"),
    token!("a header name, in which {policy} and {limit_name} are variables"),
    parse::header_name_template,
);

/// The name of a query parameter.
pub const PARAMETER_NAME: Form<String> = Form::new(
    "text",
    "1 to 256 characters",
    None,
    "the name of a query parameter, 1 to 256 characters",
    parse::text,
);

/// The name of a cookie.
pub const COOKIE: Form<String> = Form::new(
    "cookie name",
    "at most 256 characters; case matters",
    Some("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}$"),
    token!("a cookie name"),
    parse::token,
);

/// An authentication scheme.
pub const SCHEME: Form<String> = Form::new(
    "scheme",
    "an authentication scheme such as `Bearer`; case does not matter",
    Some("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}$"),
    token!("an authentication scheme such as Bearer"),
    parse::token,
);

/// What divides a value.
pub const SEPARATOR: Form<String> = Form::new(
    "separator",
    "1 to 16 characters",
    None,
    "text of 1 to 16 characters, such as \",\"",
    parse::separator,
);

/// What stands before or behind the part of a value that counts.
pub const CUT: Form<String> = Form::new(
    "part of a text",
    "1 to 64 characters",
    None,
    "text of 1 to 64 characters, such as \"/ns/\"",
    parse::cut,
);

/// The type of a body.
pub const MEDIA_TYPE: Form<String> = Form::new(
    "media type",
    "such as `application/json`",
    Some("^[ -~]*/[ -~]*$"),
    "a media type such as application/json",
    parse::media_type,
);

/// The language of a message.
pub const LANGUAGE: Form<String> = Form::new(
    "language",
    "such as `es` or `es-MX`",
    Some("^[A-Za-z0-9-]+$"),
    "a language tag such as es or es-MX",
    parse::language,
);

/// A text with variables, which depend on where it stands.
pub const TEMPLATE: Text = Text {
    name: Doc::new("template"),
    what: Doc::new("a text whose [variables](#variables), such as `{retry_after}`, are filled in"),
    pattern: Doc::new(None),
    allowed: "text",
};

/// A credential of a consumer. No error shows it.
pub const SECRET: Text = Text {
    name: Doc::new("credential"),
    what: Doc::new("the output of `tollgate hash`, `sha256:` and 64 hexadecimal digits; or the value itself"),
    pattern: Doc::new(None),
    allowed: "text: sha256: and 64 hexadecimal digits, or the value itself",
};

/// The digest of a value. No error shows what stands in its place.
pub const DIGEST: Text = Text {
    name: Doc::new("digest"),
    what: Doc::new("the output of `tollgate hash`, with or without `sha256:`: 64 hexadecimal digits"),
    pattern: Doc::new(Some("^(sha256:)?[0-9A-Fa-f]{64}$")),
    allowed: "sha256: and 64 hexadecimal digits, as tollgate hash prints it",
};

/// A short text.
pub const TEXT: Form<String> =
    Form::new("text", "1 to 256 characters", None, "text of 1 to 256 characters", parse::text);

/// The name of a cluster in Envoy's configuration.
pub const CLUSTER: Form<String> = Form::new(
    "cluster name",
    "1 to 256 characters",
    None,
    "the name of the Envoy cluster of tollgate-fleet, 1 to 256 characters",
    parse::text,
);

/// A text of any length.
pub const ANY_TEXT: Form<String> =
    Form::new("any text", "of any length, also empty", None, "text", parse::any_text);

/// A pattern of values.
pub const PATTERN: Form<Pattern> = Form::new(
    "pattern",
    "a text, in which each `*` stands for any text, also none: `sk_live_*`, `*-test`, `*bot*`, `sk_*_test`; `*` alone is any text \
     but the empty one, `\\*` an asterisk and `\\\\` a backslash",
    Some(r"^\*?((\\[\s\S]|[^*\\])+\*)*(\\[\s\S]|[^*\\])*\\?$"),
    "its value, in which * stands for any text, and \\* for an asterisk",
    Pattern::parse,
);
