//! The limit headers of responses.

use super::{forms, names};
use crate::config::{Composite, Field, Kind, Literal, Object, Word, Words, object};
use crate::reply::{Reset, ResetFormat, ResetOnRejection, Show, UpstreamHeaders};

/// Which headers.
pub const PRESET: Field<&Words<()>> = Field::required(
    "preset",
    &Words(&[
        Word::new("x-ratelimit", (), "`x-ratelimit-limit`, `-remaining`, `-reset`"),
        Word::new("ietf", (), "`ratelimit` and `ratelimit-policy`"),
        Word::new("github", (), "`x-ratelimit-limit`, `-remaining`, `-used`, `-reset`, `-resource`"),
        Word::new(
            "envoy",
            (),
            "`x-ratelimit-limit`, `-remaining`, `-reset` as Envoy's own filter writes them",
        ),
        Word::new("secret", (), "none, and the upstream's are removed"),
    ]),
    "which headers",
);

/// Which responses have them.
pub const SHOW: Field<&Words<Show>> = Field::default(
    "show",
    &Words(&[
        Word::new("always", Show::Always, "on all responses"),
        Word::new("on_429", Show::OnRejection, "only on rejections"),
    ]),
    Literal::Text("always"),
    "when they are sent",
);

/// Which limit they describe: a word, or limits.
pub const DESCRIBES: Field<Composite> = Field::optional(
    "describes",
    Composite::new(
        Kind::Either(&[
            Kind::OneOrList(&Kind::Text(&forms::LIMIT)),
            Kind::Words(&Words(&[
                Word::new("violated", (), "the limit that rejects, else the most constrained one"),
                Word::new("most_constrained", (), "the limit with the least left"),
            ])),
        ]),
        "violated, most_constrained, or a limit, as policy/limit, or just policy if it has only one limit",
    ),
    "the only limit; where there are several it is required. With `envoy`: `most_constrained`; with `ietf`: all that apply",
    "which limit they describe; of a list, the first one whose policy applies",
);

/// Which instant the reset is.
pub const RESET: Field<&Words<Reset>> = Field::default(
    "reset",
    &Words(&[
        Word::new("next_slot", Reset::NextSlot, "when the next unit is available again"),
        Word::new("full_reset", Reset::FullReset, "when all units are available again"),
        Word::new(
            "window_end",
            Reset::WindowEnd,
            "when the window ends; where windows slide, the one that the newest unit began",
        ),
    ]),
    Literal::Text("next_slot"),
    "what the reset is",
);

/// What the reset of a rejection is.
pub const RESET_ON_429: Field<&Words<ResetOnRejection>> = Field::optional(
    "reset_on_429",
    &Words(&[
        Word::new(
            "after_wait",
            ResetOnRejection::AfterWait,
            "never before the wait is over, whichever limit rejects",
        ),
        Word::new("own", ResetOnRejection::Own, "the described limit's own reset, as on other responses"),
    ]),
    "`after_wait`; with `ietf`: `own`",
    "what the reset of a rejection is; `ietf` allows only `own`",
);

/// The unit of the reset.
pub const FORMAT: Field<&Words<ResetFormat>> = Field::optional(
    "format",
    &Words(&[
        Word::new("epoch", ResetFormat::Epoch, "seconds since 1970"),
        Word::new("delta", ResetFormat::Delta, "seconds from now"),
    ]),
    "`epoch`; with `envoy` and `ietf`: `delta`",
    "the unit of the reset; `ietf` allows only `delta`",
);

/// What happens to limit headers of the upstream.
pub const UPSTREAM: Field<&Words<UpstreamHeaders>> = Field::default(
    "upstream",
    &Words(&[
        Word::new("replace", UpstreamHeaders::Replace, "Tollgate's replace them"),
        Word::new(
            "keep",
            UpstreamHeaders::Keep,
            "if the upstream sends any, they stay and Tollgate adds none",
        ),
    ]),
    Literal::Text("replace"),
    "what happens to limit headers that the upstream sends",
);

/// Other names.
pub const NAMES: Field<Composite> = Field::optional(
    "names",
    Composite::new(Kind::Object(&names::OBJECT), "an object"),
    "the preset's",
    "with `x-ratelimit` and `github`: other header names",
);

/// The object.
pub const OBJECT: Object = object!("headers" at "headers":
    "Limit headers, on the upstream's responses and on rejections alike. With `secret` the only other field is `upstream`, and \
     templates cannot use a number except the wait.";
    PRESET, SHOW, DESCRIBES, RESET, RESET_ON_429, FORMAT, UPSTREAM, NAMES);
