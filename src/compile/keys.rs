//! Compiles the keys: how callers are told apart, and when a credential is believed.

use super::key_part::{part, reject_fields_of_other_parts};
use super::name::{is_name, name_of};
use super::paths::{either, is_ignored};
use crate::config::{Fields, Names, Reader, Vocabulary, all};
use crate::http::credential::{Reading, Repeated};
use crate::rules::source::{Beside, KeyEntries};
use crate::rules::validity::ProofContext;
use crate::rules::{Key, KeySource, Modifier, SourceKind, Validity};
use crate::table::TableSize;

/// What the `key` of a policy may be.
pub(super) const KEY: &str = "the name of a key, or a list of names";

/// Reads the object `keys`.
#[inline(never)]
pub(super) fn keys(reader: &Reader<'_>, table: TableSize) -> Option<Vec<Key>> {
    let entries = reader.named_entries("an object of named keys")?;
    let names = names(&entries);
    let others = KeyEntries { entries: &entries, names: &names };
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
fn key(reader: &Reader<'_>, keys: KeyEntries<'_, '_>, table: TableSize) -> Option<Key> {
    let fields = reader.object(&key_fields())?;
    let prefix = fields.read("prefix", |n| n.whole_number(1..=4_096)).map(|n| n.map(|n| n as usize));
    let context = ProofContext { key: reader.name(), table };
    let validity = fields.read_or("valid", Validity::default(), |valid| Validity::parse(valid, context));
    let same_as = fields.read_or("same_as", "", |other| same_as(other, keys));
    let given = KeySource::KINDS.iter().filter(|kind| fields.optional(kind.field).is_some());
    let given: Vec<&SourceKind> = given.collect();
    let part = part(&fields);
    let (kind, source) = match given.as_slice() {
        [kind] => (kind, KeySource::parse(Beside { fields: &fields, keys })),
        [] => return reader.error_found("no source", &one_source()),
        several => {
            let found: Vec<&str> = several.iter().map(|kind| kind.field).collect();
            return reader.error_found(&found.join(" and "), &one_source());
        }
    };
    let reading = reading(&fields, kind);
    let in_place = reject_fields_of_others(&fields, kind);
    let (source, part) = (source?, part?);
    in_place?;
    if let Some(field) = fields.optional("same_as").filter(|_| !source.alternatives().is_empty()) {
        return field.error("not with first_of, which takes the values of its keys");
    }
    reject_fields_of_other_parts(&fields, &source, &part)?;
    Some(Key {
        name: String::new(),
        kind: same_as?.to_string(),
        source,
        prefix: prefix?,
        validity: validity?,
        reading: reading?,
        part,
        proven: false,
    })
}

/// The fields of a key, in the order in which errors list them.
fn key_fields() -> Vec<&'static str> {
    let mut fields: Vec<&str> = KeySource::KINDS.iter().map(|kind| kind.field).collect();
    for modifier in Modifier::ALL {
        fields.push(modifier.field());
        if modifier == Modifier::Valid {
            fields.push("same_as");
        }
    }
    fields
}

fn one_source() -> String {
    ["exactly one source: ", &KeySource::fields(&|_| true)].concat()
}

/// How values are read.
fn reading(fields: &Fields<'_>, kind: &SourceKind) -> Option<Reading> {
    let repeated = fields.read_or("repeated", kind.repeated, |word| {
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

/// Reads `same_as`: the name of a key with values of its own. One that borrows its values would be ambiguous.
fn same_as<'a>(reader: &Reader<'_>, others: KeyEntries<'_, 'a>) -> Option<&'a str> {
    let (_, other) = others.named(reader)?;
    let borrows = other.has("first_of") || other.has("same_as");
    if borrows { reader.error("a key without first_of or same_as") } else { Some(other.name()) }
}

/// A field that does not apply to the source would silently have no effect.
fn reject_fields_of_others(fields: &Fields<'_>, kind: &SourceKind) -> Option<()> {
    let mut valid = Some(());
    for modifier in Modifier::ALL.iter().filter(|modifier| !kind.takes.contains(modifier)) {
        if let Some(field) = fields.optional(modifier.field()) {
            let sources = KeySource::fields(&|kind| kind.takes.contains(modifier));
            valid = field.error(&["only with ", &sources].concat());
        }
    }
    valid
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
