//! Policies: who may do what how often.

use super::Kind::{AnyList, Either, List, Object as Obj, OneOrList, Statuses, Text, Words};
use super::texts::{HEADER, INSTANT, KEY_NAME, LENGTH, NAME};
use super::{Object, default, number, optional, required, word};

pub(super) const OBJECTS: &[Object] = &[Object {
    name: "policy",
    at: "policies[]",
    about: "Which requests, whose, and how many. It does not apply to a request that lacks its key.",
    one_of: &[],
    fields: &[
        required("name", Text(&NAME), "its own; metrics and counts are named by it"),
        optional("match", List(&Obj("match")), "every request", "requests that it is for: any one is enough"),
        optional("except", AnyList(&Obj("exception")), "none", "requests that it is not for after all"),
        required(
            "key",
            OneOrList(&Text(&KEY_NAME)),
            "who is counted. Of several keys each combination of values is a caller of its own",
        ),
        optional(
            "class",
            Text(&NAME),
            "it stands alone",
            "of the policies of one class only the first that applies is used; at most 64 classes",
        ),
        required(
            "limits",
            List(&Obj("limit")),
            "all must admit; a rejection by one spends nothing at the others. A default page has room for 36 limits of one policy. Policies with the same key share a record if it has room for all of them, and else count in one each",
        ),
        default(
            "cost",
            number(1, 1_000_000, "units"),
            "1",
            "what a request spends whose match says nothing else",
        ),
        optional(
            "cost_header",
            Text(&HEADER),
            "the cost stays",
            "a header of the response with the real cost, a whole number; the difference is charged or given back when it comes",
        ),
        default(
            "count",
            Words(&[word("accepted", "requests that are admitted"), word("all", "rejected ones, too")]),
            "\"accepted\"",
            "which requests count",
        ),
        optional(
            "count_on",
            Statuses,
            "requests count on arrival",
            "a request holds its units until it is answered, and they stay counted only if the answer has such a status; not beside `count`",
        ),
        optional(
            "refund_on",
            Statuses,
            "nothing is given back",
            "a request's units are given back when it is answered with such a status",
        ),
        optional(
            "refund_unless",
            Statuses,
            "nothing is given back",
            "in place of `refund_on`: they are given back when it is answered with any other status",
        ),
        optional("returns", List(&Obj("return")), "none", "beside `match`: requests that give a unit back"),
        optional(
            "stock_header",
            Text(&HEADER),
            "what is counted is what there is",
            "only beside a `stock`: a header of the response with how many there really are, a whole number, to a request that the policy counts or that gives a unit back. What others are just creating is counted beside it",
        ),
        default(
            "unanswered",
            Either(&[
                Words(&[
                    word("keep", "what it holds"),
                    word("refund", "nothing: whoever leaves before the answer spends nothing"),
                ]),
                number(1, 1_000_000, "units"),
            ]),
            "\"keep\"",
            "beside `count_on`, `refund_on`, `refund_unless`, `cost_header` or `stock_header`: what a request costs in the end that gets no answer, since the client left, the upstream timed out or its connection broke; or so many units",
        ),
        default(
            "on_contention",
            Words(&[
                word("bucket", "the worker's own token bucket, within a stated bound"),
                word("deny", "the request is rejected"),
                word("allow", "the request is admitted, and counted later"),
            ]),
            "\"bucket\"",
            "who answers when the record can't be written",
        ),
        optional(
            "block_for",
            Text(&LENGTH),
            "rejected no longer than the limit says",
            "after a rejection, reject the caller for so long",
        ),
        default(
            "mode",
            Words(&[
                word("enforce", "as it says"),
                word("shadow", "counted and told in metrics, never rejected"),
            ]),
            "\"enforce\"",
            "whether rejections are meant",
        ),
        optional(
            "effective_from",
            Text(&INSTANT),
            "from the start",
            "in shadow before this instant; not beside `mode: shadow`",
        ),
        optional(
            "reject",
            Obj("rejection"),
            "as the whole configuration says",
            "its own rejection; what it does not say is as there",
        ),
    ],
}];
