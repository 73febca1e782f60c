//! The whole configuration, and its smaller parts.

use super::Kind::{AnyList, Flag, List, Map, Object as Obj, Text, Words};
use super::texts::{KEY_NAME, NAME, TIER};
use super::{Object, default, number, optional, required, word};

pub(super) const OBJECTS: &[Object] = &[
    Object {
        name: "configuration",
        at: "",
        about: "`null` is the same as leaving a field out; a field that there is not is a fault.",
        one_of: &[],
        fields: &[
            required("keys", Map { names: &NAME, values: &Obj("key") }, "ways to tell callers apart"),
            optional(
                "consumers",
                AnyList(&Obj("consumer")),
                "nobody is known",
                "known callers: who they are, and what is theirs",
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
                "`OPTIONS` with `access-control-request-method` is not limited. Any client can send such a request: `false` \
                 if the upstream pays for them",
            ),
            default(
                "charge",
                Words(&[
                    word("all_or_nothing", "a refusal by any policy spends nothing at any"),
                    word("sequential", "in order: a refusal has spent the units of the policies before it"),
                ]),
                "\"all_or_nothing\"",
                "how the policies of one request depend on each other",
            ),
            optional(
                "reject",
                Obj("rejection"),
                "429 with a line of text",
                "what a refused request is answered",
            ),
            optional("retry_after", Obj("retry_after"), "as its fields' defaults", "how the wait is told"),
            optional("headers", Obj("headers"), "none are sent", "which limit headers responses carry"),
            default("access_log", Flag, "false", "sets the filter state `wasm.tollgate` for access logs"),
            optional(
                "table",
                Obj("table"),
                "as its fields' defaults",
                "the size of the memory that counts are in",
            ),
        ],
    },
    Object {
        name: "tiers",
        at: "tiers",
        about: "Classes of callers. Where there are tiers, a quota may be one number for each of them.",
        one_of: &[],
        fields: &[
            required("names", List(&Text(&NAME)), "at most 64"),
            required("default", Text(&TIER), "the tier of whoever has none"),
            optional(
                "from",
                Text(&KEY_NAME),
                "only consumers have tiers",
                "a key whose value is the name of the caller's tier",
            ),
        ],
    },
    Object {
        name: "retry_after",
        at: "retry_after",
        about: "`retry-after` is in whole seconds, rounded up, the longest wait of all limits that refuse.",
        one_of: &[],
        fields: &[
            default(
                "show",
                Words(&[word("on_429", "refusals carry it"), word("never", "nothing does")]),
                "\"on_429\"",
                "when it is sent",
            ),
            default("min", number(1, 86_400, "seconds"), "1", "never less, and never above `max`"),
            default(
                "max",
                number(1, 31_622_400, "seconds"),
                "2147483",
                "never more. Longer waits overflow the timers of most Node clients; who waits only so long may be refused again",
            ),
            default(
                "jitter",
                number(0, 3_600, "seconds"),
                "0",
                "up to so many are added at random, so that not all come back at once",
            ),
        ],
    },
    Object {
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
    },
];
