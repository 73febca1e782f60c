//! Compiles who is known: consumers, what they are known by, and their tiers.

use super::keys::key_index;
use super::limits::whole_quota;
use super::{NAME, all, name_of};
use crate::config::{Reader, Value};
use crate::identity::{Consumer, Consumers, Digest, Key, Source, Tiers};
use std::num::NonZeroU32;

const CONSUMERS: &str = "a list of consumers";
const CREDENTIALS: &str = "an object of keys, each with a list of its values or their sha256:…";

/// Everything that is known of the consumers.
#[derive(Default)]
pub(super) struct Known<'a> {
    pub list: Vec<Consumer>,
    /// Key, digest of a value, consumer: by index.
    pub credentials: Vec<(usize, Digest, usize)>,
    /// Quotas of their own.
    pub quotas: Vec<OwnQuota<'a>>,
}

impl Known<'_> {
    /// All consumers. Where a request shows two of them, the key whose name comes first in the alphabet tells: the
    /// fields of an object have no order when the policy is a `google.protobuf.Struct`.
    pub fn into_consumers(self, keys: &[Key]) -> Consumers {
        let mut order: Vec<usize> = Vec::with_capacity(keys.len());
        for (index, key) in keys.iter().enumerate() {
            let before = |other: &&usize| keys.get(**other).is_some_and(|other| other.name < key.name);
            order.insert(order.iter().filter(before).count(), index);
        }
        let of = |key: usize| self.credentials.iter().filter(move |(of, _, _)| *of == key).copied();
        Consumers::new(self.list, order.into_iter().flat_map(of))
    }
}

/// A consumer's quota for one limit.
pub(super) struct OwnQuota<'a> {
    pub consumer: usize,
    /// The field; its name is the limit's, as `policy` or `policy/limit`.
    pub at: Reader<'a>,
    pub quota: NonZeroU32,
}

impl OwnQuota<'_> {
    /// Whether it is for this limit of this policy.
    pub fn is_for(&self, policy: &str, limit: &str, is_only: bool) -> bool {
        match self.at.name().split_once('/') {
            Some(names) => names == (policy, limit),
            None => is_only && self.at.name() == policy,
        }
    }
}

/// Reads the tiers.
pub(super) fn tiers(reader: &Reader<'_>, keys: Option<&[(&str, usize)]>) -> Option<Tiers> {
    const NAMES: &str = "a list of 1 to 64 names of tiers";
    let fields = reader.object(&["names", "default", "from"])?;
    let names = fields.required("names", NAMES).and_then(|list| {
        let entries = list.list_of_some(NAMES)?;
        let names = all(entries.iter().map(|entry| name_of(entry, entry.text(NAME)?)))?;
        let once = |(index, name)| !names.iter().take(index).any(|earlier: &String| earlier == name);
        let sound = names.len() <= 64 && names.iter().enumerate().all(once);
        if sound { Some(names) } else { list.fault_found("a name twice, or too many names", NAMES) }
    });
    let from = fields.read("from", |key| key_index(key, keys));
    let names = names?;
    let default = fields.required("default", &names.join(", ")).and_then(|tier| tier_index(tier, &names));
    Some(Tiers { default: default?, from: from?, names })
}

/// Reads the name of a tier, as an index.
fn tier_index(reader: &Reader<'_>, names: &[String]) -> Option<usize> {
    let words: Vec<_> = names.iter().enumerate().map(|(index, name)| (name.as_str(), index)).collect();
    reader.word(&words)
}

/// Reads the consumers.
pub(super) fn consumers<'a>(
    reader: &Reader<'a>,
    keys: Option<&[Key]>,
    words: Option<&[(&str, usize)]>,
    tiers: Option<&Tiers>,
) -> Option<Known<'a>> {
    let mut known = Known::default();
    let mut sound = Some(());
    for (index, entry) in reader.list(CONSUMERS)?.iter().enumerate() {
        let consumer = consumer(entry, index, keys, words, tiers, &mut known);
        match consumer {
            Some(consumer) if known.list.iter().any(|other| other.name == consumer.name) => {
                sound = entry
                    .field("name")
                    .fault_found("a second consumer of that name", "each consumer's own name");
            }
            Some(consumer) => known.list.push(consumer),
            None => sound = None,
        }
    }
    sound.map(|()| known)
}

fn consumer<'a>(
    entry: &Reader<'a>,
    index: usize,
    keys: Option<&[Key]>,
    words: Option<&[(&str, usize)]>,
    tiers: Option<&Tiers>,
    known: &mut Known<'a>,
) -> Option<Consumer> {
    let fields = entry.object(&["name", "keys", "tier", "attributes", "quotas"])?;
    let name = fields.required("name", NAME).and_then(|name| name_of(name, name.text(NAME)?));
    let credentials = fields
        .required("keys", CREDENTIALS)
        .and_then(|object| credentials(object, index, keys, words, &mut known.credentials));
    let tier = fields.read("tier", |tier| match tiers {
        Some(tiers) => tier_index(tier, &tiers.names),
        None => tier.fault("no tier, as there is no object of tiers"),
    });
    let attributes = fields.read_or("attributes", Vec::new(), |object| {
        all(object.named_entries("an object of named texts")?.iter().map(attribute))
    });
    let quotas = fields.read_or("quotas", (), |object| {
        for at in object.named_entries("an object of limits, each with its quota")? {
            if let Some(quota) = whole_quota(&at) {
                known.quotas.push(OwnQuota { consumer: index, at, quota });
            }
        }
        Some(())
    });
    credentials?;
    quotas?;
    Some(Consumer { name: name?, tier: tier?, attributes: attributes? })
}

fn attribute(entry: &Reader<'_>) -> Option<(String, String)> {
    const ATTRIBUTE: &str = "a text of 1 to 256 characters";
    let name = name_of(entry, entry.name())?;
    if name == "name" {
        return entry.fault_found("an attribute called name", "another word: name is the consumer's own");
    }
    let text = entry.text(ATTRIBUTE)?;
    let sound = (1..=256).contains(&text.chars().count());
    if sound { Some((name, text.to_string())) } else { entry.fault(ATTRIBUTE) }
}

/// What a consumer is known by.
fn credentials(
    object: &Reader<'_>,
    consumer: usize,
    keys: Option<&[Key]>,
    words: Option<&[(&str, usize)]>,
    all_known: &mut Vec<(usize, Digest, usize)>,
) -> Option<()> {
    let entries = object.named_entries(CREDENTIALS)?;
    if entries.is_empty() {
        return object.fault(CREDENTIALS);
    }
    let mut sound = Some(());
    for entry in &entries {
        let named = entry.named_by(words.unwrap_or_default());
        let key = if words.is_some() { named } else { Some(0) };
        let key = key.filter(|key| keys.is_none_or(|keys| shows_credentials(entry, keys, *key)));
        let values = entry.list_of_some("a list of values, or of their sha256:…");
        for value in values.iter().flatten() {
            match (key, digest(value)) {
                (Some(key), Some(digest)) if all_known.iter().any(|(k, d, _)| (*k, *d) == (key, digest)) => {
                    sound = value.fault_found("a value that is listed before", "each value for one consumer");
                }
                (Some(key), Some(digest)) => all_known.push((key, digest, consumer)),
                (_, None) | (None, _) => sound = None,
            }
        }
        sound = sound.and(key).and(values).map(|_| ());
    }
    sound
}

/// A consumer can only be known by what a request itself has.
fn shows_credentials(entry: &Reader<'_>, keys: &[Key], key: usize) -> bool {
    let shows = keys.get(key).is_some_and(|key| match key.source {
        Source::Header { .. } | Source::Query(_) | Source::Cookie(_) | Source::Metadata(_) => true,
        Source::ClientIp { .. }
        | Source::PathParameter(_)
        | Source::Consumer(_)
        | Source::Constant(_)
        | Source::FirstOf(_) => false,
    });
    if !shows {
        entry.fault_found::<()>(
            Value::Text(entry.name().into()).to_string(),
            "a key with header, query, cookie or metadata",
        );
    }
    shows
}

/// A value by its digest. The value itself may be a secret: a fault does not show it.
fn digest(value: &Reader<'_>) -> Option<Digest> {
    const DIGEST: &str = "sha256: and 64 hexadecimal digits, or the value itself";
    let text = value.text(DIGEST)?;
    match text.strip_prefix("sha256:") {
        Some(digits) => Digest::parse(digits).or_else(|| {
            value.fault_found(format!("sha256: and {} characters", digits.chars().count()), DIGEST)
        }),
        None if text.is_empty() => value.fault_found("an empty text", DIGEST),
        None => Some(Digest::of(text.as_bytes())),
    }
}
