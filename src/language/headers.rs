//! A set of limit headers of responses. The presets, the formats of the reset and the values that headers show
//! declare themselves.

use super::{forms, names};
use crate::config::{Composite, Field, Form, Kind, Literal, Object, Rule, Words, object};
use crate::reply::{
    LimitChoice, PRESETS, Preset, PresetFields, Reset, ResetFormat, ResetOnRejection, Show, UpstreamHeaders,
};

/// Which headers.
pub const PRESET: Field<&Words<&Preset>> =
    Field::optional("preset", PRESETS, "`fields`", "which headers, in a form that clients know");

/// The same, as templates.
pub const FIELDS: Field<Composite> = Field::optional(
    "fields",
    Composite::new(
        Kind::Map { names: &forms::HEADER_TEMPLATE.text, values: &Kind::Text(&forms::TEMPLATE) },
        "an object with at least one header, each with the template of its value",
    ),
    "`preset`",
    "which headers, each with the template of its value. The values are those of the described limit. A header is left out if its \
     value is empty, if it uses `{retry_after}` and the request is admitted, and if it uses `{window}`, `{window_ms}` or `{rate}` and \
     the limit has no window",
);

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
    "which limit they describe; of a list, the first one whose policy applies. A list may begin with `violated`: the limit that \
     rejects, else the first of the others that applies. If a limit is named `all`, that word means this limit",
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
pub const FORMAT: Field<&Words<ResetFormat>> = Field::optional(
    "format",
    ResetFormat::WORDS,
    "the preset's, else `epoch`",
    "how the reset is written; each form is rounded up",
);

/// From which share of a limit on they are sent.
pub const FROM: Field<&Form<u8>> = Field::optional(
    "from",
    &forms::PERCENT,
    "they are always sent",
    "they are sent only if at least this share of the described limit is used after this request",
);

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

/// The most sets that responses can carry.
pub const MAX_SETS: usize = 16;

/// The object.
pub const OBJECT: Object = object!("headers" at "headers[], headers":
    "Limit headers, on the upstream's responses and on rejections alike. A list has up to 16 sets, each of which describes a limit \
     of its own; no header may be in two of them. With `secret`, templates cannot use a number except the wait, and there can be no \
     other set.";
    PRESET, FIELDS, SHOW, DESCRIBES, RESET, RESET_ON_429, FORMAT, FROM, UPSTREAM, NAMES;
    rules [Rule::ExactlyOne(&[PRESET.name, FIELDS.name]), Rule::ByWord(PRESET.name, &PresetFields),
        Rule::OnlyWith(NAMES.name, &[PRESET.name])]);
