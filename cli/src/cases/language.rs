//! The language of test files, declared as the language of policies is: errors, the JSON Schema and what is read
//! follow from it.

pub mod body;
pub mod expect;
pub mod value;

use jiff::Timestamp;
use std::net::IpAddr;
use tollgate::config::{
    Composite, Field, Form, Kind, Literal, Number, Object, Rule, Word, Words, forms, object,
};
use tollgate::http::{Pattern, SampleRequest};
use tollgate::time::{MILLISECOND, Micros, SECOND};

/// So many requests may a file send. More would only take long.
pub const MAX_REQUESTS: u32 = 1_000_000;

/// So long after its start may the last request of a case be.
pub const MAX_SPAN: Micros = 3_660 * 86_400 * SECOND;

/// When a request is sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Moment {
    /// So long after the start of its case.
    After(Micros),
    /// At this time since the UNIX epoch.
    At(Micros),
}

/// A length of time, which may be zero.
pub const SPAN: Form<Micros> = Form::new(
    "time",
    "a whole number and its unit, `ms`, `s`, `m`, `h` or `d`: `250ms`, `60s`, `31d`; from `0s` to `3660d`",
    Some("^[0-9]+(ms|[smhd])$"),
    "a time such as 250ms, 60s, 5m, 1h or 31d, from 0s to 3660d",
    span,
);

/// An instant, or a time since the start of the case.
pub const MOMENT: Form<Moment> = Form::new(
    "moment",
    "a time since the start of the case, such as `60s`, or a timestamp with its UTC offset",
    Some("^[0-9]+(ms|[smhd])$|^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]"),
    "a time since the start of the case, such as 60s, or a timestamp such as 2026-10-25T02:59:59+02:00",
    |text| span(text).map(Moment::After).or_else(|| timestamp(text).map(Moment::At)),
);

/// An instant.
pub const TIMESTAMP: Form<Micros> = Form::new(
    "instant",
    "RFC 3339 with a UTC offset, from 1970 on: `2026-10-25T02:59:59+02:00`",
    Some("^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]"),
    "a timestamp with its UTC offset, such as 2026-10-25T02:59:59+02:00, from 1970 on",
    timestamp,
);

const REQUEST_LINE: Form<SampleRequest> = Form::new(
    "request line",
    "a method and a path, such as `GET /v1/invoices?page=2`; `GET` if there is only a path",
    Some("^([^ /]+ +)?/[^ ]*$"),
    "a method and a path, such as GET /v1/invoices?page=2",
    |text| SampleRequest::parse(text).ok(),
);

const ADDRESS: Form<IpAddr> = Form::new(
    "address",
    "an IPv4 or IPv6 address",
    None,
    "an address such as 192.0.2.7 or 2001:db8::7",
    |text| text.parse().ok(),
);

/// The name of a header or a trailer.
pub const FIELD_NAME: Form<String> = Form::new(
    "field name",
    "the name of a header or a trailer; case does not matter",
    Some("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"),
    "the name of a header",
    |text| {
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        (!text.is_empty() && text.bytes().all(token)).then(|| text.to_ascii_lowercase())
    },
);

/// Where metadata is.
pub const METADATA_PATH: Form<String> = Form::new(
    "metadata path",
    "the name of a filter and the keys down to the value, divided by `/`",
    Some("."),
    "a path such as envoy.filters.http.jwt_authn/payload/sub",
    |text| text.contains('/').then(|| text.to_owned()),
);

const JSON: Form<serde_json::Value> =
    Form::new("JSON text", "JSON, as a text", None, "JSON, as a text", |text| {
        serde_json::from_str(text).ok()
    });

const STATUS_NUMBER: Number<u16> = Number::new(100, 599, "");
const WHOLE: Number<i64> = Number::new(i32::MIN as i64, 1 << 52, "");
/// What may be left of a limit.
pub const LEFT_UNITS: Number<u64> = Number::new(0, 1 << 52, "units");
const FIELD_TEXT: Kind = Kind::Either(&[Kind::Text(&forms::ANY_TEXT.text), WHOLE.erased()]);
const FIELDS_ALLOWED: &str = "an object with a text, a number or a list of them for each name";
const FIELDS: Composite = Composite::new(
    Kind::Map { names: &FIELD_NAME.text, values: &Kind::OneOrList(&FIELD_TEXT) },
    FIELDS_ALLOWED,
);

/// A test file.
pub mod file {
    use super::*;

    /// The policy.
    pub const POLICY: Field<&Form<String>> = Field::optional(
        "policy",
        &forms::TEXT,
        "`billium.yaml` for `billium.test.yaml`",
        "the file with the policy, from the folder of this file: a policy, or an Envoy configuration with Tollgate filters",
    );
    /// The filter, of several.
    pub const FILTER: Field<&Form<String>> = Field::optional(
        "filter",
        &forms::TEXT,
        "the only filter",
        "the name of the filter, if the file is an Envoy configuration with several Tollgate filters",
    );
    /// When cases begin.
    pub const AT: Field<&Form<Micros>> = Field::default(
        "at",
        &TIMESTAMP,
        Literal::Text("2026-01-05T12:00:00Z"),
        "when cases begin that do not say it themselves",
    );
    /// The cases.
    pub const CASES: Field<Composite> = Field::required(
        "cases",
        Composite::new(Kind::List(&Kind::Object(&case::OBJECT)), "a list of at least one case"),
        "the cases. Each begins with empty counts",
    );
    /// The object.
    pub const OBJECT: Object = object!("test" at "": "Cases for a policy: requests at instants, and what is expected of each."; POLICY, FILTER, AT, CASES);
}

/// A case.
pub mod case {
    use super::*;

    /// What it shows.
    pub const NAME: Field<&Form<String>> =
        Field::required("name", &forms::TEXT, "what the case shows; each case of a file has another name");
    /// When it begins.
    pub const AT: Field<&Form<Micros>> =
        Field::optional("at", &TIMESTAMP, "`at` of the file", "when the case begins");
    /// What is sent.
    pub const REQUESTS: Field<Composite> = Field::required(
        "requests",
        Composite::new(Kind::List(&Kind::Object(&row::OBJECT)), "a list of at least one request"),
        "the requests, each with what is expected",
    );
    /// The object.
    pub const OBJECT: Object = object!("case" at "cases[]": "One case."; NAME, AT, REQUESTS);
}

/// A request, which may be repeated.
pub mod row {
    use super::*;

    /// Its method and path.
    pub const REQUEST: Field<&Form<SampleRequest>> =
        Field::required("request", &REQUEST_LINE, "its method and its path");
    /// Who sends it.
    pub const CLIENT_IP: Field<&Form<IpAddr>> = Field::default(
        "client_ip",
        &ADDRESS,
        Literal::Text("127.0.0.1"),
        "the client's address, as Envoy determines it",
    );
    /// Its host.
    pub const HOST: Field<&Form<String>> = Field::optional("host", &forms::TEXT, "it has none", "its host");
    /// Its headers.
    pub const HEADERS: Field<Composite> =
        Field::optional("headers", FIELDS, "none", "its headers; several values are several lines");
    /// The name of its route.
    pub const ROUTE: Field<&Form<String>> = Field::optional(
        "route",
        &forms::TEXT,
        "it has none",
        "the name of the route in Envoy's configuration that it takes",
    );
    const TEXTS: Composite = Composite::new(
        Kind::Map { names: &METADATA_PATH.text, values: &Kind::OneOrList(&FIELD_TEXT) },
        "an object with a text or a list of them for each path",
    );
    /// Dynamic metadata.
    pub const METADATA: Field<Composite> = Field::optional(
        "metadata",
        TEXTS,
        "none",
        "dynamic metadata of earlier filters, such as `{ envoy.filters.http.jwt_authn/payload/sub: ana }`",
    );
    /// Metadata of the route.
    pub const ROUTE_METADATA: Field<Composite> = Field::optional(
        "route_metadata",
        TEXTS,
        "none",
        "metadata of Envoy's route, written like `metadata`",
    );
    /// The certificate.
    pub const CERTIFICATE: Field<Composite> = Field::optional(
        "certificate",
        Composite::new(
            Kind::Map { names: &forms::NAME.text, values: &Kind::Text(&forms::ANY_TEXT.text) },
            "an object with a text for subject, uri_san, dns_san or fingerprint",
        ),
        "none",
        "fields of the client's certificate: `subject`, `uri_san`, `dns_san`, `fingerprint`",
    );
    /// How often it is sent.
    pub const TIMES: Field<Number<u32>> = Field::default(
        "times",
        Number::new(1, MAX_REQUESTS as i64, ""),
        Literal::Number(1),
        "how many times it is sent. A file sends at most 1000000 requests",
    );
    /// How far apart.
    pub const EVERY: Field<&Form<Micros>> =
        Field::default("every", &SPAN, Literal::Text("0s"), "the time from one of them to the next");
    /// When.
    pub const AT: Field<&Form<Moment>> = Field::optional(
        "at",
        &MOMENT,
        "at once after the one before",
        "when the first is sent. Requests of a case are sent in the order of their instants, at one instant in the order of the file",
    );
    /// How long after the one before.
    pub const WAIT: Field<&Form<Micros>> = Field::optional(
        "wait",
        &SPAN,
        "`0s`",
        "the time from the last request of the entry before to this one",
    );
    /// The upstream's answer.
    pub const ANSWER: Field<Composite> = Field::optional(
        "answer",
        Composite::new(
            Kind::Either(&[STATUS_NUMBER.erased(), Kind::Words(NO_ANSWER), Kind::Object(&answer::OBJECT)]),
            "a status from 100 to 599, none, or an object with status, headers, trailers, body, after",
        ),
        "`200`, at once",
        "how the upstream answers: a status, `none` (it does not), or an object",
    );
    /// What is expected.
    pub const EXPECT: Field<Composite> = Field::optional(
        "expect",
        Composite::new(Kind::Object(&expect::OBJECT), "an object"),
        "nothing",
        "what is expected of each of them",
    );
    /// What is expected of the last one.
    pub const LAST: Field<Composite> = Field::optional(
        "last",
        Composite::new(Kind::Object(&expect::OBJECT), "an object"),
        "nothing more",
        "what else is expected of the last of them",
    );
    /// How many pass.
    pub const ADMITTED: Field<Number<u32>> = Field::optional(
        "admitted",
        Number::new(0, MAX_REQUESTS as i64, ""),
        "any number",
        "how many of them are admitted",
    );
    /// The object.
    pub const OBJECT: Object = object!("request" at "cases[].requests[]": "A request, or several equal ones.";
    REQUEST, CLIENT_IP, HOST, HEADERS, ROUTE, METADATA, ROUTE_METADATA, CERTIFICATE, TIMES, EVERY, AT, WAIT, ANSWER,
    EXPECT, LAST, ADMITTED;
    rules [
        Rule::NotBoth(AT.name, WAIT.name),
        Rule::OnlyWith(EVERY.name, &[TIMES.name]),
        Rule::OnlyWith(LAST.name, &[TIMES.name]),
        Rule::OnlyWith(ADMITTED.name, &[TIMES.name]),
    ]);
}

/// The word for an upstream that does not answer.
pub const NO_ANSWER: &Words<()> =
    &Words(&[Word::new("none", (), "the upstream does not answer: the request ends without a response")]);

/// How the upstream answers.
pub mod answer {
    use super::*;

    /// Its status.
    pub const STATUS: Field<Composite> = Field::optional(
        "status",
        Composite::new(
            Kind::Either(&[STATUS_NUMBER.erased(), Kind::Words(NO_ANSWER)]),
            "a status from 100 to 599, or none",
        ),
        "`200`",
        "the status, or `none` if there is no answer",
    );
    /// Its headers.
    pub const HEADERS: Field<Composite> = Field::optional("headers", FIELDS, "none", "its headers");
    /// Its trailers.
    pub const TRAILERS: Field<Composite> = Field::optional("trailers", FIELDS, "none", "its trailers");
    /// Its body.
    pub const BODY: Field<&Form<String>> = Field::optional(
        "body",
        &forms::ANY_TEXT,
        "it is empty",
        "its body, for costs that it reports. Its type is that of the header `content-type`, or else `application/json`",
    );
    /// When it comes.
    pub const AFTER: Field<&Form<Micros>> = Field::default(
        "after",
        &SPAN,
        Literal::Text("0s"),
        "how long the request takes: its response comes and ends then",
    );
    /// The object.
    pub const OBJECT: Object = object!("answer" at "cases[].requests[].answer": "How the upstream answers an admitted request.";
        STATUS, HEADERS, TRAILERS, BODY, AFTER);
}

fn span(text: &str) -> Option<Micros> {
    const UNITS: [(&str, Micros); 5] = [
        ("ms", MILLISECOND),
        ("s", SECOND),
        ("m", 60 * SECOND),
        ("h", 3_600 * SECOND),
        ("d", 86_400 * SECOND),
    ];
    let of_unit = |(unit, length): &(&str, Micros)| {
        let digits =
            text.strip_suffix(unit).filter(|digits| digits.bytes().all(|one| one.is_ascii_digit()))?;
        digits.parse::<Micros>().ok()?.checked_mul(*length).filter(|time| *time <= MAX_SPAN)
    };
    UNITS.iter().find_map(of_unit)
}

fn timestamp(text: &str) -> Option<Micros> {
    let timestamp: Timestamp = text.parse().ok()?;
    Micros::try_from(timestamp.as_microsecond()).ok()
}
