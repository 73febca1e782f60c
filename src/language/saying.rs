//! Refusals and limit headers: what is said.

use super::Kind::{Either, Map, Object as Obj, OneOrList, Text, Words};
use super::texts::{HEADER, LANGUAGE, LIMIT, MEDIA_TYPE, TEMPLATE, TEXT};
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
    variable("retry_after", true, "the wait in seconds"),
    variable("limit", true, "the quota"),
    variable("remaining", true, "what is left of it"),
    variable("reset", true, "the reset in seconds since 1970"),
    variable("window", true, "the window in seconds"),
    variable("policy", false, "the refusing policy's name"),
    variable("limit_name", false, "the refusing limit's name"),
    variable("request_id", false, "`x-request-id`"),
    variable("message", false, "`message` of the limit, else of the rejection"),
    variable("code", false, "`code`"),
    variable("consumer", false, "the consumer's name"),
    variable("tier", false, "the caller's tier"),
];

pub(super) const OBJECTS: &[Object] = &[
    Object {
        name: "rejection",
        at: "reject, policies[].reject",
        about: "What a refused request is answered. If several limits refuse, the one with the longest wait is told.",
        one_of: &[],
        fields: &[
            default("status", number(400, 599, ""), "429", "the HTTP status"),
            default(
                "format",
                Words(&[
                    word("template", "`body`"),
                    word(
                        "problem",
                        "RFC 9457: `application/problem+json`; then neither `body` nor `content_type`",
                    ),
                ]),
                "\"template\"",
                "where the body comes from",
            ),
            optional(
                "body",
                Text(&TEMPLATE),
                "`Too many requests` and a line feed",
                "the body; in JSON, values are escaped",
            ),
            optional(
                "content_type",
                Text(&MEDIA_TYPE),
                "`application/json` if the body is a JSON object or list, else `text/plain; charset=utf-8`",
                "the body's type",
            ),
            optional(
                "message",
                Either(&[Text(&TEMPLATE), Map { names: &LANGUAGE, values: &Text(&TEMPLATE) }]),
                "none",
                "the `{message}`, or one by language, chosen by `accept-language`; the first is the default",
            ),
            optional("code", Text(&TEXT), "none", "the `{code}`"),
            optional("headers", Map { names: &HEADER, values: &Text(&TEMPLATE) }, "none", "further headers"),
        ],
    },
    Object {
        name: "headers",
        at: "headers",
        about: "Limit headers, on the upstream's responses and on refusals alike.",
        one_of: &[],
        fields: &[
            required(
                "preset",
                Words(&[
                    word("x-ratelimit", "`x-ratelimit-limit`, `-remaining`, `-reset`"),
                    word("ietf", "`ratelimit` and `ratelimit-policy`"),
                    word("github", "`x-ratelimit-limit`, `-remaining`, `-used`, `-reset`, `-resource`"),
                    word("envoy", "`x-ratelimit-limit`, `-remaining`, `-reset` as of Envoy's own filter"),
                    word("secret", "none, and the upstream's are removed"),
                ]),
                "which headers",
            ),
            default(
                "show",
                Words(&[word("always", "on all responses"), word("on_429", "on refusals alone")]),
                "\"always\"",
                "when they are sent",
            ),
            optional(
                "describes",
                Either(&[
                    OneOrList(&Text(&LIMIT)),
                    Words(&[
                        word("violated", "the limit that refuses, else the most constrained one"),
                        word("most_constrained", "the limit with the least left"),
                    ]),
                ]),
                "the only limit; `envoy`: `most_constrained`; `ietf`: all that apply",
                "which limit; of a list the first that applies",
            ),
            optional(
                "reset",
                Words(&[
                    word("next_slot", "when the next unit comes back"),
                    word("full_reset", "when all units are back"),
                    word("window_end", "when the window ends"),
                ]),
                "`next_slot`",
                "what reset means",
            ),
            optional(
                "format",
                Words(&[word("epoch", "seconds since 1970"), word("delta", "seconds from now")]),
                "`epoch`; with `envoy` and `ietf`: `delta`",
                "how reset is told",
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
                "with `x-ratelimit` and `github`: other names for the headers",
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
            optional("remaining", Text(&HEADER), "the preset's", "for what is left"),
            optional("reset", Text(&HEADER), "the preset's", "for the reset"),
            optional("used", Text(&HEADER), "the preset's", "for what is used"),
            optional("resource", Text(&HEADER), "the preset's", "for the limit's name"),
        ],
    },
];
