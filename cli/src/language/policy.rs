//! Policies.

use super::Kind::{AnyList, Either, Flag, List, Object as Obj, OneOrList, Statuses, Text, Words};
use super::texts::{DURATION, HEADER, KEY_NAME, NAME, TIMESTAMP};
use super::{Kind, Object, default, number, optional, required, word};

pub(super) const OBJECTS: &[Object] = &[Object {
    name: "policy",
    at: "policies[]",
    about: "Limits for some requests, counted per caller. A policy does not apply to a request without its key.",
    one_of: &[],
    fields: &[
        required(
            "name",
            Text(&NAME),
            "a different name for each policy. Metrics are named after it and counts are stored under it",
        ),
        optional(
            "match",
            List(&Obj("match")),
            "every request",
            "the requests that it applies to: those that fit at least one match",
        ),
        optional("except", AnyList(&Obj("exception")), "none", "requests to exclude"),
        required(
            "key",
            OneOrList(&Text(&KEY_NAME)),
            "what callers are counted by. With several keys, each combination of values is a caller",
        ),
        optional(
            "class",
            Text(&NAME),
            "the policy is independent of others",
            "of the policies in one class, only the first that applies is used; at most 64 classes",
        ),
        required(
            "limits",
            List(&Obj("limit")),
            "all must admit a request; if one rejects it, nothing is spent at the others. A page of the default size has room for 36 limits of \
             one policy. Policies with the same key share a record if it has room for all their limits, and otherwise have one each",
        ),
        default(
            "cost",
            UNITS,
            "1",
            "what a request costs, unless its match says otherwise. With `cost_header` or `count_on`: what it holds until its response, at most \
             the quota of each limit",
        ),
        optional(
            "cost_header",
            Either(&[Text(&HEADER), Obj("cost_header")]),
            "the cost stays",
            "a response header with the actual cost. Until the response arrives, the request holds its `cost`; then the difference is charged \
             or refunded",
        ),
        default(
            "count",
            Words(&[
                word("accepted", "admitted requests"),
                word("all", "rejected requests too"),
                word(
                    "rejected",
                    "only requests that this policy would admit and another enforced policy rejects: so a caller that goes on is \
                     [banned](how-do-i.md#ban-callers-that-do-not-stop-and-for-longer-each-time)",
                ),
            ]),
            "\"accepted\"",
            "which requests count",
        ),
        optional(
            "count_on",
            Statuses,
            "requests count on arrival",
            "a request holds its units until its response; they stay counted only if that has one of these statuses. A 429 here is the upstream's \
             own: to count what Tollgate rejects, use `count: rejected`. Not with `count`",
        ),
        optional(
            "refund_on",
            Statuses,
            "nothing is refunded",
            "a request's units are refunded if its response has one of these statuses",
        ),
        optional(
            "refund_unless",
            Statuses,
            "nothing is refunded",
            "instead of `refund_on`: they are refunded if its response has any other status",
        ),
        optional(
            "returns",
            List(&Obj("return")),
            "none",
            "with `match`: requests that return a unit, the one that was counted last. Nothing is returned if none is counted",
        ),
        optional(
            "stock_header",
            Either(&[Text(&HEADER), Obj("stock_header")]),
            "the count is taken for the stock",
            "only with a limit of algorithm `stock`: a response header with the number of items that really exist, on responses to requests \
             that the policy counts or that return a unit. Requests in flight are counted on top",
        ),
        default(
            "unanswered",
            Either(&[
                Words(&[
                    word("keep", "its units stay counted"),
                    word(
                        "refund",
                        "its units are refunded, so a client that leaves before the response spends nothing",
                    ),
                ]),
                UNITS,
            ]),
            "\"keep\"",
            "with `count_on`, `refund_on`, `refund_unless`, `cost_header` or `stock_header`: what a request without a response costs, because \
             the client left, the upstream timed out or the connection broke; a number is a cost in units",
        ),
        default(
            "on_contention",
            Words(&[
                word("bucket", "the worker's own token bucket, within a documented bound"),
                word("deny", "the request is rejected"),
                word("allow", "the request is admitted and counted later"),
            ]),
            "\"bucket\"",
            "what decides when a record cannot be written because of contention",
        ),
        optional(
            "block_for",
            Text(&DURATION),
            "no longer than the limit rejects anyway",
            "after a rejection, the caller is rejected for this long",
        ),
        default(
            "mode",
            Words(&[
                word("enforce", "requests are rejected"),
                word("shadow", "requests are counted and show in metrics, but are never rejected"),
            ]),
            "\"enforce\"",
            "whether rejections are enforced",
        ),
        optional(
            "effective_from",
            Text(&TIMESTAMP),
            "from the start",
            "in shadow before this time; not with `mode: shadow`",
        ),
        default(
            "scope",
            Words(&[
                word("proxy", "over all workers of this Envoy, until it restarts"),
                word(
                    "fleet",
                    "over all proxies of the [fleet](fleet.md), in the engine of its service; only with the field `fleet` of the configuration, and with at most 16 limits, `block_for` included",
                ),
            ]),
            "\"proxy\"",
            "how far the policy's counts reach",
        ),
        default(
            "on_outage",
            Words(&[
                word(
                    "local",
                    "each worker alone, with its share of the quota; what it admits is counted afterwards",
                ),
                word("deny", "the request is answered with 503 and `retry-after`"),
                word("allow", "the request is admitted, and counted afterwards"),
            ]),
            "\"local\"",
            "only with `scope: fleet`: what decides while the service does not answer",
        ),
        optional(
            "reject",
            Obj("rejection"),
            "the common `reject`",
            "its own rejection; fields that it leaves out are taken from the common one",
        ),
    ],
}];

/// The response headers of policies. They follow the matches, as the fields of a policy do.
pub(super) const HEADERS: &[Object] = &[
    Object {
        name: "cost_header",
        at: "policies[].cost_header",
        about: "The response header with a request's actual cost: a whole number of units, up to 4294967295; a larger one counts as that. If \
                the header is repeated, the first line counts. Trailers are not read. Two counters of the policy, `cost_missing` and \
                `cost_unreadable`, count responses without such a number.",
        one_of: &[],
        fields: &[
            required("name", Text(&HEADER), "the header's name"),
            default("remove", Flag, "false", REMOVE),
            default(
                "without",
                Either(&[
                    Words(&[
                        word("keep", "what it holds"),
                        word(
                            "refund",
                            "nothing, so requests are free whose response has no cost, such as to `HEAD`, or a 304",
                        ),
                    ]),
                    UNITS,
                ]),
                "\"keep\"",
                "what a request costs if its response has no such header, or one that is not a whole number, such as `12.5`, `-3`, `7,8` or an \
                 empty one; a number is a cost in units. Without a response, `unanswered` decides",
            ),
        ],
    },
    Object {
        name: "stock_header",
        at: "policies[].stock_header",
        about: "The response header with the number of items that exist, read like a cost. A response without such a number corrects nothing; \
                the counters `stock_missing` and `stock_unreadable` count it.",
        one_of: &[],
        fields: &[
            required("name", Text(&HEADER), "the header's name"),
            default("remove", Flag, "false", REMOVE),
        ],
    },
];

/// What a request may cost.
const UNITS: Kind = number(1, 4_294_967_295, "units");

const REMOVE: &str = "`true` removes the header before the client gets the response. It is removed from every response that passes the filter, whether \
                      or not a policy applied to the request";
