//! Replies: rejections, limit headers and waits.

use super::Kind::{Either, Map, Object as Obj, OneOrList, Text, Words};
use super::texts::{ANY_TEXT, HEADER, LANGUAGE, LIMIT, MEDIA_TYPE, TEMPLATE};
use super::{Object, default, number, optional, required, word};

/// A variable of templates.
pub(super) struct Variable {
    pub name: &'static str,
    /// Whether it is a number, and so allowed outside quotes in JSON.
    pub number: bool,
    pub about: &'static str,
}

const fn variable(name: &'static str, number: bool, about: &'static str) -> Variable {
    Variable { name, number, about }
}

pub(super) const VARIABLES: &[Variable] = &[
    variable("retry_after", true, "the wait in seconds, as in the header `retry-after`"),
    variable("limit", true, "the quota of the limit that rejects"),
    variable("remaining", true, "the units left of that quota"),
    variable(
        "reset",
        true,
        "the reset as `headers.reset` defines it, in seconds since 1970; never before the wait is over, unless `headers.reset_on_429` is `own`",
    ),
    variable("window", true, "the window in seconds: 31 days for a month, 0 if there is none"),
    variable("policy", false, "the name of the policy that rejects"),
    variable("limit_name", false, "the name of the limit that rejects"),
    variable(
        "request_id",
        false,
        "the request's `x-request-id` if that is 1 to 128 visible ASCII characters, else 32 random hexadecimal digits",
    ),
    variable(
        "message",
        false,
        "the `message` of the limit that rejects, else of the rejection; not available in messages",
    ),
    variable("code", false, "the `code` of the rejection"),
    variable("consumer", false, "the name of the consumer; empty if none is known"),
    variable("tier", false, "the caller's tier; empty if there are none"),
];

pub(super) const OBJECTS: &[Object] = &[
    Object {
        name: "rejection",
        at: "reject, policies[].reject",
        about: "The reply to a rejected request. If several limits reject the request, the one with the longest wait decides which policy \
                is named and which message is sent. Fields that a policy leaves out are taken from the common `reject`.",
        one_of: &[],
        fields: &[
            default("status", number(400, 599, ""), "429", "the HTTP status"),
            default(
                "format",
                Words(&[
                    word("template", "`body`, with its variables filled in"),
                    word(
                        "problem",
                        "`application/problem+json` of RFC 9457, with `message`, `code` and the limits that reject; not with `body` and `content_type`",
                    ),
                ]),
                "\"template\"",
                "how the body is made",
            ),
            optional(
                "body",
                Text(&TEMPLATE),
                "`{message}` and a line feed",
                "the body; in JSON, filled-in texts are escaped",
            ),
            optional(
                "content_type",
                Text(&MEDIA_TYPE),
                "`application/json` if the body is a JSON object or list, else `text/plain; charset=utf-8`",
                "the content type of the body",
            ),
            default(
                "message",
                Either(&[Text(&TEMPLATE), Map { names: &LANGUAGE, values: &Text(&TEMPLATE) }]),
                "\"Too many requests\"",
                "the `{message}`: one text, or one for each language, chosen by `accept-language`. With several languages, `default` names \
                 the one for all other callers: `{ es: \"…\", en: \"…\", default: en }`",
            ),
            optional(
                "code",
                Text(&ANY_TEXT),
                "`rate_limit_exceeded`",
                "the `{code}`. It is an error if no template uses it; the same holds for `message`",
            ),
            optional(
                "headers",
                Map { names: &HEADER, values: &Text(&TEMPLATE) },
                "none",
                "additional headers; those that HTTP, Envoy or Tollgate sets itself are not allowed",
            ),
        ],
    },
    Object {
        name: "headers",
        at: "headers",
        about: "Limit headers, on the upstream's responses and on rejections alike. With `secret` the only other field is `upstream`, and \
                templates cannot use a number except the wait.",
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
                Words(&[word("always", "on all responses"), word("on_429", "only on rejections")]),
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
                "which limit they describe; of a list, the first one whose policy applies",
            ),
            default(
                "reset",
                Words(&[
                    word("next_slot", "when the next unit is available again"),
                    word("full_reset", "when all units are available again"),
                    word(
                        "window_end",
                        "when the window ends; where windows slide, the one that the newest unit began",
                    ),
                ]),
                "\"next_slot\"",
                "what the reset is",
            ),
            optional(
                "reset_on_429",
                Words(&[
                    word("after_wait", "never before the wait is over, whichever limit rejects"),
                    word("own", "the described limit's own reset, as on other responses"),
                ]),
                "`after_wait`; with `ietf`: `own`",
                "what the reset of a rejection is; `ietf` allows only `own`",
            ),
            optional(
                "format",
                Words(&[word("epoch", "seconds since 1970"), word("delta", "seconds from now")]),
                "`epoch`; with `envoy` and `ietf`: `delta`",
                "the unit of the reset; `ietf` allows only `delta`",
            ),
            default(
                "upstream",
                Words(&[
                    word("replace", "Tollgate's replace them"),
                    word("keep", "if the upstream sends any, they stay and Tollgate adds none"),
                ]),
                "\"replace\"",
                "what happens to limit headers that the upstream sends",
            ),
            optional(
                "names",
                Obj("names"),
                "the preset's",
                "with `x-ratelimit` and `github`: other header names",
            ),
        ],
    },
    Object {
        name: "names",
        at: "headers.names",
        about: "Other names for limit headers.",
        one_of: &[],
        fields: &[
            optional("limit", Text(&HEADER), "the preset's", "for the quota"),
            optional("remaining", Text(&HEADER), "the preset's", "for the units left"),
            optional("reset", Text(&HEADER), "the preset's", "for the reset"),
            optional("used", Text(&HEADER), "the preset's; `x-ratelimit` sends none", "for the units used"),
            optional(
                "resource",
                Text(&HEADER),
                "the preset's; `x-ratelimit` sends none",
                "for the name of the policy",
            ),
        ],
    },
    Object {
        name: "retry_after",
        at: "retry_after",
        about: "The wait in the header `retry-after` and in `{retry_after}`: whole seconds, rounded up, the longest of all limits that reject.",
        one_of: &[],
        fields: &[
            default(
                "show",
                Words(&[word("on_429", "on rejections"), word("never", "never")]),
                "\"on_429\"",
                "when the header is sent",
            ),
            default("min", number(1, 86_400, "seconds"), "1", "the shortest wait; at most `max`"),
            default(
                "max",
                number(1, 31_622_400, "seconds"),
                "2147483",
                "the longest wait. Longer ones overflow the timers of most Node clients; a client that waits only this long may be rejected again",
            ),
            default(
                "jitter",
                number(0, 3_600, "seconds"),
                "0",
                "up to this many seconds are added at random, so that clients do not all return at once",
            ),
        ],
    },
];
