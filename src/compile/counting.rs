//! Compiles which requests count, what responses change about that, and since when a policy is enforced.

use super::unknown_cost::unknown_cost;
use super::{cost_body, statuses};
use crate::config::{Fields, Reader, all};
use crate::http::StatusSet;
use crate::language::{cost_from, cost_header, forms, policy, request_match, returning, stock_header};
use crate::rules::{
    CostHeader, EnforcedShare, KnownKeys, Mode, OnResponse, Place, Policy, ReportHeader, RequestMatch,
    UnknownCost,
};
use crate::table::Count;

/// Which requests count: as `count` says, unless `count_on` leaves it to their responses.
pub(super) fn count(fields: &Fields<'_>) -> Option<Count> {
    // With `count_on` a request holds its units until its response decides whether it stays counted.
    let count = fields.get(&policy::COUNT)?;
    if count == Count::Rejected {
        check_fields_of_responses(fields);
    }
    Some(count)
}

/// A rejected request never reaches the upstream, so no response could change its count.
fn check_fields_of_responses(fields: &Fields<'_>) {
    let of_responses = [
        policy::REFUND_ON.name,
        policy::REFUND_UNLESS.name,
        policy::RESET_ON.name,
        policy::COST_HEADER.name,
        policy::COST_BODY.name,
        policy::STOCK_HEADER.name,
        policy::UNANSWERED.name,
    ];
    for name in of_responses {
        if let Some(field) = fields.optional(name) {
            let found = [name, " with count: rejected"].concat();
            field.error_found::<()>(&found, "only one of them: a rejected request has no response");
        }
    }
}

/// What responses change about the counts.
#[inline(never)]
pub(super) fn on_response(fields: &Fields<'_>, known: KnownKeys<'_>) -> Option<OnResponse> {
    let count = fields.get_optional_with(&policy::COUNT_ON, statuses::read);
    let refund_on = fields.get_optional_with(&policy::REFUND_ON, statuses::read);
    let unless = fields.get_optional_with(&policy::REFUND_UNLESS, statuses::read);
    let reset = fields.get_optional_with(&policy::RESET_ON, statuses::read);
    let cost = fields.get_optional_with(&policy::COST_HEADER, read_cost_header);
    let body = fields.get_optional_with(&policy::COST_BODY, cost_body::read);
    let stock = fields.get_optional_with(&policy::STOCK_HEADER, read_stock_header);
    let unanswered = fields.get_with(&policy::UNANSWERED, policy::UNANSWERED_WORDS, |reader| {
        unknown_cost(reader, policy::UNANSWERED_WORDS)
    });
    let returns = fields.get_optional_with(&policy::RETURNS, |list| {
        let entries = list.non_empty_list(policy::RETURNS.kind.allowed)?;
        all(entries.iter().map(|entry| read_return(entry, known)))
    });
    let (refund_on, unless) = (refund_on?, unless?);
    Some(OnResponse {
        refund: refund_on.or(unless.map(StatusSet::inverted)),
        count: count?,
        reset: reset?,
        returns: returns?.unwrap_or_default(),
        cost: cost?,
        body: body?,
        stock: stock?,
        unanswered: unanswered?,
    })
}

/// A response header that reports a cost: its name, or its name and what to do with it.
fn read_cost_header(reader: &Reader<'_>) -> Option<CostHeader> {
    if !reader.is_object() {
        return Some(CostHeader {
            header: named(reader)?,
            place: Place::Headers,
            without: UnknownCost::Keep,
        });
    }
    let fields = reader.fields(&cost_header::OBJECT)?;
    let (header, place) = (report_header(&fields), fields.get(&cost_header::IN));
    let without = fields.get_with(&cost_header::WITHOUT, cost_header::WITHOUT_WORDS, |reader| {
        unknown_cost(reader, cost_header::WITHOUT_WORDS)
    });
    Some(CostHeader { header: header?, place: place?, without: without? })
}

/// A response header that reports a stock, likewise.
fn read_stock_header(reader: &Reader<'_>) -> Option<ReportHeader> {
    if reader.is_object() { report_header(&reader.fields(&stock_header::OBJECT)?) } else { named(reader) }
}

fn report_header(fields: &Fields<'_>) -> Option<ReportHeader> {
    let (name, remove) = (fields.get(&cost_header::NAME), fields.get(&cost_header::REMOVE));
    Some(ReportHeader { name: name?, remove: remove? })
}

/// The header of this name.
#[inline(never)]
fn named(name: &Reader<'_>) -> Option<ReportHeader> {
    Some(ReportHeader { name: name.read(&forms::HEADER)?, remove: false })
}

/// A request that holds more units than a limit admits at once could never pass.
#[inline(never)]
pub(super) fn check_hold(fields: &Fields<'_>, compiled: &Policy) {
    let OnResponse { cost, body, count, .. } = &compiled.response;
    if cost.is_none() && body.is_none() && count.is_none() {
        return;
    }
    let stated = compiled.quotas_from.iter().filter_map(|from| from.smallest(compiled.limits()));
    let stated = stated.map(|limit| limit.max_at_once()).min().unwrap_or(u32::MAX);
    let most = compiled.limit_sets.max_at_once().min(stated);
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
    let mut common = compiled.matches.is_empty();
    let entries = fields.present(&policy::MATCH).map_or_else(Vec::new, Reader::entries);
    for (entry, (_, own)) in entries.iter().zip(&compiled.matches) {
        match own {
            Some(own) => check(entry.field(request_match::COST.name), *own),
            None => common = true,
        }
    }
    if common {
        check(fields.about(&policy::COST), compiled.cost);
        if let (Some(at), Some(from)) = (fields.present(&policy::COST_FROM), &compiled.cost_from) {
            check(at.field(cost_from::MAX.name), from.max);
        }
    }
}

/// Requests that return a unit: a match, and the response statuses on which they do (any 2xx by default).
fn read_return(entry: &Reader<'_>, known: KnownKeys<'_>) -> Option<(RequestMatch, StatusSet)> {
    let fields = entry.fields(&returning::OBJECT)?;
    let rule = RequestMatch::read(&fields, known);
    let on = fields.get_optional_with(&returning::ON, statuses::read);
    Some((rule?, on?.unwrap_or_else(StatusSet::successes)))
}

/// For which share of the callers the policy is enforced.
pub(super) fn enforced(fields: &Fields<'_>) -> Option<EnforcedShare> {
    let (share, shadow) = (fields.get(&policy::ENFORCE), fields.get(&policy::MODE));
    match fields.present(&policy::ENFORCE).filter(|_| shadow == Some(true)) {
        Some(at) => at.error_found("enforce with mode: shadow", "only one of them"),
        None => share.map(EnforcedShare),
    }
}

/// Whether the policy is enforced, and since when.
pub(super) fn mode(fields: &Fields<'_>) -> Option<Mode> {
    let (shadow, from) = (fields.get(&policy::MODE), fields.get_optional(&policy::EFFECTIVE_FROM));
    match (shadow?, from?) {
        (true, Some(_)) => fields
            .about(&policy::EFFECTIVE_FROM)
            .error_found("effective_from with mode: shadow", "only one of them"),
        (true, None) => Some(Mode::Shadow),
        (false, Some(from)) => Some(Mode::EnforceFrom(from)),
        (false, None) => Some(Mode::Enforce),
    }
}
