//! Policies: who may do what how often.

use super::Kind::{List, Object as Obj, OneOrList, Statuses, Text, Words};
use super::texts::{HEADER, INSTANT, KEY_NAME, LENGTH, NAME};
use super::{Object, default, number, optional, required, word};

pub(super) const OBJECTS: &[Object] = &[Object {
    name: "policy",
    at: "policies[]",
    about: "Which requests, whose, and how many.",
    one_of: &[],
    fields: &[
        required("name", Text(&NAME), "its own; metrics and counts are named by it"),
        optional("match", List(&Obj("match")), "every request", "requests that it is for: any one is enough"),
        optional("except", List(&Obj("exception")), "none", "requests that it is not for after all"),
        required(
            "key",
            OneOrList(&Text(&KEY_NAME)),
            "who is counted; several names count together, and a request that lacks any of them is not counted",
        ),
        optional(
            "class",
            Text(&NAME),
            "it stands alone",
            "of the policies of one class only the first that applies is used",
        ),
        required(
            "limits",
            List(&Obj("limit")),
            "all must admit; a refusal by one spends nothing at the others",
        ),
        default("cost", number(1, 1_000_000, "units"), "1", "what one request spends"),
        optional(
            "cost_header",
            Text(&HEADER),
            "the cost stays",
            "a header of the response with the real cost; the difference is charged or given back when it comes",
        ),
        default(
            "count",
            Words(&[word("accepted", "requests that are admitted"), word("all", "refused ones, too")]),
            "\"accepted\"",
            "which requests count",
        ),
        optional(
            "count_on",
            Statuses,
            "requests count on arrival",
            "instead of `count`: a request is only judged, and counts when it is answered with such a status",
        ),
        optional(
            "refund_on",
            Statuses,
            "nothing is given back",
            "a request's units are given back when it is answered so",
        ),
        optional(
            "refund_unless",
            Statuses,
            "nothing is given back",
            "instead of `refund_on`: given back with any other status, and without an answer",
        ),
        optional("returns", List(&Obj("return")), "none", "beside `match`: requests that give a unit back"),
        default(
            "on_contention",
            Words(&[
                word("bucket", "the worker's own token bucket, within a stated bound"),
                word("deny", "the request is refused"),
                word("allow", "the request is admitted, and counted later"),
            ]),
            "\"bucket\"",
            "who answers when the record can't be written",
        ),
        optional(
            "block_for",
            Text(&LENGTH),
            "refused no longer than the limit says",
            "after a refusal, refuse for so long",
        ),
        default(
            "mode",
            Words(&[
                word("enforce", "as it says"),
                word("shadow", "counted and told in metrics, never refused"),
            ]),
            "\"enforce\"",
            "whether refusals are meant",
        ),
        optional("effective_from", Text(&INSTANT), "from the start", "it is a shadow before this instant"),
        optional(
            "reject",
            Obj("rejection"),
            "as the whole configuration says",
            "its own refusal; what it does not say is as there",
        ),
    ],
}];
