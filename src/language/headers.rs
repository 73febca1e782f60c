//! The limit headers of responses. The presets, the formats of the reset and the values that headers show
//! declare themselves.

use super::{forms, names};
use crate::config::{Composite, Field, Kind, Literal, Object, Rule, Words, object};
use crate::reply::{
    LimitChoice, PRESETS, Preset, PresetFields, Reset, ResetFormat, ResetOnRejection, Show, UpstreamHeaders,
};

/// Which headers.
pub const PRESET: Field<&Words<&Preset>> = Field::required("preset", PRESETS, "which headers");

/// Which responses have them.
pub const SHOW: Field<&Words<Show>> =
    Field::default("show", Show::WORDS, Literal::Text("always"), "when they are sent");

/// Which limit they describe: a word, or limits.
pub const DESCRIBES: Field<Composite> = Field::optional(
    "describes",
    Composite::new(
        Kind::Either(&[Kind::OneOrList(&Kind::Text(&forms::LIMIT)), Kind::Words(LimitChoice::WORDS)]),
        forms::LIMIT.allowed,
    ),
    "the only limit; where there are several it is required",
    "which limit they describe; of a list, the first one whose policy applies",
);

/// Which instant the reset is.
pub const RESET: Field<&Words<Reset>> =
    Field::default("reset", Reset::WORDS, Literal::Text("next_slot"), "what the reset is");

/// What the reset of a rejection is.
pub const RESET_ON_429: Field<&Words<ResetOnRejection>> = Field::default(
    "reset_on_429",
    ResetOnRejection::WORDS,
    Literal::Text("after_wait"),
    "what the reset of a rejection is",
);

/// How the reset is written.
pub const FORMAT: Field<&Words<ResetFormat>> =
    Field::optional("format", ResetFormat::WORDS, "the preset's", "the unit of the reset");

/// What happens to limit headers of the upstream.
pub const UPSTREAM: Field<&Words<UpstreamHeaders>> = Field::default(
    "upstream",
    UpstreamHeaders::WORDS,
    Literal::Text("replace"),
    "what happens to limit headers that the upstream sends",
);

/// Other names.
pub const NAMES: Field<Composite> = Field::optional(
    "names",
    Composite::new(Kind::Object(&names::OBJECT), "an object"),
    "the preset's",
    "other header names",
);

/// The object.
pub const OBJECT: Object = object!("headers" at "headers":
    "Limit headers, on the upstream's responses and on rejections alike. With `secret`, templates cannot use a number except the \
     wait.";
    PRESET, SHOW, DESCRIBES, RESET, RESET_ON_429, FORMAT, UPSTREAM, NAMES;
    rules [Rule::ByWord(PRESET.name, &PresetFields)]);
