//! The whole configuration, and what it is counted in.

use super::Kind::{AnyList, Flag, List, Map, Object as Obj, Words};
use super::texts::NAME;
use super::{Field, Object, Word, default, number, optional, required, word};

pub(super) const OBJECTS: &[Object] = &[Object {
    name: "configuration",
    at: "",
    about: "`keys` and `policies`, and whatever else is wanted.",
    one_of: &[],
    fields: &[
        required("keys", Map { names: &NAME, values: &Obj("key") }, "ways to tell callers apart"),
        optional(
            "consumers",
            AnyList(&Obj("consumer")),
            "nobody is known",
            "known callers: what they are known by, and what is theirs",
        ),
        optional(
            "tiers",
            Obj("tiers"),
            "quotas are for everybody",
            "classes of callers with quotas of their own",
        ),
        required(
            "policies",
            List(&Obj("policy")),
            "who may do what how often; every policy that applies must admit a request",
        ),
        optional("exempt", AnyList(&Obj("exception")), "none", "requests that no policy applies to"),
        default(
            "exempt_preflight",
            Flag,
            "true",
            "`OPTIONS` with `access-control-request-method`, without `authorization` and without any header, query parameter or \
                 cookie that a key reads is not limited. Any client can send such a request: `false` if the upstream pays for them",
        ),
        optional(
            "paths",
            Obj("paths"),
            "as its fields' defaults",
            "which other spellings of a path a policy's `match` is for, too",
        ),
        default(
            "charge",
            Words(&[
                word("all_or_nothing", "a rejection by any policy spends nothing at any"),
                word("sequential", "in order: a rejection has spent the units of the policies before it"),
            ]),
            "\"all_or_nothing\"",
            "how the policies of one request depend on each other",
        ),
        optional(
            "reject",
            Obj("rejection"),
            "429 with `Too many requests`",
            "what a rejected request is answered",
        ),
        optional("retry_after", Obj("retry_after"), "as its fields' defaults", "how the wait is told"),
        optional("headers", Obj("headers"), "none are sent", "which limit headers responses carry"),
        default(
            "access_log",
            Flag,
            "false",
            "sets the filter state that `%FILTER_STATE(wasm.tollgate:PLAIN)%` shows in an access log",
        ),
        optional(
            "table",
            Obj("table"),
            "as its fields' defaults",
            "the size of the memory that counts are in",
        ),
    ],
}];

const SPELLING: &[Word] =
    &[word("ignore", "a `match` of a policy is for this spelling, too"), word("strict", "it is not")];

const fn spelling(name: &'static str, about: &'static str) -> Field {
    default(name, Words(SPELLING), "\"ignore\"", about)
}

/// What paths are.
pub(super) const PATHS: &[Object] = &[Object {
    name: "paths",
    at: "paths",
    about: "A path in the `match` of a policy is also for spellings of it that an upstream may take for the same path. Encoded \
            characters are always decoded. A match by another spelling only adds limits: it does not keep other policies of \
            its `class` from applying, and costs as much as the dearest match that fits. Paths in `exempt`, `except` and \
            `returns` match only as they are written, whatever stands here.",
    one_of: &[],
    fields: &[
        spelling("trailing_slash", "`/login/`"),
        spelling("case", "`/LOGIN`"),
        spelling(
            "parameters",
            "`/login;a=b`, and `/x/..;/login`. What follows a `;` is then no part of a `{parameter}` either",
        ),
        spelling("suffix", "`/login.json`: what follows the first dot of the last segment"),
    ],
}];

/// The last of all.
pub(super) const TABLE: &[Object] = &[Object {
    name: "table",
    at: "table",
    about: "Counts take `pages` × `page_bytes` at most, and some 100 bytes of Envoy's own for each page.",
    one_of: &[],
    fields: &[
        default(
            "pages",
            number(1, 1_048_576, "pages"),
            "16384",
            "can't change while the table lives: another number needs a restart or another `vm_id`",
        ),
        default(
            "page_bytes",
            number(512, 65_535, "bytes"),
            "1536",
            "all limits of one key must fit a page together",
        ),
    ],
}];
