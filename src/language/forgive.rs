//! A caller that gets a fresh start.

use super::forms;
use crate::config::{Composite, Field, Form, Kind, Object, Rule, object};
use crate::time::Micros;

/// The key that tells the caller apart.
pub const KEY: Field<Composite> = Field::required(
    "key",
    Composite::new(Kind::Text(&forms::KEY_NAME), "the name of a key"),
    "the key by which the caller is known; not one with `first_of`, but one of its alternatives",
);

/// Its value, if that is no secret.
pub const VALUE: Field<Composite> = Field::optional(
    "value",
    Composite::new(
        Kind::Text(&forms::TEXT.text),
        "text of 1 to 256 characters; an IP address for a key with client_ip",
    ),
    "`sha256` stands for it",
    "the caller's value of the key, if that is no secret; an address for a key with `client_ip`",
);

/// Its digest.
pub const SHA256: Field<Composite> = Field::optional(
    "sha256",
    Composite::new(Kind::Text(&forms::DIGEST), forms::DIGEST.allowed),
    "`value` is written",
    "the digest of the caller's whole value, as `tollgate hash` prints it. Not for a key with `client_ip`",
);

/// The policy.
pub const POLICY: Field<Composite> = Field::optional(
    "policy",
    Composite::new(Kind::Text(&forms::NAME.text), "the name of a policy that counts by the key"),
    "all policies that count by the key",
    "the policy whose counts of this caller are forgiven",
);

/// The limit.
pub const LIMIT: Field<Composite> = Field::optional(
    "limit",
    Composite::new(Kind::Text(&forms::NAME.text), "the name of a limit of the policy"),
    "all its limits with a window",
    "the limit whose counts are forgiven. Units that exist, in flight or in stock, are not forgiven",
);

/// The instant.
pub const BEFORE: Field<&Form<Micros>> = Field::required(
    "before",
    &forms::TIMESTAMP,
    "what was counted before this instant does not count. It has no effect until then, nor once it is longer ago than two \
     windows of the limit",
);

/// The most entries.
pub const MAX_ENTRIES: usize = 1_000;

/// The object.
pub const OBJECT: Object = object!("forgive" at "forgive[]":
    "A caller that gets a [fresh start](forgive.md), once for each entry: its counts begin at zero, and a block ends. `tollgate forgive` \
     prints an entry.";
    KEY, VALUE, SHA256, POLICY, LIMIT, BEFORE;
    rules [Rule::ExactlyOne(&[VALUE.name, SHA256.name]), Rule::OnlyWith(LIMIT.name, &[POLICY.name])]);
