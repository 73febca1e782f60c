//! A known caller.

use super::{forms, limit};
use crate::config::{Composite, Field, Form, Kind, Object, object};

/// Its name.
pub const NAME: Field<&Form<String>> = Field::required(
    "name",
    &forms::NAME,
    "a different name for each consumer; `{consumer}` in templates, and the value of a key with `consumer: name`",
);

/// What identifies it.
pub const KEYS: Field<Composite> = Field::required(
    "keys",
    Composite::new(
        Kind::Map { names: &forms::KEY_NAME, values: &Kind::List(&Kind::Text(&forms::SECRET)) },
        "an object of keys, each with a list of values or their sha256:… digests",
    ),
    "the credentials that identify it, for keys with `header`, `query`, `cookie` or `metadata`. List each credential in full, \
     even if its key has a `prefix`, and for one consumer only",
);

/// Its tier.
pub const TIER: Field<Composite> = Field::optional(
    "tier",
    Composite::new(Kind::Text(&forms::TIER), "the name of a tier"),
    "the tier that `tiers.from` names, else `tiers.default`",
    "its tier, which decides its quotas",
);

/// Values to count by.
pub const ATTRIBUTES: Field<Composite> = Field::optional(
    "attributes",
    Composite::new(
        Kind::Map { names: &forms::NAME.text, values: &Kind::Text(&forms::TEXT.text) },
        "an object of named texts",
    ),
    "none",
    "values that keys with `consumer` can count by; none may be called `name`",
);

/// Its own quotas.
pub const QUOTAS: Field<Composite> = Field::optional(
    "quotas",
    Composite::new(
        Kind::Map { names: &forms::LIMIT, values: &limit::ONE_QUOTA },
        "an object of limits, each with its quota",
    ),
    "those of its tier",
    "its own quotas, which replace those of its tier: numbers, 0 or `unlimited`",
);

/// The object.
pub const OBJECT: Object = object!("consumer" at "consumers[]":
    "A known caller. Counts belong to the key, not to the consumer, so they are kept if you change a consumer.";
    NAME, KEYS, TIER, ATTRIBUTES, QUOTAS);
