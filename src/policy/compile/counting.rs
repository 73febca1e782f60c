//! Compiles what of a policy says which requests it is for, and which of them count.

use super::super::route::TEMPLATE;
use super::super::{Match, OnResponse, PathTemplate, StatusSet};
use super::all;
use crate::config::{Fields, Reader};
use crate::table::{Count, OnContention};

/// Which requests count: `count`, unless `count_on` leaves that to their responses.
pub(super) fn count(fields: &Fields<'_>) -> Option<Count> {
    let count =
        fields.read("count", |word| word.word(&[("accepted", Count::Accepted), ("all", Count::All)]))?;
    match (count, fields.optional("count_on")) {
        (Some(_), Some(later)) => later.fault_found("count_on beside count", "one of them"),
        (None, Some(_)) => Some(Count::Later),
        (count, None) => Some(count.unwrap_or_default()),
    }
}

/// What responses change.
pub(super) fn on_response(fields: &Fields<'_>) -> Option<OnResponse> {
    let count = fields.read("count_on", StatusSet::read);
    let refund_on = fields.read("refund_on", StatusSet::read);
    let unless = fields.read("refund_unless", StatusSet::read);
    let returns = fields.read_or("returns", Vec::new(), |list| {
        all(list.list_of_some("a list of at least one match with on")?.iter().map(a_return))
    });
    if let (Some(returns), None) = (fields.optional("returns"), fields.optional("match")) {
        // Without a match the policy would judge, and count, the very requests that are to give back.
        returns.fault_found::<()>("returns without match", "match beside it");
    }
    let refund = match (refund_on?, unless?) {
        (Some(_), Some(_)) => fields.at().fault_found("both refund_on and refund_unless", "one of them")?,
        (on, unless) => on.or(unless.map(StatusSet::inverted)),
    };
    Some(OnResponse { refund, count: count?, returns: returns? })
}

/// Requests that give a unit back: a match, and the statuses that say so (any 2xx unless named).
fn a_return(entry: &Reader<'_>) -> Option<(Match, StatusSet)> {
    let fields = entry.object(&["method", "path", "on"])?;
    let rule = match_fields(&fields);
    let on = fields.read_or("on", StatusSet::successes(), StatusSet::read);
    Some((rule?, on?))
}

/// One match of a policy.
pub(super) fn a_match(entry: &Reader<'_>) -> Option<Match> {
    match_fields(&entry.object(&["method", "path"])?)
}

fn match_fields(fields: &Fields<'_>) -> Option<Match> {
    const METHOD: &str = "a method in capitals, such as POST";
    let method = fields.read("method", |method| {
        let text = method.text(METHOD)?;
        let capitals = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
        if capitals { Some(text.to_string()) } else { method.fault(METHOD) }
    });
    let path = fields
        .read("path", |path| PathTemplate::parse(path.text(TEMPLATE)?).or_else(|| path.fault(TEMPLATE)));
    Some(Match { method: method?, path: path? })
}

/// Who answers when the record can't be written.
pub(super) fn on_contention(word: &Reader<'_>) -> Option<OnContention> {
    let words =
        [("bucket", OnContention::Bucket), ("deny", OnContention::Deny), ("allow", OnContention::Allow)];
    word.word(&words)
}
