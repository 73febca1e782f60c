//! Rejections, limit headers and waits: what is said.

use super::Kind::{Either, Map, Object as Obj, OneOrList, Text, Words};
use super::texts::{ANY_TEXT, HEADER, LANGUAGE, LIMIT, MEDIA_TYPE, TEMPLATE};
use super::{Object, default, number, optional, required, word};

/// What stands in braces in a template.
pub(super) struct Variable {
    pub name: &'static str,
    /// Whether it may stand outside of a text in JSON.
    pub number: bool,
    pub about: &'static str,
}

const fn variable(name: &'static str, number: bool, about: &'static str) -> Variable {
    Variable { name, number, about }
}

pub(super) const VARIABLES: &[Variable] = &[
    variable("retry_after", true, "the wait in seconds, as the header tells it"),
    variable("limit", true, "the quota of the limit that rejects"),
    variable("remaining", true, "the units left of it"),
    variable(
        "reset",
        true,
        "the reset, as `headers.reset` means it, in seconds since 1970; never before the wait is over",
    ),
    variable("window", true, "the window in seconds; 31 days for a month, 0 if there is none"),
    variable("policy", false, "the name of the policy that rejects"),
    variable("limit_name", false, "the name of its limit that does"),
    variable(
        "request_id",
        false,
        "the request's `x-request-id` if it is 1 to 128 visible ASCII characters, else 32 random hexadecimal digits",
    ),
    variable(
        "message",
        false,
        "`message` of the limit that rejects, else of the rejection; not within a message",
    ),
    variable("code", false, "`code` of the rejection"),
    variable("consumer", false, "the consumer's name; empty if none is known"),
    variable("tier", false, "the caller's tier; empty if there are none"),
];

pub(super) const OBJECTS: &[Object] = &[
    Object {
        name: "rejection",
        at: "reject, policies[].reject",
        about: "What a rejected request is answered. If several limits reject, the one with the longest wait is told. What a policy's own \
                leaves out is as in the common one.",
        one_of: &[],
        fields: &[
            default("status", number(400, 599, ""), "429", "the HTTP status"),
            default(
                "format",
                Words(&[
                    word("template", "`body` is filled in"),
                    word(
                        "problem",
                        "`application/problem+json` of RFC 9457, with `message`, `code` and the limits that reject; `body` and `content_type` are not beside it",
                    ),
                ]),
                "\"template\"",
                "where the body comes from",
            ),
            optional(
                "body",
                Text(&TEMPLATE),
                "`{message}` and a line feed",
                "the body; in JSON, what is filled in is escaped",
            ),
            optional(
                "content_type",
                Text(&MEDIA_TYPE),
                "`application/json` if the body is a JSON object or list, else `text/plain; charset=utf-8`",
                "the body's type",
            ),
            default(
                "message",
                Either(&[Text(&TEMPLATE), Map { names: &LANGUAGE, values: &Text(&TEMPLATE) }]),
                "\"Too many requests\"",
                "the `{message}`: one for all, or one for each language, chosen by `accept-language`. Of several, `default` names the one for all \
                 other callers: `{ es: \"…\", en: \"…\", default: en }`",
            ),
            optional(
                "code",
                Text(&ANY_TEXT),
                "`rate_limit_exceeded`",
                "the `{code}`; a template has to tell it, as with `message`",
            ),
            optional(
                "headers",
                Map { names: &HEADER, values: &Text(&TEMPLATE) },
                "none",
                "further headers; none of those that HTTP, Envoy or Tollgate sets itself",
            ),
        ],
    },
    Object {
        name: "headers",
        at: "headers",
        about: "Limit headers, on the upstream's responses and on rejections alike. Beside `secret` only `upstream` may stand, and no template tells a \
                number but the wait.",
        one_of: &[],
        fields: &[
            required(
                "preset",
                Words(&[
                    word("x-ratelimit", "`x-ratelimit-limit`, `-remaining`, `-reset`"),
                    word("ietf", "`ratelimit` and `ratelimit-policy`"),
                    word("github", "`x-ratelimit-limit`, `-remaining`, `-used`, `-reset`, `-resource`"),
                    word(
                        "envoy",
                        "`x-ratelimit-limit`, `-remaining`, `-reset` as Envoy's own filter writes them",
                    ),
                    word("secret", "none, and the upstream's are removed"),
                ]),
                "which headers",
            ),
            default(
                "show",
                Words(&[word("always", "on all responses"), word("on_429", "on rejections alone")]),
                "\"always\"",
                "when they are sent",
            ),
            optional(
                "describes",
                Either(&[
                    OneOrList(&Text(&LIMIT)),
                    Words(&[
                        word("violated", "the limit that rejects, else the most constrained one"),
                        word("most_constrained", "the limit with the least left"),
                    ]),
                ]),
                "the only limit; where there are several it is required. With `envoy`: `most_constrained`; with `ietf`: all that apply",
                "which limit they tell; of a list the first whose policy applies",
            ),
            default(
                "reset",
                Words(&[
                    word("next_slot", "when the next unit comes back"),
                    word("full_reset", "when all units are back"),
                    word("window_end", "when the window ends"),
                ]),
                "\"next_slot\"",
                "what reset means",
            ),
            optional(
                "format",
                Words(&[word("epoch", "seconds since 1970"), word("delta", "seconds from now")]),
                "`epoch`; with `envoy` and `ietf`: `delta`",
                "how reset is told; `ietf` has only `delta`",
            ),
            default(
                "upstream",
                Words(&[
                    word("replace", "ours take the place of the upstream's"),
                    word("keep", "if the upstream sent any of them, its own stay and ours are left out"),
                ]),
                "\"replace\"",
                "what becomes of the upstream's own",
            ),
            optional(
                "names",
                Obj("names"),
                "the preset's",
                "with `x-ratelimit` and `github`: headers of other names",
            ),
        ],
    },
    Object {
        name: "names",
        at: "headers.names",
        about: "Limit headers of other names.",
        one_of: &[],
        fields: &[
            optional("limit", Text(&HEADER), "the preset's", "for the quota"),
            optional("remaining", Text(&HEADER), "the preset's", "for what is left"),
            optional("reset", Text(&HEADER), "the preset's", "for the reset"),
            optional("used", Text(&HEADER), "the preset's; `x-ratelimit` sends none", "for what is used"),
            optional(
                "resource",
                Text(&HEADER),
                "the preset's; `x-ratelimit` sends none",
                "for the policy's name",
            ),
        ],
    },
    Object {
        name: "retry_after",
        at: "retry_after",
        about: "The wait, in the header `retry-after` and in `{retry_after}`: whole seconds, rounded up, the longest of all limits that reject.",
        one_of: &[],
        fields: &[
            default(
                "show",
                Words(&[word("on_429", "rejections carry it"), word("never", "no response does")]),
                "\"on_429\"",
                "when the header is sent",
            ),
            default("min", number(1, 86_400, "seconds"), "1", "never less, and never above `max`"),
            default(
                "max",
                number(1, 31_622_400, "seconds"),
                "2147483",
                "never more. Longer waits overflow the timers of most Node clients; who waits only so long may be rejected again",
            ),
            default(
                "jitter",
                number(0, 3_600, "seconds"),
                "0",
                "up to so many are added at random, so that not all come back at once",
            ),
        ],
    },
];
