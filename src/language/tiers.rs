//! Classes of callers.

use super::forms;
use crate::config::{Composite, Field, Kind, Object, object};

/// Their names.
pub const NAMES: Field<Composite> = Field::required(
    "names",
    Composite::new(Kind::List(&Kind::Text(&forms::NAME.text)), "a list of 1 to 64 tier names"),
    "the names of the tiers, at most 64",
);

/// The tier of unknown callers.
pub const DEFAULT: Field<Composite> = Field::required(
    "default",
    Composite::new(Kind::Text(&forms::TIER), "the name of a tier"),
    "the tier used when none is known",
);

/// The key that names the tier.
pub const FROM: Field<Composite> = Field::optional(
    "from",
    Composite::new(Kind::Text(&forms::KEY_NAME), "the name of a key"),
    "only consumers have other tiers than the default",
    "a key whose value is the name of the tier; it must not have `path`",
);

/// The tiers of addresses.
pub const CLIENT_IP: Field<Composite> = Field::optional(
    "client_ip",
    Composite::new(
        Kind::Map { names: &forms::TIER, values: &Kind::List(&Kind::Text(&forms::ADDRESS_RANGE)) },
        "an object of tiers, each with a list of addresses and ranges",
    ),
    "the tier does not depend on the address",
    "by the name of a tier: the addresses and ranges of clients whose tier neither their consumer nor `from` says. The smallest \
     range that has the client's address decides",
);

/// The object.
pub const OBJECT: Object = object!("tiers" at "tiers":
    "Classes of callers, such as plans. With tiers, a quota may be a number for each tier. The tier of a caller is that of its \
     consumer, else the one that `from` names, else that of its address, else the default.";
    NAMES, DEFAULT, FROM, CLIENT_IP);
