//! A cost that the request states.

use super::forms;
use crate::config::{Composite, Field, Kind, Literal, Number, Object, Word, Words, object};
use std::num::NonZeroU32;

/// The key with the number.
pub const KEY: Field<Composite> = Field::required(
    "key",
    Composite::new(Kind::Text(&forms::KEY_NAME), "the name of a key"),
    "the key whose value is the number",
);

/// How many are a unit.
pub const DIVIDE_BY: Field<Number<NonZeroU32>> = Field::default(
    "divide_by",
    Number::new(1, u32::MAX as i64, ""),
    Literal::Number(1),
    "how many of the number are one unit: with `1024`, a number of bytes becomes kilobytes",
);

/// What becomes of a part of a unit.
pub const ROUND: Field<&Words<bool>> = Field::default(
    "round",
    &Words(&[
        Word::new("up", true, "a started unit counts"),
        Word::new("down", false, "only whole units count"),
    ]),
    Literal::Text("up"),
    "what becomes of a part of a unit",
);

/// The least cost.
pub const MIN: Field<Number<u32>> = Field::default(
    "min",
    forms::COST,
    Literal::Number(0),
    "the least that such a request costs. With `0`, a request that costs nothing only looks",
);

/// The highest cost.
pub const MAX: Field<Number<u32>> =
    Field::required("max", forms::UNITS, "the most that such a request costs, whatever the number is");

/// The object.
pub const OBJECT: Object = object!("cost_from" at "policies[].cost_from":
    "A cost that the request states, as a whole number in the value of a key. A request without the key costs `cost`. Where clients \
     write the value, one that is not a whole number (`5e3`, `-1`, `1.5`) costs `max`, because a server may read a number there; so do \
     several different values. Where an earlier filter wrote it, it costs `cost`.";
    KEY, DIVIDE_BY, ROUND, MIN, MAX);
