//! Compiles matches: which requests a policy applies to, and which are excluded or exempt.

use super::name::is_token;
use crate::config::{Fields, Reader, all};
use crate::http::{Host, PathTemplate, Pattern, Purpose, RequestMatch, ValueMatch};

const HOST: &str = "a host such as api.example.com, *.example.com for its subdomains, api-* or *-test.example.com, without a port: \
                    * stands for any text at the start, the end or both; without host, every host matches";
const TEMPLATE: &str = "a path such as /v1/invoices/{id}: it starts with /, \
                        {name} or * is one whole segment and no part of one, each name occurs once, ** stands only at the end";
const VALUE: &str = "true (present), false (absent), or its value, in which * stands for any text at the start, the end or both, \
                     and \\* for an asterisk";
const METHOD: &str = "an upper-case method such as POST, or a list of them";

/// Units that one request may cost.
const COSTS: std::ops::RangeInclusive<u64> = 1..=1_000_000;

/// The matches of `except` and `exempt`, which have no cost.
pub(super) fn exceptions(list: &Reader<'_>) -> Option<Vec<RequestMatch>> {
    let entries = list.list("a list of matches")?;
    all(entries.iter().map(|entry| {
        match_fields(&entry.object(&["method", "host", "path", "headers", "query", "cookies"])?)
    }))
}

/// The matches of a policy, each with its own cost.
pub(super) fn matches(list: &Reader<'_>) -> Option<Vec<(RequestMatch, Option<u32>)>> {
    let one = |entry: &Reader<'_>| {
        let fields = entry.object(&["method", "host", "path", "headers", "query", "cookies", "cost"])?;
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
    let query = fields.read_or("query", Vec::new(), |object| {
        all(object.named_entries("an object of query parameters")?.iter().map(parameter))
    });
    let cookies = fields.read_or("cookies", Vec::new(), |object| {
        all(object.named_entries("an object of cookies")?.iter().map(cookie))
    });
    Some(RequestMatch {
        methods: methods?,
        host: host?,
        path: path?,
        headers: headers?,
        query: query?,
        cookies: cookies?,
        purpose: Purpose::default(),
    })
}

fn method(reader: &Reader<'_>) -> Option<String> {
    let text = reader.text(METHOD)?;
    let capitals = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
    if capitals { Some(text.to_string()) } else { reader.error(METHOD) }
}

fn header(entry: &Reader<'_>) -> Option<(String, ValueMatch)> {
    if !is_token(entry.name()) {
        return entry.error_name(entry.name(), "a header name");
    }
    Some((entry.name().to_ascii_lowercase(), value(entry, str::trim)?))
}

fn parameter(entry: &Reader<'_>) -> Option<(String, ValueMatch)> {
    if !(1..=256).contains(&entry.name().len()) {
        return entry.error_name(entry.name(), "the name of a query parameter, 1 to 256 bytes");
    }
    Some((entry.name().to_string(), value(entry, |text| text)?))
}

fn cookie(entry: &Reader<'_>) -> Option<(String, ValueMatch)> {
    if !is_token(entry.name()) {
        return entry.error_name(entry.name(), "a cookie name");
    }
    Some((entry.name().to_string(), value(entry, str::trim)?))
}

/// What must hold for the values of one name. `trim` removes what is removed from a request's value, too.
fn value(entry: &Reader<'_>, trim: fn(&str) -> &str) -> Option<ValueMatch> {
    if entry.is_flag() {
        return Some(if entry.flag()? { ValueMatch::Present } else { ValueMatch::Absent });
    }
    if !entry.is_text() {
        return entry.error(VALUE);
    }
    Pattern::parse(trim(entry.text(VALUE)?)).map(ValueMatch::Fits).or_else(|| entry.error(VALUE))
}
