//! Compiles which requests count, how long a rejection lasts in force, and what responses change.

use super::keys::token;
use super::matches::match_fields;
use super::{all, statuses};
use crate::config::{Fields, Reader};
use crate::http::{RequestMatch, StatusSet};
use crate::rules::{MAX_UNITS, Mode, OnResponse, Unanswered};
use crate::table::{Count, OnContention};
use crate::time::{self, Micros};

/// Which requests count: `count`, unless `count_on` leaves that to their responses.
pub(super) fn count(fields: &Fields<'_>) -> Option<Count> {
    let count =
        fields.read("count", |word| word.word(&[("accepted", Count::Accepted), ("all", Count::All)]))?;
    match (count, fields.optional("count_on")) {
        (Some(_), Some(later)) => later.error_found("count_on beside count", "one of them"),
        // Its response says whether it stays counted: until then it holds what it costs.
        (None, Some(_)) => Some(Count::Accepted),
        (count, None) => Some(count.unwrap_or_default()),
    }
}

/// What responses change.
#[inline(never)]
pub(super) fn on_response(fields: &Fields<'_>) -> Option<OnResponse> {
    let count = fields.read("count_on", statuses::read);
    let refund_on = fields.read("refund_on", statuses::read);
    let unless = fields.read("refund_unless", statuses::read);
    let cost = fields.read("cost_header", header_name);
    let stock = fields.read("stock_header", header_name);
    let unanswered = fields.read_or("unanswered", Unanswered::Keep, unanswered);
    let returns = fields.read_or("returns", Vec::new(), |list| {
        all(list.list_of_some("a list of at least one match with on")?.iter().map(a_return))
    });
    if let (Some(returns), None) = (fields.optional("returns"), fields.optional("match")) {
        // Without a match the policy would judge, and count, the very requests that are to give back.
        returns.error_found::<()>("returns without match", "match beside it");
    }
    let refund = match (refund_on?, unless?) {
        (Some(_), Some(_)) => fields.at().error_found("both refund_on and refund_unless", "one of them")?,
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
            "unanswered where no answer matters",
            "only beside count_on, refund_on, refund_unless, cost_header or stock_header",
        );
    }
    Some(rules)
}

/// A response header, in lower case as Envoy has them.
fn header_name(name: &Reader<'_>) -> Option<String> {
    token(name, "a header name").map(|name| name.to_ascii_lowercase())
}

/// What a request costs in the end that gets no answer.
fn unanswered(reader: &Reader<'_>) -> Option<Unanswered> {
    if reader.is_text() {
        return reader.word(&[("keep", Unanswered::Keep), ("refund", Unanswered::Refund)]);
    }
    let units = reader.whole_number(1..=u64::from(MAX_UNITS))?;
    u32::try_from(units).ok().map(Unanswered::Costs)
}

/// Requests that give a unit back: a match, and the statuses that say so (any 2xx unless named).
fn a_return(entry: &Reader<'_>) -> Option<(RequestMatch, StatusSet)> {
    let fields = entry.object(&["method", "host", "path", "headers", "on"])?;
    let rule = match_fields(&fields);
    let on = fields.read_or("on", StatusSet::successes(), statuses::read);
    Some((rule?, on?))
}

/// Who answers when the record can't be written.
pub(super) fn on_contention(word: &Reader<'_>) -> Option<OnContention> {
    let words =
        [("bucket", OnContention::Bucket), ("deny", OnContention::Deny), ("allow", OnContention::Allow)];
    word.word(&words)
}

/// Whether the policy is enforced, and from when on.
pub(super) fn mode(fields: &Fields<'_>) -> Option<Mode> {
    let words = [("enforce", Mode::Enforce), ("shadow", Mode::Shadow)];
    let mode = fields.read("mode", |word| word.word(&words));
    let from = fields.read("effective_from", instant);
    match (mode?, from?) {
        (Some(Mode::Shadow), Some(_)) => fields
            .at()
            .field("effective_from")
            .error_found("effective_from beside mode: shadow", "one of them"),
        (_, Some(from)) => Some(Mode::EnforceFrom(from)),
        (mode, None) => Some(mode.unwrap_or_default()),
    }
}

/// An instant, in microseconds since the UNIX epoch.
fn instant(reader: &Reader<'_>) -> Option<Micros> {
    const INSTANT: &str = "an instant with its offset, such as 2026-05-19T00:00:00-06:00, from 1970 on";
    time::parse_instant(reader.text(INSTANT)?).or_else(|| reader.error(INSTANT))
}
