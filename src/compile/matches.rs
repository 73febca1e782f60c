//! Compiles matches: which requests a policy applies to, and which are excluded or exempt.

use super::name::is_token;
use crate::config::{Fields, Reader, Vocabulary, all};
use crate::http::{HeaderMatch, Host, KeyMatch, PathTemplate, RequestMatch};
use crate::rules::{Key, KeySource};

const HOST: &str = "a host such as api.example.com or *.example.com, without a port";
const TEMPLATE: &str = "a path such as /v1/invoices/{id}: it starts with /, \
                        {name} or * is one whole segment, each name occurs once, ** stands only at the end";
const METHOD: &str = "an upper-case method such as POST, or a list of them";

/// Units that one request may cost.
const COSTS: std::ops::RangeInclusive<u64> = 1..=1_000_000;

/// The keys that a match can ask for. `None`: they could not be read.
#[derive(Clone, Copy)]
pub(super) struct KnownKeys<'a> {
    pub keys: Option<&'a [Key]>,
    pub names: Option<&'a Vocabulary<'a>>,
}

/// The matches of `except` and `exempt`, which have no cost.
pub(super) fn exceptions(list: &Reader<'_>, known: KnownKeys<'_>) -> Option<Vec<RequestMatch>> {
    let entries = list.list("a list of matches")?;
    let one = |entry: &Reader<'_>| {
        match_fields(&entry.object(&["method", "host", "path", "headers", "keys"])?, known)
    };
    all(entries.iter().map(one))
}

/// The matches of a policy, each with its own cost.
pub(super) fn matches(list: &Reader<'_>, known: KnownKeys<'_>) -> Option<Vec<(RequestMatch, Option<u32>)>> {
    let one = |entry: &Reader<'_>| {
        let fields = entry.object(&["method", "host", "path", "headers", "keys", "cost"])?;
        let (rule, cost) = (match_fields(&fields, known), fields.read("cost", cost));
        Some((rule?, cost?))
    };
    all(list.non_empty_list("a list of at least one match")?.iter().map(one))
}

/// What a request costs, in units.
pub(super) fn cost(reader: &Reader<'_>) -> Option<u32> {
    u32::try_from(reader.whole_number(COSTS)?).ok()
}

/// The fields that all kinds of matches have in common.
#[inline(never)]
pub(super) fn match_fields(fields: &Fields<'_>, known: KnownKeys<'_>) -> Option<RequestMatch> {
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
    let keys = fields.read_or("keys", Vec::new(), |object| {
        all(object.named_entries("an object of keys")?.iter().map(|entry| key(entry, known)))
    });
    Some(RequestMatch { methods: methods?, host: host?, path: path?, headers: headers?, keys: keys? })
}

/// Reads what must hold for a key. If the keys have errors of their own, every name would be an error as a
/// consequence.
#[inline(never)]
fn key(entry: &Reader<'_>, known: KnownKeys<'_>) -> Option<(usize, KeyMatch)> {
    const CONDITION: &str = "true (present), false (absent), or the exact value as text";
    let index = known.names.map_or(Some(0), |names| entry.name_in(names));
    if index.is_some_and(|index| known.keys.is_some_and(|keys| !can_be_asked(keys, index))) {
        return entry.error_name(
            entry.name(),
            "a key with header, query, cookie, metadata or consumer, or with first_of of such keys",
        );
    }
    let condition = if entry.is_flag() {
        if entry.flag()? { KeyMatch::Present } else { KeyMatch::Absent }
    } else if entry.is_text() {
        let text = entry.text(CONDITION)?;
        if text.is_empty() {
            return entry.error(CONDITION);
        }
        KeyMatch::Equal(text.to_string())
    } else {
        return entry.error(CONDITION);
    };
    Some((index?, condition))
}

/// Whether a match can ask for this key: some requests have a value of it and others do not, and it does not
/// depend on which match they fit.
fn can_be_asked(keys: &[Key], index: usize) -> bool {
    match keys.get(index).map(|key| &key.source) {
        Some(
            KeySource::Header { .. }
            | KeySource::Query(_)
            | KeySource::Cookie(_)
            | KeySource::Metadata(_)
            | KeySource::Consumer(_),
        ) => true,
        // None of them has alternatives of its own.
        Some(KeySource::FirstOf(others)) => others.iter().all(|other| can_be_asked(keys, *other)),
        Some(KeySource::ClientIp { .. } | KeySource::PathParameter(_) | KeySource::Constant(_)) | None => {
            false
        }
    }
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
