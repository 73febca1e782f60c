//! The whole configuration, `paths`, `table` and `fleet`.

use super::Kind::{AnyList, Flag, List, Map, Object as Obj, Text, Words};
use super::texts::{MILLISECONDS, NAME, TEXT};
use super::{Field, Object, Word, default, number, optional, required, word};

pub(super) const OBJECTS: &[Object] = &[Object {
    name: "configuration",
    at: "",
    about: "`keys` and `policies` are required.",
    one_of: &[],
    fields: &[
        required("keys", Map { names: &NAME, values: &Obj("key") }, "ways to tell callers apart, by name"),
        optional(
            "consumers",
            AnyList(&Obj("consumer")),
            "no caller is known",
            "known callers: their credentials, tiers, attributes and quotas",
        ),
        optional(
            "tiers",
            Obj("tiers"),
            "every caller has the same quotas",
            "classes of callers with quotas of their own",
        ),
        required(
            "policies",
            List(&Obj("policy")),
            "the rate limits; every policy that applies must admit a request",
        ),
        optional("exempt", AnyList(&Obj("exception")), "none", "requests that no policy applies to"),
        default(
            "exempt_preflight",
            Flag,
            "true",
            "CORS preflights are not limited: `OPTIONS` requests with `access-control-request-method`, without `authorization`, and without any \
             header, query parameter or cookie that a key reads. Any client can send such a request, so use `false` if they are expensive \
             for the upstream",
        ),
        optional(
            "paths",
            Obj("paths"),
            "the defaults of its fields",
            "which other spellings of a path the `match` of a policy covers",
        ),
        default(
            "charge",
            Words(&[
                word("all_or_nothing", "if any policy rejects the request, it spends nothing at all"),
                word(
                    "sequential",
                    "policies are asked in order, and a rejected request has spent its units at those before the one that rejects",
                ),
            ]),
            "\"all_or_nothing\"",
            "how a request is charged if several policies apply",
        ),
        optional(
            "reject",
            Obj("rejection"),
            "429 with `Too many requests`",
            "the reply to a rejected request",
        ),
        optional(
            "retry_after",
            Obj("retry_after"),
            "the defaults of its fields",
            "the wait that rejections announce",
        ),
        optional("headers", Obj("headers"), "none are sent", "the limit headers of responses"),
        default(
            "access_log",
            Flag,
            "false",
            "sets filter state that an access log can show with `%FILTER_STATE(wasm.tollgate:PLAIN)%`",
        ),
        optional("table", Obj("table"), "the defaults of its fields", "the size of the memory for counts"),
        optional(
            "fleet",
            Obj("fleet"),
            "every count stays in this Envoy",
            "the service that keeps the counts of policies with `scope: fleet`",
        ),
    ],
}];

const SPELLING: &[Word] =
    &[word("ignore", "the `match` of a policy also covers this spelling"), word("strict", "it does not")];

const fn spelling(name: &'static str, about: &'static str) -> Field {
    default(name, Words(SPELLING), "\"ignore\"", about)
}

/// The object `paths`.
pub(super) const PATHS: &[Object] = &[Object {
    name: "paths",
    at: "paths",
    about: "A path in the `match` of a policy also covers other spellings that an upstream may take for the same path; otherwise a \
            differently written path would bypass the policy. Encoded characters are always decoded. A match by another spelling \
            only adds limits: it does not keep other policies of its `class` from applying, and it costs as much as the most expensive \
            match that fits. Paths in `exempt`, `except` and `returns` always match only as they are written.",
    one_of: &[],
    fields: &[
        spelling("trailing_slash", "a trailing slash, as in `/login/`"),
        spelling("case", "another case, as in `/LOGIN`"),
        spelling(
            "parameters",
            "parameters, as in `/login;a=b` and `/x/..;/login`. The part after `;` is then not part of a `{parameter}` either",
        ),
        spelling(
            "suffix",
            "a suffix, which starts at the first dot of the last segment, as in `/login.json`",
        ),
    ],
}];

/// The object `table`.
pub(super) const TABLE: &[Object] = &[Object {
    name: "table",
    at: "table",
    about: "Counts take at most `pages` × `page_bytes`, plus some 100 bytes of Envoy's own per page.",
    one_of: &[],
    fields: &[
        default(
            "pages",
            number(1, 1_048_576, "pages"),
            "16384",
            "the number of pages. It cannot change while the table exists: another number needs a restart or another `vm_id`",
        ),
        default(
            "page_bytes",
            number(512, 65_535, "bytes"),
            "1536",
            "the size of a page; all limits that count by one key must fit a page",
        ),
    ],
}];

/// The object `fleet`.
pub(super) const FLEET: &[Object] = &[Object {
    name: "fleet",
    at: "fleet",
    about: "Where the counts of policies with `scope: fleet` are kept, so that several proxies share them and a restart does not lose \
            them. [Fleet](fleet.md) explains the service, the bound and outages.",
    one_of: &[],
    fields: &[
        required("cluster", Text(&TEXT), "the Envoy cluster of `tollgate-fleet`"),
        default(
            "name",
            Text(&NAME),
            "\"default\"",
            "the name of the fleet, as in the service's option `--fleet`. Proxies with the same name and service share their counts",
        ),
        default(
            "timeout",
            Text(&MILLISECONDS),
            "\"50ms\"",
            "how long a request waits for the service. After that, the `on_outage` of its policy decides",
        ),
    ],
}];
