//! The response header with a request's actual cost.

use super::forms;
use crate::config::{Composite, Field, Flag, Form, Kind, Literal, Object, Word, Words, object};
use crate::rules::{Place, UnknownCost};

/// Its name.
pub const NAME: Field<&Form<String>> = Field::required("name", &forms::HEADER, "the header's name");

/// Whether the client does not get it.
pub const REMOVE: Field<Flag> = Field::default(
    "remove",
    Flag,
    Literal::Flag(false),
    "`true` removes the header before the client gets the response. It is removed from every response that passes the filter, whether \
     or not a policy applied to the request",
);

/// Where it is.
pub const IN: Field<&Words<Place>> = Field::default(
    "in",
    &Words(&[
        Word::new("headers", Place::Headers, "in the response's headers"),
        Word::new(
            "trailers",
            Place::Trailers,
            "in its trailers, which HTTP/2 and gRPC have: the request holds its cost until these have come",
        ),
        Word::new("either", Place::Either, "in its headers, or else in its trailers"),
    ]),
    Literal::Text("headers"),
    "where the response has it",
);

/// The cost of a request whose response has none: a word, or a number.
pub const WITHOUT: Field<Composite> = Field::default(
    "without",
    Composite::new(
        Kind::Either(&[Kind::Words(WITHOUT_WORDS), forms::UNITS.erased()]),
        "keep, refund, or a cost in units",
    ),
    Literal::Text("keep"),
    "what a request costs if its response has no such header, or one that is not a whole number, such as `12.5`, `-3`, `7,8` or an \
     empty one; a number is a cost in units. Without a response, `unanswered` decides. A response that breaks off before its \
     trailers costs no less than what the request holds",
);

/// The words of [`WITHOUT`].
pub const WITHOUT_WORDS: &Words<UnknownCost> = &Words(&[
    Word::new("keep", UnknownCost::Keep, "what it holds"),
    Word::new(
        "refund",
        UnknownCost::Refund,
        "nothing, so requests are free whose response has no cost, such as to `HEAD`, or a 304",
    ),
]);

/// The object.
pub const OBJECT: Object = object!("cost_header" at "policies[].cost_header":
    "The response header with a request's actual cost: a whole number of units, up to 4294967295; a larger one counts as that. If \
     the header is repeated, the first line counts. Two counters of the policy, `cost_missing` and \
     `cost_unreadable`, count responses without such a number.";
    NAME, REMOVE, IN, WITHOUT);
