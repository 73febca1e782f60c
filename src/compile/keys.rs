//! Compiles the keys: where each caller's name comes from, and when it is to be believed.

use super::paths::{either, is_ignored};
use super::{all, duration, is_name, name_of, statuses};
use crate::config::{Fields, Names, Reader, Vocabulary};
use crate::http::MetadataPath;
use crate::http::credential::{Reading, Repeated};
use crate::limiter::sliding_window::Slots;
use crate::limiter::{Algorithm, Limit, LimitId};
use crate::rules::{Attribute, CredentialRejection, Key, KeySource, Validity};
use crate::table::Geometry;
use crate::time::{Micros, SECOND};
use std::num::NonZeroU32;

const HEADER: &str = "a header name";
const COOKIE: &str = "a cookie's name";
const PATH: &str = "a list of texts: an earlier filter's name, then the keys of its metadata";
const TEXT: &str = "a text of 1 to 256 characters";
const SOURCES: &str =
    "exactly one source: header, query, cookie, client_ip, path, metadata, consumer, constant or first_of";

/// What the `key` of a policy may be.
pub(super) const KEY: &str = "the name of a key, or a list of such names";

/// Reads the named keys.
#[inline(never)]
pub(super) fn keys(reader: &Reader<'_>, table: Geometry) -> Option<Vec<Key>> {
    let entries = reader.named_entries("an object of named keys")?;
    let words = names(&entries);
    let others = Others { entries: &entries, words: &words };
    let read = |entry: &Reader<'_>| {
        let name = name_of(entry, entry.name());
        let key = key(entry, others, table);
        let (name, key) = (name?, key?);
        let kind = if key.kind.is_empty() { name.clone() } else { key.kind.clone() };
        Some(Key { name, kind, ..key })
    };
    let mut keys = all(entries.iter().map(read))?;
    prove(&mut keys);
    if keys.is_empty() { reader.error("an object of named keys") } else { Some(keys) }
}

/// Says which keys clients can't make values up for. Equal values of one kind are one caller, so what one key of a kind can't
/// vouch for none can.
fn prove(keys: &mut [Key]) {
    let vouches = |key: &Key| match (&key.source, &key.validity) {
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
    for key in keys.iter().filter(|key| !vouches(key)) {
        made_up.add("", key.kind.as_bytes());
    }
    keys.iter_mut().for_each(|key| key.proven = made_up.find("", key.kind.as_bytes()).is_none());
}

/// The keys that another can name.
#[derive(Clone, Copy)]
struct Others<'r, 'a> {
    entries: &'r [Reader<'a>],
    words: &'r Vocabulary<'a>,
}

impl<'r, 'a> Others<'r, 'a> {
    /// The one that a value names, and its index.
    #[inline(never)]
    fn named(self, reader: &Reader<'_>) -> Option<(usize, &'r Reader<'a>)> {
        let index = reader.word_in(self.words)?;
        Some((index, self.entries.get(index)?))
    }
}

/// The words by which another of the keys can be named. What is no name is told as a error of its own, and may be any
/// text: a list of what is allowed has no place for it.
#[inline(never)]
fn names<'a>(entries: &[Reader<'a>]) -> Vocabulary<'a> {
    let names = entries.iter().map(|entry| if is_name(entry.name()) { entry.name() } else { "" });
    Vocabulary::new(names.collect())
}

#[inline(never)]
fn key(reader: &Reader<'_>, others: Others<'_, '_>, table: Geometry) -> Option<Key> {
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
    ])?;
    let scheme = fields.read("scheme", |scheme| token(scheme, "an authentication scheme such as Bearer"));
    let prefix = fields.read("prefix", |n| n.whole_number(1..=4_096)).map(|n| n.map(|n| n as usize));
    let validity = fields.read_or("valid", Validity::Present, |valid| validity(valid, reader, table));
    let same_as = fields.read_or("same_as", "", |other| same_as(other, others));
    let reading = reading(&fields);
    let named: Vec<&str> = SOURCE.into_iter().filter(|word| fields.optional(word).is_some()).collect();
    let source = match named.as_slice() {
        [word] => source(&fields, word, scheme.clone().flatten(), others),
        [] => reader.error_found("no source", SOURCES),
        several => reader.error_found(&several.join(" beside "), SOURCES),
    };
    let source = source?;
    let in_place = reject_fields_of_others(&fields, &source);
    let (prefix, validity, kind, reading) = (prefix?, validity?, same_as?.to_string(), reading?);
    scheme?;
    in_place?;
    Some(Key { name: String::new(), kind, source, prefix, validity, reading, proven: false })
}

/// How values are read. A header that Envoy does not know costs more to read whole, so the first line counts.
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
    others: Others<'_, '_>,
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
            KeySource::Consumer(match name_of(field, field.text("name, or an attribute's name")?)? {
                name if name == "name" => Attribute::Name,
                name => Attribute::Named(name),
            })
        }
        "constant" => KeySource::Constant(text(field)?),
        _ => KeySource::FirstOf(first_of(field, others)?),
    })
}

/// A list of other keys. One that has alternatives itself would hide which of them was meant.
fn first_of(reader: &Reader<'_>, others: Others<'_, '_>) -> Option<Vec<usize>> {
    const KEYS: &str = "a list of two to eight names of keys";
    let list = reader.list(KEYS)?;
    let one = |entry: &Reader<'_>| {
        let (index, other) = others.named(entry)?;
        if other.has("first_of") { entry.error("a key without first_of") } else { Some(index) }
    };
    let keys = all(list.iter().map(one));
    if (2..=8).contains(&list.len()) { keys } else { reader.error(KEYS) }
}

/// The name of a key that has values of its own: one that borrows them would be the same as neither.
fn same_as<'a>(reader: &Reader<'_>, others: Others<'_, 'a>) -> Option<&'a str> {
    let (_, other) = others.named(reader)?;
    let borrows = other.has("first_of") || other.has("same_as");
    if borrows { reader.error("a key without first_of and same_as") } else { Some(other.name()) }
}

/// A field that the source does not know would be silently without effect.
fn reject_fields_of_others(fields: &Fields<'_>, source: &KeySource) -> Option<()> {
    const HEADER: u8 = 1;
    const NAMED: u8 = 2;
    const PATH: u8 = 4;
    const LIST: u8 = 8;
    const OTHER: u8 = 16;
    const SHOWN: &str = "only beside header, query or cookie";
    /// Each with the sources that it may stand beside.
    const ALLOWED: [(&str, u8, &str); 8] = [
        ("scheme", HEADER, "only beside header"),
        ("prefix", HEADER | NAMED, SHOWN),
        ("valid", HEADER | NAMED, SHOWN),
        ("same_as", !LIST, "not beside first_of, whose values are those of its keys"),
        ("repeated", HEADER | NAMED, SHOWN),
        ("names", NAMED, "only beside query or cookie"),
        ("case", PATH, "only beside path"),
        ("suffix", PATH, "only beside path"),
    ];
    let of = match source {
        KeySource::Header { .. } => HEADER,
        KeySource::Query(_) | KeySource::Cookie(_) => NAMED,
        KeySource::PathParameter(_) => PATH,
        KeySource::FirstOf(_) => LIST,
        KeySource::ClientIp { .. }
        | KeySource::Metadata(_)
        | KeySource::Consumer(_)
        | KeySource::Constant(_) => OTHER,
    };
    let mut sound = Some(());
    for (name, _, only) in ALLOWED.iter().filter(|(_, allowed, _)| allowed & of == 0) {
        if let Some(field) = fields.optional(name) {
            sound = field.error(only);
        }
    }
    sound
}

/// When a credential is to be believed.
fn validity(reader: &Reader<'_>, key: &Reader<'_>, table: Geometry) -> Option<Validity> {
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
            Some(Validity::Unless(CredentialRejection { statuses, limits: marks(key.name(), lasts?, table) }))
        }
        (Some(_), _) | (None, None) => reader.error(VALID),
    }
}

/// Mark and proof. One unit of so many that its record counts as hardly used: made-up keys must not crowd others out of a
/// page. No policy's name has a #.
fn marks(key: &str, window: Micros, table: Geometry) -> [Limit; 2] {
    const UNITS: NonZeroU32 = NonZeroU32::MIN.saturating_add(255);
    let slots = Slots::that_fit(UNITS, window, table.room_for_one_state());
    ["#valid", "#proof"].map(|what| Limit {
        id: LimitId::new(what, key),
        quota: UNITS,
        window,
        algorithm: Algorithm::SlidingWindow(slots),
    })
}

fn ipv6_prefix(reader: &Reader<'_>) -> Option<u8> {
    let fields = reader.object(&["ipv6_prefix"])?;
    let prefix = fields.read_or("ipv6_prefix", 64, |n| n.whole_number(1..=128))?;
    u8::try_from(prefix).ok()
}

fn metadata(reader: &Reader<'_>) -> Option<MetadataPath> {
    let entries = reader.list(PATH)?;
    let segments = all(entries.iter().map(text));
    if entries.len() < 2 {
        return reader.error(PATH);
    }
    let segments = segments?;
    Some(MetadataPath::new(segments.iter().map(String::as_str)))
}

/// Reads the key of a policy, as indexes.
pub(super) fn key_indexes(reader: &Reader<'_>, words: Option<&Vocabulary<'_>>) -> Option<Vec<usize>> {
    let entries = if reader.is_list() { reader.list_of_some(KEY)? } else { vec![reader.clone()] };
    all(entries.iter().map(|entry| key_index(entry, words)))
}

/// Reads the name of a key, as an index. Without any keys every name would be a error, and the one that matters is
/// already told.
pub(super) fn key_index(reader: &Reader<'_>, words: Option<&Vocabulary<'_>>) -> Option<usize> {
    match words {
        Some(words) => reader.word_in(words),
        None => reader.text(KEY).map(|_| 0),
    }
}

/// The name of a header, of all that is called in headers, as it is written.
#[inline(never)]
pub(super) fn token(reader: &Reader<'_>, what: &str) -> Option<String> {
    let allowed = || [what, " (letters, digits and !#$%&'*+-.^_`|~)"].concat();
    let text = if reader.is_text() { reader.text(what)? } else { return reader.error(&allowed()) };
    if is_token(text) { Some(text.to_string()) } else { reader.error(&allowed()) }
}

/// Whether this can be a header's name (RFC 9110, 5.6.2).
pub(super) fn is_token(text: &str) -> bool {
    (1..=256).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// A short text that says something. A zero byte would end it for the host.
#[inline(never)]
fn text(reader: &Reader<'_>) -> Option<String> {
    let text = reader.text(TEXT)?;
    let sound = (1..=256).contains(&text.chars().count()) && !text.contains('\0');
    if sound { Some(text.to_string()) } else { reader.error(TEXT) }
}
