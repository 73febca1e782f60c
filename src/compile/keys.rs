//! Compiles the keys: how callers are told apart, and when a credential is believed.

use super::key_part::{check_fields, cut, part};
use crate::config::{Fields, Names, Reader, Vocabulary, all, is_name};
use crate::http::credential::{Reading, Repeated};
use crate::language::{configuration, forms, key, policy};
use crate::rules::source::{Beside, KeyEntries};
use crate::rules::validity::ProofContext;
use crate::rules::{Key, KeySource, Validity, modifiers};
use crate::table::TableSize;

/// What the `key` of a policy may be.
const KEY: &str = policy::KEY.kind.allowed;

/// Reads the object `keys`.
#[inline(never)]
pub(super) fn keys(reader: &Reader<'_>, table: TableSize) -> Option<Vec<Key>> {
    let entries = reader.named_entries(configuration::KEYS.kind.allowed)?;
    let names = names(&entries);
    let others = KeyEntries { entries: &entries, names: &names };
    let read = |entry: &Reader<'_>| {
        let name = entry.read_name(&forms::NAME);
        let key = read_key(entry, others, table);
        let (name, key) = (name?, key?);
        let kind = if key.kind.is_empty() { name.clone() } else { key.kind.clone() };
        Some(Key { name, kind, ..key })
    };
    let mut keys = all(entries.iter().map(read))?;
    mark_proven(&mut keys);
    if keys.is_empty() { reader.error(configuration::KEYS.kind.allowed) } else { Some(keys) }
}

/// Marks the keys whose values clients cannot make up. Equal values of one kind are one caller, so a kind is
/// proven only if all of its keys are.
fn mark_proven(keys: &mut [Key]) {
    let mut made_up = Names::default();
    for key in keys.iter().filter(|key| !key.is_vouched_for()) {
        made_up.add("", key.kind.as_bytes());
    }
    keys.iter_mut().for_each(|key| key.proven = made_up.find("", key.kind.as_bytes()).is_none());
}

/// The names that can refer to these keys. An invalid name is an error of its own, and since it may be any
/// text, errors must not list it as allowed.
fn names<'a>(entries: &[Reader<'a>]) -> Vocabulary<'a> {
    let names = entries.iter().map(|entry| if is_name(entry.name()) { entry.name() } else { "" });
    Vocabulary::new(names.collect())
}

#[inline(never)]
fn read_key(reader: &Reader<'_>, keys: KeyEntries<'_, '_>, table: TableSize) -> Option<Key> {
    let fields = reader.fields(&key::OBJECT)?;
    let source = KeySource::parse(Beside { fields: &fields, keys });
    let prefix = fields.get_optional(&modifiers::PREFIX);
    let context = ProofContext { key: reader.name(), table };
    let validity = fields.get_optional_with(&modifiers::VALID, |valid| Validity::parse(valid, context));
    let same_as = fields.get_optional_with(&modifiers::SAME_AS, |other| same_as(other, keys));
    let (part, cut, reading) = (part(&fields), cut(&fields), reading(&fields));
    let (source, part, cut, (repeated, reading)) = (source?, part?, cut?, reading?);
    let reading = Reading { repeated: repeated.unwrap_or(source.kind().repeated), ..reading };
    check_fields(&fields, &source, &part);
    Some(Key {
        name: String::new(),
        kind: same_as?.unwrap_or_default().to_string(),
        source,
        prefix: prefix?,
        validity: validity?.unwrap_or_default(),
        reading,
        part,
        cut,
        proven: false,
    })
}

/// How values are read, and which of several counts, unless its source decides.
fn reading(fields: &Fields<'_>) -> Option<(Option<Repeated>, Reading)> {
    let (repeated, names) = (fields.get_optional(&modifiers::REPEATED), fields.get(&modifiers::NAMES));
    let (case, suffix) = (fields.get(&modifiers::CASE), fields.get(&modifiers::SUFFIX));
    let reading =
        Reading { loose_names: names?, ignore_case: case?, ignore_suffix: suffix?, ..Reading::default() };
    Some((repeated?, reading))
}

/// Reads `same_as`: the name of a key with values of its own. One that borrows its values would be ambiguous.
fn same_as<'a>(reader: &Reader<'_>, others: KeyEntries<'_, 'a>) -> Option<&'a str> {
    let (_, other) = others.named(reader)?;
    let borrows = other.has("first_of") || other.has("same_as");
    if borrows { reader.error("a key without first_of or same_as") } else { Some(other.name()) }
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
