//! The whole configuration.

use super::{
    access_log, consumer, exception, fleet, forgive, forms, headers, key, metrics, paths, policy, rejection,
    retry_after, table, tiers,
};
use crate::config::{Composite, Field, Flag, Form, Kind, Literal, Object, Word, Words, object};
use crate::table::ChargeMode;

/// Ways to tell callers apart.
pub const KEYS: Field<Composite> = Field::required(
    "keys",
    Composite::new(
        Kind::Map { names: &forms::NAME.text, values: &Kind::Object(&key::OBJECT) },
        "an object of named keys",
    ),
    "ways to tell callers apart, by name",
);

/// Known callers.
pub const CONSUMERS: Field<Composite> = Field::optional(
    "consumers",
    Composite::new(Kind::AnyList(&Kind::Object(&consumer::OBJECT)), "a list of consumers"),
    "no caller is known",
    "known callers: their credentials, tiers, attributes and quotas",
);

/// What shows who an unlisted caller is.
pub const CONSUMER_NAME: Field<Composite> = Field::optional(
    "consumer_name",
    Composite::new(Kind::Text(&forms::KEY_NAME), "the name of a key"),
    "only consumers are named",
    "a key whose value stands for the consumer's name where `{consumer}` or the access log shows it, if the caller is no \
     consumer: at most 64 bytes, with `_` for what is not visible ASCII, a quote or a backslash. Only with `metadata` or \
     `certificate`, or `first_of` of such keys: a value that a client can write is never shown",
);

/// Classes of callers.
pub const TIERS: Field<Composite> = Field::optional(
    "tiers",
    Composite::new(Kind::Object(&tiers::OBJECT), "an object with names, default, from, client_ip"),
    "every caller has the same quotas",
    "classes of callers with quotas of their own",
);

/// The policies.
pub const POLICIES: Field<Composite> = Field::required(
    "policies",
    Composite::new(Kind::List(&Kind::Object(&policy::OBJECT)), "a list of at least one policy"),
    "the rate limits; every policy that applies must admit a request",
);

/// Callers that get a fresh start.
pub const FORGIVE: Field<Composite> = Field::optional(
    "forgive",
    Composite::new(Kind::AnyList(&Kind::Object(&forgive::OBJECT)), "a list of at most 1000 entries"),
    "none",
    "callers that get a [fresh start](forgive.md): what was counted before an instant does not count",
);

/// Requests that are not limited.
pub const EXEMPT: Field<Composite> = Field::optional(
    "exempt",
    Composite::new(Kind::AnyList(&Kind::Object(&exception::OBJECT)), "a list of matches"),
    "none",
    "requests that no policy applies to",
);

/// Whether CORS preflights are not limited.
pub const EXEMPT_PREFLIGHT: Field<Flag> = Field::default(
    "exempt_preflight",
    Flag,
    Literal::Flag(true),
    "CORS preflights are not limited: `OPTIONS` requests with `access-control-request-method`, without `authorization`, and without any \
     header, query parameter or cookie that a key reads. Any client can send such a request, so use `false` if they are expensive \
     for the upstream",
);

/// Other spellings of paths.
pub const PATHS: Field<Composite> = Field::optional(
    "paths",
    Composite::new(Kind::Object(&paths::OBJECT), "an object"),
    "the defaults of its fields",
    "which other spellings of a path the `match` of a policy covers",
);

/// How several policies are charged.
pub const CHARGE: Field<&Words<ChargeMode>> = Field::default(
    "charge",
    &Words(&[
        Word::new(
            "all_or_nothing",
            ChargeMode::AllOrNothing,
            "if any policy rejects the request, it spends nothing at all",
        ),
        Word::new(
            "sequential",
            ChargeMode::Sequential,
            "policies are asked in order, and a rejected request has spent its units at those before the one that rejects",
        ),
    ]),
    Literal::Text("all_or_nothing"),
    "how a request is charged if several policies apply",
);

/// The reply to a rejected request.
pub const REJECT: Field<Composite> = Field::optional(
    "reject",
    Composite::new(Kind::Object(&rejection::OBJECT), "an object"),
    "429 with `Too many requests`",
    "the reply to a rejected request",
);

/// The wait that rejections announce.
pub const RETRY_AFTER: Field<Composite> = Field::optional(
    "retry_after",
    Composite::new(Kind::Object(&retry_after::OBJECT), "an object"),
    "the defaults of its fields",
    "the wait that rejections announce",
);

/// The limit headers.
pub const HEADERS: Field<Composite> = Field::optional(
    "headers",
    Composite::new(
        Kind::OneOrList(&Kind::Object(&headers::OBJECT)),
        "a set of headers, or a list of 1 to 16 sets",
    ),
    "none are sent",
    "the limit headers of responses",
);

/// Whether the access log is told.
pub const ACCESS_LOG: Field<Composite> = Field::default(
    "access_log",
    Composite::new(
        Kind::Either(&[Kind::Flag, Kind::Object(&access_log::OBJECT)]),
        "true, false, or an object with format, caller",
    ),
    Literal::Flag(false),
    "sets filter state that an access log can show with `%FILTER_STATE(wasm.tollgate:PLAIN)%`; `true` is an object without fields",
);

/// What metrics count.
pub const METRICS: Field<Composite> = Field::optional(
    "metrics",
    Composite::new(Kind::Object(&metrics::OBJECT), "an object with consumers"),
    "the defaults of its fields",
    "what metrics count besides policies, limits and tiers",
);

/// The header that shows the upstream what is only tried out.
pub const SHADOW_HEADER: Field<&Form<String>> = Field::optional(
    "shadow_header",
    &forms::HEADER,
    "none is sent",
    "a request header for the upstream, which says what the policies in shadow would have decided: `accept`, or \
     `reject; policy=NAME; limit=NAME; retry_after=12` for the first that would have rejected the request. Clients cannot set it",
);

/// The size of the table.
pub const TABLE: Field<Composite> = Field::optional(
    "table",
    Composite::new(Kind::Object(&table::OBJECT), "an object"),
    "the defaults of its fields",
    "the size of the memory for counts",
);

/// The fleet's service.
pub const FLEET: Field<Composite> = Field::optional(
    "fleet",
    Composite::new(Kind::Object(&fleet::OBJECT), "an object"),
    "every count stays in this Envoy",
    "the service that keeps the counts of policies with `scope: fleet`",
);

/// The object.
pub const OBJECT: Object = object!("configuration" at "": "`keys` and `policies` are required.";
    KEYS, CONSUMERS, CONSUMER_NAME, TIERS, POLICIES, FORGIVE, EXEMPT, EXEMPT_PREFLIGHT, PATHS, CHARGE, REJECT, RETRY_AFTER, HEADERS,
    ACCESS_LOG, METRICS, SHADOW_HEADER, TABLE, FLEET);
