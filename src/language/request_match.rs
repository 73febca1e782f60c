//! A match: the requests that a policy judges.

use super::forms;
use crate::config::{Composite, Field, Form, Kind, Number, Object, object};
use crate::http::{Host, PathTemplate};

/// What must hold for a value: `true`, `false` or a pattern.
const CONDITION: Kind = Kind::Either(&[Kind::Flag, Kind::Text(&forms::PATTERN.text)]);

/// Its methods.
pub const METHOD: Field<Composite> = Field::optional(
    "method",
    Composite::new(Kind::OneOrList(&Kind::Text(&forms::METHOD.text)), forms::METHOD.text.allowed),
    "any",
    "one of these methods",
);

/// Its host.
pub const HOST: Field<&Form<Host>> = Field::optional("host", &forms::HOST, "any", "the host of the request");

/// Its path.
pub const PATH: Field<&Form<PathTemplate>> = Field::optional(
    "path",
    &forms::PATH,
    "any",
    "the whole path without the query, as Envoy passes it on. The `match` of a policy also covers [other spellings](#paths)",
);

/// Its headers.
pub const HEADERS: Field<Composite> = Field::optional(
    "headers",
    Composite::new(Kind::Map { names: &forms::HEADER.text, values: &CONDITION }, "an object of headers"),
    "any",
    "by name: `true` if it must be present, `false` if it must be absent, or a pattern of its value. Case matters in values",
);

/// Its query parameters.
pub const QUERY: Field<Composite> = Field::optional(
    "query",
    Composite::new(
        Kind::Map { names: &forms::TEXT.text, values: &CONDITION },
        "an object of query parameters",
    ),
    "any",
    "query parameters by name, in the same form as `headers`. Names and values are matched [decoded](spellings.md#matches)",
);

/// Its cookies.
pub const COOKIES: Field<Composite> = Field::optional(
    "cookies",
    Composite::new(Kind::Map { names: &forms::COOKIE.text, values: &CONDITION }, "an object of cookies"),
    "any",
    "cookies by name, in the same form as `headers`. Values are matched [decoded and without quotes](spellings.md#matches)",
);

/// What it has for keys.
pub const KEYS: Field<Composite> = Field::optional(
    "keys",
    Composite::new(Kind::Map { names: &forms::KEY_NAME, values: &CONDITION }, "an object of keys"),
    "any",
    "by the name of a key: `true` if the request must have a value of it, even one that is `false`, `false` if it must have none, or a \
     pattern of its value; of a list, one of its elements fits. Quote a value such as `\"true\"` or `\"3\"`. With `header`, `query`, \
     `cookie`, `metadata`, `consumer`, or `first_of` of such keys. If the request presents conflicting values, a `match` \
     of a policy covers it, and a rule that frees requests does not",
);

/// What it costs.
pub const COST: Field<Number<u32>> = Field::optional(
    "cost",
    forms::UNITS,
    "the policy's",
    "what such a request costs; if several matches fit, the first one decides",
);

/// The object.
pub const OBJECT: Object = object!("match" at "policies[].match[]":
    "Requests that fulfil every field; an empty match covers all requests.";
    METHOD, HOST, PATH, HEADERS, QUERY, COOKIES, KEYS, COST);
