//! Which part of the client's address counts.

use crate::config::{Field, Literal, Number, Object, object};

/// The bits of an IPv6 address.
pub const IPV6_PREFIX: Field<Number<u8>> = Field::default(
    "ipv6_prefix",
    Number::new(1, 128, "bits"),
    Literal::Number(64),
    "IPv6 addresses that agree in this many leading bits are one client",
);

/// The object.
pub const OBJECT: Object = object!("client_ip" at "keys.NAME.client_ip":
    "Which part of the client's address counts."; IPV6_PREFIX);
