//! Compiles matches: which requests a policy applies to, and which are excluded or exempt.

use super::name::is_token;
use crate::config::{Fields, Reader, all};
use crate::http::{HeaderMatch, Host, PathTemplate, RequestMatch};

const HOST: &str = "a host such as api.example.com or *.example.com, without a port";
const TEMPLATE: &str = "a path such as /v1/invoices/{id}: it starts with /, \
                        {name} or * is one whole segment, each name occurs once, ** stands only at the end";
const METHOD: &str = "an upper-case method such as POST, or a list of them";

/// Units that one request may cost: as many as a quota can have.
const COSTS: std::ops::RangeInclusive<u64> = 1..=u32::MAX as u64;

/// The matches of `except` and `exempt`, which have no cost.
pub(super) fn exceptions(list: &Reader<'_>) -> Option<Vec<RequestMatch>> {
    let entries = list.list("a list of matches")?;
    all(entries.iter().map(|entry| match_fields(&entry.object(&["method", "host", "path", "headers"])?)))
}

/// The matches of a policy, each with its own cost.
pub(super) fn matches(list: &Reader<'_>) -> Option<Vec<(RequestMatch, Option<u32>)>> {
    let one = |entry: &Reader<'_>| {
        let fields = entry.object(&["method", "host", "path", "headers", "cost"])?;
        let (rule, cost) = (match_fields(&fields), fields.read("cost", cost));
        Some((rule?, cost?))
    };
    all(list.non_empty_list("a list of at least one match")?.iter().map(one))
}

/// What a request costs, in units.
pub(super) fn cost(reader: &Reader<'_>) -> Option<u32> {
    u32::try_from(reader.whole_number(COSTS)?).ok()
}

/// The fields that all kinds of matches have in common.
pub(super) fn match_fields(fields: &Fields<'_>) -> Option<RequestMatch> {
    let methods = fields.read_or("method", Vec::new(), |field| {
        let entries = if field.is_list() { field.non_empty_list(METHOD)? } else { vec![field.clone()] };
        all(entries.iter().map(method))
    });
    let host = fields.read("host", |host| Host::parse(host.text(HOST)?).or_else(|| host.error(HOST)));
    let path = fields
        .read("path", |path| PathTemplate::parse(path.text(TEMPLATE)?).or_else(|| path.error(TEMPLATE)));
    let headers = fields.read_or("headers", Vec::new(), |object| {
        all(object.named_entries("an object of headers")?.iter().map(header))
    });
    Some(RequestMatch { methods: methods?, host: host?, path: path?, headers: headers? })
}

fn method(reader: &Reader<'_>) -> Option<String> {
    let text = reader.text(METHOD)?;
    let capitals = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
    if capitals { Some(text.to_string()) } else { reader.error(METHOD) }
}

fn header(entry: &Reader<'_>) -> Option<(String, HeaderMatch)> {
    const PRESENCE: &str = "true (present), false (absent), or the exact value";
    if !is_token(entry.name()) {
        return entry.error_name(entry.name(), "a header name");
    }
    let presence = if entry.is_text() {
        HeaderMatch::Equal(entry.text(PRESENCE)?.trim().to_string())
    } else if entry.is_flag() {
        if entry.flag()? { HeaderMatch::Present } else { HeaderMatch::Absent }
    } else {
        return entry.error(PRESENCE);
    };
    Some((entry.name().to_ascii_lowercase(), presence))
}
