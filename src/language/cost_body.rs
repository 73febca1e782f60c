//! The numbers in a response's body that are a request's actual cost.

use super::cost_header::WITHOUT_WORDS;
use super::{cost_term, cost_weights, forms};
use crate::config::{Composite, Field, Kind, Literal, Object, Rule, Words, object};
use crate::rules::{BODY_PRESETS, BodyPreset};

/// Whose API answers.
pub const FORMAT: Field<&Words<&BodyPreset>> = Field::optional(
    "format",
    BODY_PRESETS,
    "`json` or `sum` says where the numbers stand",
    "the API whose tokens are counted, streamed or not",
);

/// Where the number stands.
pub const JSON: Field<Composite> = Field::optional(
    "json",
    Composite::new(
        Kind::OneOrList(&Kind::Text(&forms::POINTER.text)),
        "a JSON pointer such as /usage/total_tokens, or a list of at most 8",
    ),
    "`format` or `sum` says where the numbers stand",
    "where the cost stands, at most 8 places; the largest number that is found there counts",
);

/// Several numbers.
pub const SUM: Field<Composite> = Field::optional(
    "sum",
    Composite::new(Kind::List(&Kind::Object(&cost_term::OBJECT)), "a list of 1 to 8 objects"),
    "`format` or `json` says where the numbers stand",
    "at most 8 numbers whose sum is the cost, each multiplied by its weight",
);

/// What tokens of each kind cost.
pub const WEIGHTS: Field<Composite> = Field::optional(
    "weights",
    Composite::new(Kind::Object(&cost_weights::OBJECT), "an object"),
    "each token costs a unit",
    "what tokens of each kind cost",
);

/// The cost of a request whose response has none: a word, or a number.
pub const WITHOUT: Field<Composite> = Field::default(
    "without",
    Composite::new(
        Kind::Either(&[Kind::Words(WITHOUT_WORDS), forms::UNITS.erased()]),
        "keep, refund, or a cost in units",
    ),
    Literal::Text("keep"),
    "what a request costs whose response's body has none of the numbers or cannot be read; a number is a cost in units. Clients may \
     be able to bring that about, so let it be no less than `cost`. If the body breaks off, a request costs what has been read \
     of it, but no less than it holds. Without a response, `unanswered` decides",
);

/// The object.
pub const OBJECT: Object = object!("cost_body" at "policies[].cost_body":
"The numbers in a response's body that are a request's actual cost, read [in passing](tokens.md): in JSON, in a list of JSON \
 objects, in lines of JSON and in server-sent events, by the response's `content-type`. Of several numbers in one place, as in a \
 stream, the largest counts. A fraction is rounded up to a unit, and a cost above 4294967295 counts as that. A compressed body \
 cannot be read. Four counters of the policy begin with `cost_body_unread_`: they count responses whose body was `encoded`, of \
 another `type`, without the numbers (`absent`), or broke off (`aborted`).";
FORMAT, JSON, SUM, WEIGHTS, WITHOUT;
rules [
    Rule::ExactlyOne(&[FORMAT.name, JSON.name, SUM.name]),
    Rule::OnlyWith(WEIGHTS.name, &[FORMAT.name]),
]);
