//! Compiles which requests count, what responses change about that, and since when a policy is enforced.

use super::matches::{cost, fields_of_match};
use super::name::token;
use super::statuses;
use crate::config::{Fields, Reader, all};
use crate::http::StatusSet;
use crate::rules::{
    CostHeader, KnownKeys, Mode, OnResponse, Policy, ReportHeader, RequestMatch, UnknownCost,
};
use crate::table::{Count, OnContention};
use crate::time::{self, Micros};

/// Which requests count: as `count` says, unless `count_on` leaves it to their responses.
pub(super) fn count(fields: &Fields<'_>) -> Option<Count> {
    let words = [("accepted", Count::Accepted), ("all", Count::All), ("rejected", Count::Rejected)];
    let count = fields.read("count", |word| word.word(&words))?;
    if count == Some(Count::Rejected) {
        check_fields_of_responses(fields);
    }
    match (count, fields.optional("count_on")) {
        (Some(_), Some(later)) => later.error_found("count_on with count", "only one of them"),
        // The request holds its units until its response decides whether it stays counted.
        (None, Some(_)) => Some(Count::Accepted),
        (count, None) => Some(count.unwrap_or_default()),
    }
}

/// A rejected request never reaches the upstream, so no response could change its count.
fn check_fields_of_responses(fields: &Fields<'_>) {
    for name in ["refund_on", "refund_unless", "cost_header", "stock_header", "unanswered"] {
        if let Some(field) = fields.optional(name) {
            let found = [name, " with count: rejected"].concat();
            field.error_found::<()>(&found, "only one of them: a rejected request has no response");
        }
    }
}

/// What responses change about the counts.
#[inline(never)]
pub(super) fn on_response(fields: &Fields<'_>, known: KnownKeys<'_>) -> Option<OnResponse> {
    let count = fields.read("count_on", statuses::read);
    let refund_on = fields.read("refund_on", statuses::read);
    let unless = fields.read("refund_unless", statuses::read);
    let cost = fields.read("cost_header", cost_header);
    let stock = fields.read("stock_header", stock_header);
    let unanswered = fields.read_or("unanswered", UnknownCost::Keep, unknown_cost);
    let returns = fields.read_or("returns", Vec::new(), |list| {
        let entries = list.non_empty_list("a list of at least one match with on")?;
        all(entries.iter().map(|entry| returning(entry, known)))
    });
    if let (Some(returns), None) = (fields.optional("returns"), fields.optional("match")) {
        // Without a match the policy would also count the very requests that are to return units.
        returns.error_found::<()>("returns without match", "only together with match");
    }
    let refund = match (refund_on?, unless?) {
        (Some(_), Some(_)) => fields.at().error_found("refund_on with refund_unless", "only one of them")?,
        (on, unless) => on.or(unless.map(StatusSet::inverted)),
    };
    let rules = OnResponse {
        refund,
        count: count?,
        returns: returns?,
        cost: cost?,
        stock: stock?,
        unanswered: unanswered?,
    };
    if let Some(unanswered) = fields.optional("unanswered").filter(|_| !rules.depends_on_response()) {
        unanswered.error_found::<()>(
            "unanswered, although no response changes the counts",
            "only with count_on, refund_on, refund_unless, cost_header or stock_header",
        );
    }
    Some(rules)
}

/// A response header that reports a cost: its name, or its name and what to do with it.
fn cost_header(reader: &Reader<'_>) -> Option<CostHeader> {
    if !reader.is_object() {
        return Some(CostHeader { header: named(reader)?, without: UnknownCost::Keep });
    }
    let fields = reader.object(&["name", "remove", "without"])?;
    let (header, without) =
        (report_header(&fields), fields.read_or("without", UnknownCost::Keep, unknown_cost));
    Some(CostHeader { header: header?, without: without? })
}

/// A response header that reports a stock, likewise.
fn stock_header(reader: &Reader<'_>) -> Option<ReportHeader> {
    if reader.is_object() { report_header(&reader.object(&["name", "remove"])?) } else { named(reader) }
}

fn report_header(fields: &Fields<'_>) -> Option<ReportHeader> {
    let header = fields.required("name", "a header name").and_then(named);
    let remove = fields.read_or("remove", false, Reader::flag);
    Some(ReportHeader { remove: remove?, ..header? })
}

/// The header of this name, in lower case as Envoy delivers them.
#[inline(never)]
fn named(name: &Reader<'_>) -> Option<ReportHeader> {
    let name = token(name, "a header name")?.to_ascii_lowercase();
    Some(ReportHeader { name, remove: false })
}

/// What a request costs if no response says so.
#[inline(never)]
fn unknown_cost(reader: &Reader<'_>) -> Option<UnknownCost> {
    if reader.is_text() {
        return reader.word(&[("keep", UnknownCost::Keep), ("refund", UnknownCost::Refund)]);
    }
    cost(reader).map(UnknownCost::Costs)
}

/// A request that holds more units than a limit admits at once could never pass.
#[inline(never)]
pub(super) fn check_hold(fields: &Fields<'_>, policy: &Policy) {
    if policy.response.cost.is_none() && policy.response.count.is_none() {
        return;
    }
    let most = policy.limit_sets.max_at_once();
    let check = |at: Reader<'_>, cost: u32| {
        if cost > most {
            let found = [
                &cost.to_string(),
                " units, held until the response, although a limit admits at most ",
                &most.to_string(),
            ];
            at.error_found::<()>(&found.concat(), "at most the quota or burst of each limit");
        }
    };
    let mut common = policy.matches.is_empty();
    let entries = fields.optional("match").map_or_else(Vec::new, Reader::entries);
    for (entry, (_, own)) in entries.iter().zip(&policy.matches) {
        match own {
            Some(own) => check(entry.field("cost"), *own),
            None => common = true,
        }
    }
    if common {
        check(fields.at().field("cost"), policy.cost);
    }
}

/// Requests that return a unit: a match, and the response statuses on which they do (any 2xx by default).
fn returning(entry: &Reader<'_>, known: KnownKeys<'_>) -> Option<(RequestMatch, StatusSet)> {
    let fields = entry.object(&fields_of_match("on"))?;
    let rule = RequestMatch::read(&fields, known);
    let on = fields.read_or("on", StatusSet::successes(), statuses::read);
    Some((rule?, on?))
}

/// What decides when a record cannot be written because of contention.
pub(super) fn on_contention(word: &Reader<'_>) -> Option<OnContention> {
    let words =
        [("bucket", OnContention::Bucket), ("deny", OnContention::Deny), ("allow", OnContention::Allow)];
    word.word(&words)
}

/// Whether the policy is enforced, and since when.
pub(super) fn mode(fields: &Fields<'_>) -> Option<Mode> {
    let words = [("enforce", Mode::Enforce), ("shadow", Mode::Shadow)];
    let mode = fields.read("mode", |word| word.word(&words));
    let from = fields.read("effective_from", instant);
    match (mode?, from?) {
        (Some(Mode::Shadow), Some(_)) => fields
            .at()
            .field("effective_from")
            .error_found("effective_from with mode: shadow", "only one of them"),
        (_, Some(from)) => Some(Mode::EnforceFrom(from)),
        (mode, None) => Some(mode.unwrap_or_default()),
    }
}

/// A timestamp, in microseconds since the UNIX epoch.
fn instant(reader: &Reader<'_>) -> Option<Micros> {
    const INSTANT: &str = "a timestamp with its UTC offset, such as 2026-05-19T00:00:00-06:00, from 1970 on";
    time::parse_instant(reader.text(INSTANT)?).or_else(|| reader.error(INSTANT))
}
