//! Compiles the keys: how callers are told apart, and when a credential is believed.

use super::key_part::{part, reject_fields_of_other_parts};
use super::name::{is_name, name_of, token};
use super::paths::{either, is_ignored};
use super::{duration, statuses};
use crate::config::{Fields, Names, Reader, Vocabulary, all};
use crate::http::MetadataPath;
use crate::http::credential::{Reading, Repeated};
use crate::limiter::{Limit, LimitId};
use crate::rules::{Attribute, CredentialRejection, Key, KeySource, Validity};
use crate::table::TableSize;
use crate::time::{Micros, SECOND};
use std::num::NonZeroU32;

const HEADER: &str = "a header name";
const COOKIE: &str = "a cookie name";
const METADATA: &str = "a list: the name of an earlier filter, then the keys of its metadata";
const TEXT: &str = "text of 1 to 256 characters";
const ONE_SOURCE: &str =
    "exactly one source: header, query, cookie, client_ip, path, metadata, consumer, constant or first_of";

/// What the `key` of a policy may be.
pub(super) const KEY: &str = "the name of a key, or a list of names";

/// Reads the object `keys`.
#[inline(never)]
pub(super) fn keys(reader: &Reader<'_>, table: TableSize) -> Option<Vec<Key>> {
    let entries = reader.named_entries("an object of named keys")?;
    let names = names(&entries);
    let others = OtherKeys { entries: &entries, names: &names };
    let read = |entry: &Reader<'_>| {
        let name = name_of(entry, entry.name());
        let key = key(entry, others, table);
        let (name, key) = (name?, key?);
        let kind = if key.kind.is_empty() { name.clone() } else { key.kind.clone() };
        Some(Key { name, kind, ..key })
    };
    let mut keys = all(entries.iter().map(read))?;
    mark_proven(&mut keys);
    if keys.is_empty() { reader.error("an object of named keys") } else { Some(keys) }
}

/// Marks the keys whose values clients cannot make up. Equal values of one kind are one caller, so a kind is
/// proven only if all of its keys are.
fn mark_proven(keys: &mut [Key]) {
    let is_proven = |key: &Key| match (&key.source, &key.validity) {
        (
            KeySource::Header { .. } | KeySource::Query(_) | KeySource::Cookie(_),
            Validity::Present | Validity::Unless(_),
        )
        | (KeySource::PathParameter(_) | KeySource::FirstOf(_), _) => false,
        (
            KeySource::Header { .. } | KeySource::Query(_) | KeySource::Cookie(_),
            Validity::Consumer | Validity::Metadata(_),
        )
        | (
            KeySource::ClientIp { .. }
            | KeySource::Metadata(_)
            | KeySource::Consumer(_)
            | KeySource::Constant(_),
            _,
        ) => true,
    };
    let mut made_up = Names::default();
    for key in keys.iter().filter(|key| !is_proven(key)) {
        made_up.add("", key.kind.as_bytes());
    }
    keys.iter_mut().for_each(|key| key.proven = made_up.find("", key.kind.as_bytes()).is_none());
}

/// The keys that `first_of` and `same_as` can refer to.
#[derive(Clone, Copy)]
struct OtherKeys<'r, 'a> {
    entries: &'r [Reader<'a>],
    names: &'r Vocabulary<'a>,
}

impl<'r, 'a> OtherKeys<'r, 'a> {
    /// Reads the name of a key: its index and its entry.
    fn named(self, reader: &Reader<'_>) -> Option<(usize, &'r Reader<'a>)> {
        let index = reader.word_in(self.names)?;
        Some((index, self.entries.get(index)?))
    }
}

/// The names that can refer to these keys. An invalid name is an error of its own, and since it may be any
/// text, errors must not list it as allowed.
fn names<'a>(entries: &[Reader<'a>]) -> Vocabulary<'a> {
    let names = entries.iter().map(|entry| if is_name(entry.name()) { entry.name() } else { "" });
    Vocabulary::new(names.collect())
}

#[inline(never)]
fn key(reader: &Reader<'_>, others: OtherKeys<'_, '_>, table: TableSize) -> Option<Key> {
    const SOURCE: [&str; 9] =
        ["header", "query", "cookie", "client_ip", "path", "metadata", "consumer", "constant", "first_of"];
    let fields = reader.object(&[
        "header",
        "query",
        "cookie",
        "client_ip",
        "path",
        "metadata",
        "consumer",
        "constant",
        "first_of",
        "scheme",
        "prefix",
        "valid",
        "same_as",
        "repeated",
        "names",
        "case",
        "suffix",
        "whole",
        "separator",
        "index",
    ])?;
    let scheme = fields.read("scheme", |scheme| token(scheme, "an authentication scheme such as Bearer"));
    let prefix = fields.read("prefix", |n| n.whole_number(1..=4_096)).map(|n| n.map(|n| n as usize));
    let validity = fields.read_or("valid", Validity::Present, |valid| validity(valid, reader, table));
    let same_as = fields.read_or("same_as", "", |other| same_as(other, others));
    let (reading, part) = (reading(&fields), part(&fields));
    let named: Vec<&str> = SOURCE.into_iter().filter(|word| fields.optional(word).is_some()).collect();
    let source = match named.as_slice() {
        [word] => source(&fields, word, scheme.clone().flatten(), others),
        [] => reader.error_found("no source", ONE_SOURCE),
        several => reader.error_found(&several.join(" and "), ONE_SOURCE),
    };
    let source = source?;
    let in_place = reject_fields_of_others(&fields, &source);
    let (prefix, validity, kind, reading) = (prefix?, validity?, same_as?.to_string(), reading?);
    let part = part?;
    scheme?;
    in_place?;
    reject_fields_of_other_parts(&fields, &source, &part)?;
    Some(Key { name: String::new(), kind, source, prefix, validity, reading, part, proven: false })
}

/// How values are read. By default the first line of a repeated header counts: reading all lines of a header
/// that Envoy does not know costs more.
fn reading(fields: &Fields<'_>) -> Option<Reading> {
    let default = if fields.optional("header").is_some() { Repeated::First } else { Repeated::Reject };
    let repeated = fields.read_or("repeated", default, |word| {
        word.word(&[("reject", Repeated::Reject), ("first", Repeated::First), ("last", Repeated::Last)])
    });
    let loose_names = either(fields, "names", false, [("exact", false), ("loose", true)]);
    let ignore_case = is_ignored(fields, "case", false);
    let ignore_suffix = is_ignored(fields, "suffix", false);
    Some(Reading {
        repeated: repeated?,
        loose_names: loose_names?,
        ignore_case: ignore_case?,
        ignore_suffix: ignore_suffix?,
    })
}

fn source(
    fields: &Fields<'_>,
    word: &str,
    scheme: Option<String>,
    others: OtherKeys<'_, '_>,
) -> Option<KeySource> {
    let field = fields.optional(word)?;
    Some(match word {
        "header" => KeySource::Header { name: token(field, HEADER)?.to_ascii_lowercase(), scheme },
        "query" => KeySource::Query(text(field)?),
        "cookie" => KeySource::Cookie(token(field, COOKIE)?),
        "client_ip" => KeySource::ClientIp { ipv6_prefix: ipv6_prefix(field)? },
        "path" => KeySource::PathParameter(name_of(field, field.text("the name of a path parameter")?)?),
        "metadata" => KeySource::Metadata(metadata(field)?),
        "consumer" => {
            KeySource::Consumer(match name_of(field, field.text("name, or the name of an attribute")?)? {
                name if name == "name" => Attribute::Name,
                name => Attribute::Named(name),
            })
        }
        "constant" => KeySource::Constant(text(field)?),
        _ => KeySource::FirstOf(first_of(field, others)?),
    })
}

/// Reads the keys of `first_of`. One that has alternatives itself would hide which of them was meant.
fn first_of(reader: &Reader<'_>, others: OtherKeys<'_, '_>) -> Option<Vec<usize>> {
    const KEYS: &str = "a list of two to eight key names";
    let list = reader.list(KEYS)?;
    let one = |entry: &Reader<'_>| {
        let (index, other) = others.named(entry)?;
        if other.has("first_of") { entry.error("a key without first_of") } else { Some(index) }
    };
    let keys = all(list.iter().map(one));
    if (2..=8).contains(&list.len()) { keys } else { reader.error(KEYS) }
}

/// Reads `same_as`: the name of a key with values of its own. One that borrows its values would be ambiguous.
fn same_as<'a>(reader: &Reader<'_>, others: OtherKeys<'_, 'a>) -> Option<&'a str> {
    let (_, other) = others.named(reader)?;
    let borrows = other.has("first_of") || other.has("same_as");
    if borrows { reader.error("a key without first_of or same_as") } else { Some(other.name()) }
}

/// A field that does not apply to the source would silently have no effect.
fn reject_fields_of_others(fields: &Fields<'_>, source: &KeySource) -> Option<()> {
    const HEADER: u8 = 1;
    const NAMED: u8 = 2;
    const PATH: u8 = 4;
    const LIST: u8 = 8;
    const METADATA: u8 = 16;
    const OTHER: u8 = 32;
    const SHOWN: &str = "only with header, query or cookie";
    /// Each field with the sources that it applies to.
    const ALLOWED: [(&str, u8, &str); 11] = [
        ("scheme", HEADER, "only with header"),
        ("prefix", HEADER | NAMED, SHOWN),
        ("valid", HEADER | NAMED, SHOWN),
        ("same_as", !LIST, "not with first_of, which takes the values of its keys"),
        ("repeated", HEADER | NAMED, SHOWN),
        ("names", NAMED, "only with query or cookie"),
        ("case", PATH, "only with path"),
        ("suffix", PATH, "only with path"),
        ("whole", HEADER, "only with header"),
        ("separator", HEADER | NAMED | METADATA, "only with header, query, cookie or metadata"),
        ("index", HEADER | NAMED | METADATA, "only with header, query, cookie or metadata"),
    ];
    let of = match source {
        KeySource::Header { .. } => HEADER,
        KeySource::Query(_) | KeySource::Cookie(_) => NAMED,
        KeySource::PathParameter(_) => PATH,
        KeySource::FirstOf(_) => LIST,
        KeySource::Metadata(_) => METADATA,
        KeySource::ClientIp { .. } | KeySource::Consumer(_) | KeySource::Constant(_) => OTHER,
    };
    let mut valid = Some(());
    for (name, _, only) in ALLOWED.iter().filter(|(_, allowed, _)| allowed & of == 0) {
        if let Some(field) = fields.optional(name) {
            valid = field.error(only);
        }
    }
    valid
}

/// Reads `valid`: when a credential is believed.
fn validity(reader: &Reader<'_>, key: &Reader<'_>, table: TableSize) -> Option<Validity> {
    const VALID: &str = "consumer, or an object with metadata, or with unless and for";
    if reader.is_word("consumer") {
        return Some(Validity::Consumer);
    }
    if !reader.is_object() {
        return reader.error(VALID);
    }
    let fields = reader.object(&["metadata", "unless", "for"])?;
    let metadata = fields.read("metadata", metadata);
    let unless = fields.read("unless", statuses::read);
    let lasts = fields.read_or("for", 10 * 60 * SECOND, duration::read);
    match (metadata?, unless?) {
        (Some(path), None) if fields.optional("for").is_none() => Some(Validity::Metadata(path)),
        (None, Some(statuses)) => {
            let limits = marker_limits(key.name(), lasts?, table);
            Some(Validity::Unless(CredentialRejection { statuses, limits }))
        }
        (Some(_), _) | (None, None) => reader.error(VALID),
    }
}

/// The limits whose records mark a credential as rejected and as proven valid. A marker is one of 256 units,
/// so that its record counts as hardly used: made-up credentials must not evict other callers. No policy's
/// name contains a #.
fn marker_limits(key: &str, window: Micros, table: TableSize) -> [Limit; 2] {
    const UNITS: NonZeroU32 = NonZeroU32::MIN.saturating_add(255);
    let id = |what| LimitId::new(what, key);
    ["#valid", "#proof"].map(|what| Limit::trailing(id(what), UNITS, window, table.max_state_bytes()))
}

fn ipv6_prefix(reader: &Reader<'_>) -> Option<u8> {
    let fields = reader.object(&["ipv6_prefix"])?;
    let prefix = fields.read_or("ipv6_prefix", 64, |n| n.whole_number(1..=128))?;
    u8::try_from(prefix).ok()
}

fn metadata(reader: &Reader<'_>) -> Option<MetadataPath> {
    let entries = reader.list(METADATA)?;
    let segments = all(entries.iter().map(text));
    if entries.len() < 2 {
        return reader.error(METADATA);
    }
    let segments = segments?;
    Some(MetadataPath::new(segments.iter().map(String::as_str)))
}

/// Reads the `key` of a policy, as indexes of the keys.
pub(super) fn key_indexes(reader: &Reader<'_>, names: Option<&Vocabulary<'_>>) -> Option<Vec<usize>> {
    let entries = if reader.is_list() { reader.non_empty_list(KEY)? } else { vec![reader.clone()] };
    all(entries.iter().map(|entry| key_index(entry, names)))
}

/// Reads the name of a key, as an index of the keys. If the keys have errors of their own (`None`), every
/// name would be an error as a consequence, so any text is taken.
pub(super) fn key_index(reader: &Reader<'_>, names: Option<&Vocabulary<'_>>) -> Option<usize> {
    match names {
        Some(names) => reader.word_in(names),
        None => reader.text(KEY).map(|_| 0),
    }
}

/// A text of 1 to 256 characters. A zero byte would end it for the host.
fn text(reader: &Reader<'_>) -> Option<String> {
    let text = reader.text(TEXT)?;
    let valid = (1..=256).contains(&text.chars().count()) && !text.contains('\0');
    if valid { Some(text.to_string()) } else { reader.error(TEXT) }
}
