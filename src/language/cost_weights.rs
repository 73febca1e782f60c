//! What the tokens of a language model cost.

use super::forms;
use crate::config::{Field, Literal, Object, Thousandths, object};

/// Tokens that the model reads.
pub const INPUT: Field<Thousandths> = Field::default(
    "input",
    forms::WEIGHT,
    Literal::Number(1),
    "a token that the model reads: of the prompt, or of what a tool returns",
);

/// Tokens from a cache.
pub const CACHED: Field<Thousandths> = Field::optional(
    "cached",
    forms::WEIGHT,
    "the same as `input`",
    "a token of the input that comes from the model's cache",
);

/// Tokens that the model writes.
pub const OUTPUT: Field<Thousandths> = Field::default(
    "output",
    forms::WEIGHT,
    Literal::Number(1),
    "a token that the model writes, its thoughts included",
);

/// The object.
pub const OBJECT: Object = object!("cost_weights" at "policies[].cost_body.weights":
    "What tokens cost, in units."; INPUT, CACHED, OUTPUT);
