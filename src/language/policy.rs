//! A policy.

use super::forms::{COST as COST_UNITS, STATUSES, UNITS};
use super::{
    cost_body, cost_from, cost_header, exception, forms, limit, rejection, request_match, returning, span,
    stock_header,
};
use crate::config::{Composite, Field, Form, Kind, Literal, Number, Object, Rule, Word, Words, object};
use crate::fleet::OnOutage;
use crate::rules::UnknownCost;
use crate::table::{Count, OnContention};
use crate::time::Micros;

/// Its name.
pub const NAME: Field<&Form<String>> = Field::required(
    "name",
    &forms::NAME,
    "a different name for each policy. Metrics are named after it and counts are stored under it",
);

/// The requests that it judges.
pub const MATCH: Field<Composite> = Field::optional(
    "match",
    Composite::new(Kind::List(&Kind::Object(&request_match::OBJECT)), "a list of at least one match"),
    "every request",
    "the requests that it applies to: those that fit at least one match",
);

/// The requests that it does not judge.
pub const EXCEPT: Field<Composite> = Field::optional(
    "except",
    Composite::new(Kind::AnyList(&Kind::Object(&exception::OBJECT)), "a list of matches"),
    "none",
    "requests to exclude",
);

/// What callers are counted by.
pub const KEY: Field<Composite> = Field::required(
    "key",
    Composite::new(Kind::OneOrList(&Kind::Text(&forms::KEY_NAME)), "the name of a key, or a list of names"),
    "what callers are counted by. With several keys, each combination of values is a caller",
);

/// Which policies exclude each other.
pub const CLASS: Field<&Form<String>> = Field::optional(
    "class",
    &forms::NAME,
    "the policy is independent of others",
    "of the policies in one class, only the first that applies is used; at most 64 classes",
);

/// Its limits.
pub const LIMITS: Field<Composite> = Field::required(
    "limits",
    Composite::new(Kind::List(&Kind::Object(&limit::OBJECT)), "a list of at least one limit"),
    "all must admit a request; if one rejects it, nothing is spent at the others. A page of the default size has room for 36 limits of \
     one policy. Policies with the same key share a record if it has room for all their limits, and otherwise have one each",
);

/// What a request costs.
pub const COST: Field<Number<u32>> = Field::default(
    "cost",
    COST_UNITS,
    Literal::Number(1),
    "what a request costs, unless its match says otherwise. A request that costs `0` only looks: it is not counted, whatever its \
     response says, and neither the policy's limits nor its block reject it; limit headers show what is left without it. With `cost_header`, `cost_body` or `count_on`: what it holds until then, at most \
     the quota of each limit",
);

/// A cost that the request states.
pub const COST_FROM: Field<Composite> = Field::optional(
    "cost_from",
    Composite::new(Kind::Object(&cost_from::OBJECT), "an object with key, divide_by, round, min, max"),
    "every request costs `cost`",
    "a cost that the request states in the value of a key, such as its `content-length`, or what an earlier filter has computed. A \
     match's own `cost` comes first",
);

/// The response header with the actual cost.
pub const COST_HEADER: Field<Composite> = Field::optional(
    "cost_header",
    Composite::new(
        Kind::Either(&[Kind::Text(&forms::HEADER.text), Kind::Object(&cost_header::OBJECT)]),
        "a header name, or an object",
    ),
    "the cost stays",
    "a response header with the actual cost. Until the response arrives, the request holds its `cost`; then the difference is charged \
     or refunded",
);

/// The actual cost in the body of the response.
pub const COST_BODY: Field<Composite> = Field::optional(
    "cost_body",
    Composite::new(Kind::Object(&cost_body::OBJECT), "an object"),
    "the cost stays",
    "numbers in the response's body that are the actual cost, such as the tokens of a language model. Until the body has ended, the \
     request holds its `cost`; then the difference is charged or refunded",
);

/// Which requests count.
pub const COUNT: Field<&Words<Count>> = Field::default(
    "count",
    &Words(&[
        Word::new("accepted", Count::Accepted, "admitted requests"),
        Word::new("all", Count::All, "rejected requests too"),
        Word::new(
            "rejected",
            Count::Rejected,
            "only requests that this policy would admit and another enforced policy rejects: so a caller that goes on is \
             [banned](how-do-i.md#ban-callers-that-do-not-stop-and-for-longer-each-time)",
        ),
    ]),
    Literal::Text("accepted"),
    "which requests count",
);

/// The statuses that count a request.
pub const COUNT_ON: Field<Composite> = Field::optional(
    "count_on",
    STATUSES,
    "requests count on arrival",
    "a request holds its units until its response; they stay counted only if that has one of these statuses. A 429 here is the upstream's \
     own: to count what Tollgate rejects, use `count: rejected`. Not with `count`",
);

/// The statuses that refund a request.
pub const REFUND_ON: Field<Composite> = Field::optional(
    "refund_on",
    STATUSES,
    "nothing is refunded",
    "a request's units are refunded if its response has one of these statuses",
);

/// The statuses that do not refund a request.
pub const REFUND_UNLESS: Field<Composite> = Field::optional(
    "refund_unless",
    STATUSES,
    "nothing is refunded",
    "instead of `refund_on`: they are refunded if its response has any other status",
);

/// The statuses that let the counts begin at zero.
pub const RESET_ON: Field<Composite> = Field::optional(
    "reset_on",
    STATUSES,
    "responses reset nothing",
    "a response with one of these statuses sets the caller's counts of this policy to zero, such as the 200 that follows failed logins. \
     Limits of algorithm `concurrency` and `stock` count what exists, so they keep their counts. A block goes on. Not with `scope: fleet`",
);

/// The requests that return units.
pub const RETURNS: Field<Composite> = Field::optional(
    "returns",
    Composite::new(Kind::List(&Kind::Object(&returning::OBJECT)), "a list of at least one match with on"),
    "none",
    "requests that return a unit, the one that was counted last. Nothing is returned if none is counted",
);

/// The response header with the number of items.
pub const STOCK_HEADER: Field<Composite> = Field::optional(
    "stock_header",
    Composite::new(
        Kind::Either(&[Kind::Text(&forms::HEADER.text), Kind::Object(&stock_header::OBJECT)]),
        "a header name, or an object",
    ),
    "the count is taken for the stock",
    "only with a limit of algorithm `stock`: a response header with the number of items that really exist, on responses to requests \
     that the policy counts or that return a unit. Requests in flight are counted on top",
);

/// What a request costs that gets no response: a word, or a number.
pub const UNANSWERED: Field<Composite> = Field::default(
    "unanswered",
    Composite::new(
        Kind::Either(&[Kind::Words(UNANSWERED_WORDS), UNITS.erased()]),
        "keep, refund, or a cost in units",
    ),
    Literal::Text("keep"),
    "what a request without a response costs, because \
     the client left, the upstream timed out or the connection broke; a number is a cost in units",
);

/// The words of [`UNANSWERED`].
pub const UNANSWERED_WORDS: &Words<UnknownCost> = &Words(&[
    Word::new("keep", UnknownCost::Keep, "its units stay counted"),
    Word::new(
        "refund",
        UnknownCost::Refund,
        "its units are refunded, so a client that leaves before the response spends nothing",
    ),
]);

/// What decides under contention.
pub const ON_CONTENTION: Field<&Words<OnContention>> = Field::default(
    "on_contention",
    &Words(&[
        Word::new("bucket", OnContention::Bucket, "the worker's own token bucket, within a documented bound"),
        Word::new("deny", OnContention::Deny, "the request is rejected"),
        Word::new("allow", OnContention::Allow, "the request is admitted and counted later"),
    ]),
    Literal::Text("bucket"),
    "what decides when a record cannot be written because of contention",
);

/// How long a rejection blocks.
pub const BLOCK_FOR: Field<Composite> = Field::optional(
    "block_for",
    Composite::new(
        Kind::OneOrList(&Kind::Text(&forms::DURATION.text)),
        "a duration such as 60s, 10m, 1h or 7d, from 1s to 366d, or a list of one to eight that increase",
    ),
    "no longer than the limit rejects anyway",
    "after a rejection, the caller is rejected for this long. With a list of at most eight increasing lengths, the first block has the \
     first length, the next one in a row the second, and so on; the last one repeats. The row ends once as much time as the last block \
     took has passed after its end without another block",
);

/// Where the counts stand after a block.
pub const AFTER_BLOCK: Field<&Words<bool>> = Field::default(
    "after_block",
    &Words(&[
        Word::new("resume", false, "the limits have counted on, and may reject at once"),
        Word::new(
            "restart",
            true,
            "the counts begin at zero when the block ends, but for those of `concurrency` and `stock`. Not with `scope: fleet`",
        ),
    ]),
    Literal::Text("resume"),
    "where the limits stand when a block ends",
);

/// Whether rejections are enforced.
pub const MODE: Field<&Words<bool>> = Field::default(
    "mode",
    &Words(&[
        Word::new("enforce", false, "requests are rejected"),
        Word::new("shadow", true, "requests are counted and show in metrics, but are never rejected"),
    ]),
    Literal::Text("enforce"),
    "whether rejections are enforced",
);

/// Since when rejections are enforced.
pub const EFFECTIVE_FROM: Field<&Form<Micros>> = Field::optional(
    "effective_from",
    &forms::TIMESTAMP,
    "from the start",
    "in shadow before this time; not with `mode: shadow`",
);

/// For which share of the callers rejections are enforced.
pub const ENFORCE: Field<&Form<u8>> = Field::default(
    "enforce",
    &forms::PERCENT,
    Literal::Text("100%"),
    "the share of its callers that it is enforced for; for the others it is in shadow. Who belongs to it is decided by a hash of the \
     caller that clients cannot compute: it is the same for all workers, and whoever belongs to 10% belongs to 20% too. It changes when \
     Envoy restarts, unless the policy has `scope: fleet`. Requests with conflicting values of a key always belong to it; not with \
     `mode: shadow`",
);

/// When it applies.
pub const SCHEDULE: Field<Composite> = Field::optional(
    "schedule",
    Composite::new(Kind::List(&Kind::Object(&span::OBJECT)), "a list of at least one span of time"),
    "always",
    "when it applies: in any of these spans. At other times it is as if it were not there: it neither counts requests nor returns units, \
     and takes no part in its class. What it has counted before is kept",
);

/// Whether its counts reach over a fleet.
pub const SCOPE: Field<&Words<bool>> = Field::default(
    "scope",
    &Words(&[
        Word::new("proxy", false, "over all workers of this Envoy, until it restarts"),
        Word::new(
            "fleet",
            true,
            "over all proxies of the [fleet](fleet.md), in the engine of its service; only with the field `fleet` of the configuration, and with at most 16 limits, `block_for` included",
        ),
    ]),
    Literal::Text("proxy"),
    "how far the policy's counts reach",
);

/// What decides while the service does not answer.
pub const ON_OUTAGE: Field<&Words<OnOutage>> = Field::default(
    "on_outage",
    &Words(&[
        Word::new(
            "local",
            OnOutage::Local,
            "each worker alone, with its share of the quota; what it admits is counted afterwards",
        ),
        Word::new("deny", OnOutage::Deny, "the request is answered with 503 and `retry-after`"),
        Word::new("allow", OnOutage::Allow, "the request is admitted, and counted afterwards"),
    ]),
    Literal::Text("local"),
    "only with `scope: fleet`: what decides while the service does not answer",
);

/// Its own rejection.
pub const REJECT: Field<Composite> = Field::optional(
    "reject",
    Composite::new(Kind::Object(&rejection::OBJECT), "an object"),
    "the common `reject`",
    "its own rejection; fields that it leaves out are taken from the common one",
);

/// The object.
pub const OBJECT: Object = object!("policy" at "policies[]":
"Limits for some requests, counted per caller. A policy does not apply to a request without its key.";
NAME, MATCH, EXCEPT, KEY, CLASS, LIMITS, COST, COST_FROM, COST_HEADER, COST_BODY, COUNT, COUNT_ON, REFUND_ON, REFUND_UNLESS,
RESET_ON, RETURNS, STOCK_HEADER, UNANSWERED, ON_CONTENTION, BLOCK_FOR, AFTER_BLOCK, MODE, EFFECTIVE_FROM, ENFORCE, SCHEDULE, SCOPE, ON_OUTAGE, REJECT;
rules [
    Rule::NotBoth(COUNT_ON.name, COUNT.name),
    Rule::NotBoth(COST_BODY.name, COST_HEADER.name),
    Rule::NotBoth(COST_BODY.name, STOCK_HEADER.name),
    Rule::NotBoth(REFUND_UNLESS.name, REFUND_ON.name),
    // Without a match the policy would also count the very requests that are to return units.
    Rule::OnlyWith(RETURNS.name, &[MATCH.name]),
    Rule::OnlyWith(AFTER_BLOCK.name, &[BLOCK_FOR.name]),
    Rule::OnlyWith(
        UNANSWERED.name,
        &[COUNT_ON.name, REFUND_ON.name, REFUND_UNLESS.name, COST_HEADER.name, COST_BODY.name, STOCK_HEADER.name],
    ),
]);
