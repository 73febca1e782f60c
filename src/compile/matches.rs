//! Compiles matches: which requests a policy applies to, and which are excluded or exempt.

use super::name::is_token;
use crate::config::{Fields, Reader, Vocabulary, all};
use crate::http::{Host, PathTemplate, Pattern, Purpose, RequestMatch, ValueMatch};
use crate::rules::{Key, KeySource};

const HOST: &str = "a host such as api.example.com, *.example.com for its subdomains, api-* or *-test.example.com, without a port: \
                    * stands for any text at the start, the end or both; without host, every host matches";
const TEMPLATE: &str = "a path such as /v1/invoices/{id}: it starts with /, \
                        {name} or * is one whole segment and no part of one, each name occurs once, ** stands only at the end";
const VALUE: &str = "true (present), false (absent), or its value, in which * stands for any text at the start, the end or both, \
                     and \\* for an asterisk";
const METHOD: &str = "an upper-case method such as POST, or a list of them";

/// Units that one request may cost: as many as a quota can have.
const COSTS: std::ops::RangeInclusive<u64> = 1..=u32::MAX as u64;

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
        let fields = entry.object(&["method", "host", "path", "headers", "query", "cookies", "keys"])?;
        match_fields(&fields, known)
    };
    all(entries.iter().map(one))
}

/// The matches of a policy, each with its own cost.
pub(super) fn matches(list: &Reader<'_>, known: KnownKeys<'_>) -> Option<Vec<(RequestMatch, Option<u32>)>> {
    let one = |entry: &Reader<'_>| {
        let fields =
            entry.object(&["method", "host", "path", "headers", "query", "cookies", "keys", "cost"])?;
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
    let headers = values(fields, &HEADERS);
    let query = values(fields, &QUERY);
    let cookies = values(fields, &COOKIES);
    let keys = fields.read_or("keys", Vec::new(), |object| {
        all(object.named_entries("an object of keys")?.iter().map(|entry| key(entry, known)))
    });
    Some(RequestMatch {
        methods: methods?,
        host: host?,
        path: path?,
        headers: headers?,
        query: query?,
        cookies: cookies?,
        keys: keys?,
        purpose: Purpose::default(),
    })
}

/// Reads what must hold for a key. If the keys have errors of their own, every name would be an error as a
/// consequence.
#[inline(never)]
fn key(entry: &Reader<'_>, known: KnownKeys<'_>) -> Option<(usize, ValueMatch)> {
    let index = known.names.map_or(Some(0), |names| entry.name_in(names));
    if index.is_some_and(|index| known.keys.is_some_and(|keys| !can_be_asked(keys, index))) {
        let sources = KeySource::fields(&|kind| kind.can_be_asked);
        let allowed = ["a key with ", &sources, ", or with first_of of such keys"].concat();
        return entry.error_name(entry.name(), &allowed);
    }
    let condition = value_match(entry, true)?;
    if matches!(&condition, ValueMatch::Fits(pattern) if pattern.is_exact() && pattern.text().is_empty()) {
        return entry.error(VALUE); // no key has an empty value
    }
    Some((index?, condition))
}

/// Whether a match can ask for this key: some requests have a value of it and others do not, and it does not
/// depend on which match they fit.
fn can_be_asked(keys: &[Key], index: usize) -> bool {
    let can = |key: &usize| keys.get(*key).is_some_and(|key| key.source.kind().can_be_asked);
    Key::origins(keys, &index).iter().all(can)
}

fn method(reader: &Reader<'_>) -> Option<String> {
    let text = reader.text(METHOD)?;
    let capitals = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
    if capitals { Some(text.to_string()) } else { reader.error(METHOD) }
}

/// A field of a match with values by name.
struct ValueField {
    field: &'static str,
    object: &'static str,
    is_name: fn(&str) -> bool,
    name: &'static str,
    /// Whether the case of names does not matter.
    any_case: bool,
    /// Whether requests' values are compared without surrounding whitespace.
    trims: bool,
}

const HEADERS: ValueField = ValueField {
    field: "headers",
    object: "an object of headers",
    is_name: is_token,
    name: "a header name",
    any_case: true,
    trims: true,
};

const QUERY: ValueField = ValueField {
    field: "query",
    object: "an object of query parameters",
    is_name: |name| (1..=256).contains(&name.len()),
    name: "the name of a query parameter, 1 to 256 bytes",
    any_case: false,
    trims: false,
};

const COOKIES: ValueField = ValueField {
    field: "cookies",
    object: "an object of cookies",
    is_name: is_token,
    name: "a cookie name",
    any_case: false,
    trims: true,
};

/// What must hold for values, by name.
#[inline(never)] // one copy for the three fields
fn values(fields: &Fields<'_>, of: &ValueField) -> Option<Vec<(String, ValueMatch)>> {
    fields.read_or(of.field, Vec::new(), |object| {
        all(object.named_entries(of.object)?.iter().map(|entry| named_value(entry, of)))
    })
}

fn named_value(entry: &Reader<'_>, of: &ValueField) -> Option<(String, ValueMatch)> {
    if !(of.is_name)(entry.name()) {
        return entry.error_name(entry.name(), of.name);
    }
    let name = if of.any_case { entry.name().to_ascii_lowercase() } else { entry.name().to_string() };
    value_match(entry, of.trims).map(|value| (name, value))
}

/// What must hold for a value: a flag or a pattern.
#[inline(never)] // one copy
fn value_match(entry: &Reader<'_>, trims: bool) -> Option<ValueMatch> {
    if entry.is_flag() {
        return Some(if entry.flag()? { ValueMatch::Present } else { ValueMatch::Absent });
    }
    if !entry.is_text() {
        return entry.error(VALUE);
    }
    let text = entry.text(VALUE)?;
    let pattern = Pattern::parse(if trims { text.trim() } else { text });
    pattern.map(ValueMatch::Fits).or_else(|| entry.error(VALUE))
}
