//! One of the numbers whose sum is a cost.

use super::forms;
use crate::config::{Composite, Field, Kind, Literal, Object, Thousandths, object};

/// Where it stands.
pub const JSON: Field<Composite> = Field::required(
    "json",
    Composite::new(
        Kind::OneOrList(&Kind::Text(&forms::POINTER.text)),
        "a JSON pointer such as /usage/total_tokens, or a list of at most 8",
    ),
    "where the number stands, at most 8 places; the largest number that is found there counts",
);

/// What it is multiplied by.
pub const WEIGHT: Field<Thousandths> =
    Field::default("weight", forms::WEIGHT, Literal::Number(1), "what it is multiplied by");

/// The object.
pub const OBJECT: Object =
    object!("cost_term" at "policies[].cost_body.sum[]": "A number in a response's body."; JSON, WEIGHT);
