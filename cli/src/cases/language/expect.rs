//! What is expected of a request.

use super::*;

/// Whether it passes.
pub const DECISION: Field<&Words<bool>> = Field::optional(
    "decision",
    &Words(&[
        Word::new("admitted", true, "the upstream gets the request"),
        Word::new("rejected", false, "Tollgate answers it"),
    ]),
    "either",
    "what becomes of the request",
);
/// Who rejects it.
pub const REJECTED_BY: Field<Composite> = Field::optional(
    "rejected_by",
    Composite::new(Kind::Text(&forms::NAME.text), "the name of a policy"),
    "any",
    "the policy that rejects it: of several, the one with the longest wait",
);
/// The status that the client gets.
pub const STATUS: Field<Number<u16>> =
    Field::optional("status", STATUS_NUMBER, "any", "the status that the client gets");
/// The headers that the client gets.
pub const HEADERS: Field<Composite> = Field::optional(
    "headers",
    Composite::new(
        Kind::Map {
            names: &FIELD_NAME.text,
            values: &Kind::Either(&[
                Kind::Flag,
                WHOLE.erased(),
                Kind::Text(&forms::ANY_TEXT.text),
                Kind::Object(&value::OBJECT),
            ]),
        },
        "an object with true, false, a number, a text or an object for each header",
    ),
    "any",
    "headers that the client gets: their value, `true` (there is one), `false` (there is none), or an object",
);
/// The body of a rejection.
pub const BODY: Field<Composite> = Field::optional(
    "body",
    Composite::new(
        Kind::Either(&[Kind::Text(&forms::ANY_TEXT.text), Kind::Object(&body::OBJECT)]),
        "a text, or an object with json or matches",
    ),
    "any",
    "the body of a rejection: its text, or an object. Ids in it are zeros",
);
/// What is left.
pub const LEFT: Field<Composite> = Field::optional(
    "left",
    Composite::new(
        Kind::Map { names: &forms::LIMIT, values: &LEFT_UNITS.erased() },
        "an object with a number for each limit, as policy/limit, or just policy if it has only one limit",
    ),
    "any",
    "what is left of limits after it: `{ api/minute: 9 }`",
);
/// Which policies in shadow would have rejected it.
pub const SHADOW_REJECTED_BY: Field<Composite> = Field::optional(
    "shadow_rejected_by",
    Composite::new(Kind::AnyList(&Kind::Text(&forms::NAME.text)), "a list of names of policies"),
    "any",
    "the policies in shadow that would have rejected it, in the order of the policy file; `[]` for none",
);
/// The object.
pub const OBJECT: Object = object!("expectation" at "cases[].requests[].expect, cases[].requests[].last":
    "What is expected of a request."; DECISION, REJECTED_BY, STATUS, HEADERS, BODY, LEFT, SHADOW_REJECTED_BY);
