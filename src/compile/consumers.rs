//! Compiles who is known: consumers, what they are known by, and their tiers.

use super::keys::key_index;
use super::{NAME, all, name_of, whole_quota};
use crate::config::{Lists, Names, Reader, Vocabulary};
use crate::rules::{Consumer, Consumers, Digest, Key, KeySource, Tiers};
use std::num::NonZeroU32;

const CONSUMERS: &str = "a list of consumers";
const CREDENTIALS: &str = "an object of keys, each with a list of its values or their sha256:…";
const VALUES: &str = "a list of at least one value, or sha256:… of it";

/// Everything that is known of the consumers.
#[derive(Default)]
pub(super) struct Known<'a> {
    pub list: Vec<Consumer>,
    /// Key, digest of a value, consumer: by index.
    pub credentials: Vec<(usize, Digest, usize)>,
    /// Quotas of their own.
    pub quotas: Vec<OwnQuota<'a>>,
    /// Indexes of those that name each policy.
    of_policies: Lists,
    /// What is listed before, by the names of keys.
    digests: Names,
}

impl<'a> Known<'a> {
    /// The quotas of their own that consumers have for limits of this policy, in the order of the consumers.
    pub fn quotas_of(&self, policy: &str) -> Vec<&OwnQuota<'a>> {
        self.of_policies.of(policy).iter().filter_map(|index| self.quotas.get(*index)).collect()
    }

    fn add_quota(&mut self, own: OwnQuota<'a>) {
        let policy = own.at.name().split_once('/').map_or(own.at.name(), |(policy, _)| policy);
        self.of_policies.add(policy, self.quotas.len());
        self.quotas.push(own);
    }

    /// All consumers. Where a request shows two of them, the key whose name comes first in the alphabet tells: the
    /// fields of an object have no order when the policy is a `google.protobuf.Struct`.
    pub fn into_consumers(self, keys: &[Key]) -> Consumers {
        let mut used = vec![false; keys.len()];
        for (key, _, _) in &self.credentials {
            used.get_mut(*key).into_iter().for_each(|used| *used = true);
        }
        let mut order: Vec<usize> = Vec::new();
        for (index, (key, _)) in keys.iter().zip(used).enumerate().filter(|(_, (_, used))| *used) {
            let before = |other: &&usize| keys.get(**other).is_some_and(|other| other.name < key.name);
            order.insert(order.iter().filter(before).count(), index);
        }
        let mut credentials = Vec::with_capacity(self.credentials.len());
        for key in order {
            credentials.extend(self.credentials.iter().filter(|(of, _, _)| *of == key).copied());
        }
        Consumers::new(self.list, credentials)
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

/// What is known of the tiers.
#[derive(Clone, Copy)]
pub(super) enum TierNames<'a> {
    /// There are none.
    None,
    /// There are these.
    Tiers(&'a Tiers),
    /// They have errors of their own, so what depends on them can't be told.
    Invalid,
}

impl<'a> TierNames<'a> {
    /// As they have been read.
    pub fn of(tiers: Option<&'a Option<Tiers>>) -> TierNames<'a> {
        match tiers {
            None => TierNames::Invalid,
            Some(None) => TierNames::None,
            Some(Some(tiers)) => TierNames::Tiers(tiers),
        }
    }

    /// The tiers, as far as there are any.
    #[inline(never)]
    pub fn tiers(self) -> Option<&'a Tiers> {
        match self {
            TierNames::Tiers(tiers) => Some(tiers),
            TierNames::None | TierNames::Invalid => None,
        }
    }
}

/// Reads the tiers.
pub(super) fn tiers(
    reader: &Reader<'_>,
    keys: Option<&[Key]>,
    words: Option<&Vocabulary<'_>>,
) -> Option<Tiers> {
    let fields = reader.object(&["names", "default", "from"])?;
    let names = fields.required("names", NAMES).and_then(tier_names);
    let from = fields.read("from", |at| {
        let index = key_index(at, words)?;
        let key = keys.and_then(|keys| keys.get(index));
        let of_paths = key.is_some_and(|key| matches!(key.source, KeySource::PathParameter(_)));
        if of_paths { at.error("a key without path: a tier is the same on all paths") } else { Some(index) }
    });
    let names = names?;
    let default = fields.required("default", &names.join(", ")).and_then(|tier| tier_index(tier, &names));
    Some(Tiers { default: default?, from: from?, names })
}

const NAMES: &str = "a list of 1 to 64 names of tiers";

#[inline(never)]
fn tier_names(list: &Reader<'_>) -> Option<Vec<String>> {
    let entries = list.list_of_some(NAMES)?;
    let names = all(entries.iter().map(|entry| name_of(entry, entry.text(NAME)?)))?;
    let mut sound = Some(());
    for (index, entry) in entries.iter().enumerate() {
        if names.iter().take(index).any(|earlier| entry.is_word(earlier)) {
            sound = entry.error_found("a second tier of that name", "each tier's own name");
        }
    }
    if names.len() > 64 {
        return list.error(NAMES);
    }
    sound.map(|()| names)
}

/// Reads the name of a tier, as an index.
fn tier_index(reader: &Reader<'_>, names: &[String]) -> Option<usize> {
    let words: Vec<_> = names.iter().enumerate().map(|(index, name)| (name.as_str(), index)).collect();
    reader.word(&words)
}

/// Reads the consumers.
#[inline(never)]
pub(super) fn consumers<'a>(
    reader: &Reader<'a>,
    keys: Option<&[Key]>,
    words: Option<&Vocabulary<'_>>,
    grades: TierNames<'_>,
) -> Option<Known<'a>> {
    let mut known = Known::default();
    let (mut sound, mut names) = (Some(()), Names::default());
    for (index, entry) in reader.list(CONSUMERS)?.iter().enumerate() {
        let consumer = consumer(entry, index, keys, words, grades, &mut known);
        match consumer {
            Some(consumer) if names.add("", consumer.name.as_bytes()).is_some() => {
                sound = entry
                    .field("name")
                    .error_found("a second consumer of that name", "each consumer's own name");
            }
            Some(consumer) => known.list.push(consumer),
            None => sound = None,
        }
    }
    sound.map(|()| known)
}

#[inline(never)]
fn consumer<'a>(
    entry: &Reader<'a>,
    index: usize,
    keys: Option<&[Key]>,
    words: Option<&Vocabulary<'_>>,
    grades: TierNames<'_>,
    known: &mut Known<'a>,
) -> Option<Consumer> {
    let fields = entry.object(&["name", "keys", "tier", "attributes", "quotas"])?;
    let name = fields.required("name", NAME).and_then(|name| name_of(name, name.text(NAME)?));
    let credentials = fields
        .required("keys", CREDENTIALS)
        .and_then(|object| credentials(object, index, keys, words, known));
    let tier = fields.read("tier", |tier| match grades {
        TierNames::Tiers(tiers) => tier_index(tier, &tiers.names),
        TierNames::None => tier.error("no tier, as there is no object of tiers"),
        TierNames::Invalid => tier.text("the name of a tier").map(|_| 0),
    });
    let attributes = fields.read_or("attributes", Vec::new(), |object| {
        all(object.named_entries("an object of named texts")?.iter().map(attribute))
    });
    let quotas = fields.read_or("quotas", (), |object| {
        for at in object.named_entries("an object of limits, each with its quota")? {
            if let Some(quota) = whole_quota(&at) {
                known.add_quota(OwnQuota { consumer: index, at, quota });
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
        return entry.error_found("an attribute called name", "another word: name is the consumer's own");
    }
    let text = entry.text(ATTRIBUTE)?;
    let sound = (1..=256).contains(&text.chars().count());
    if sound { Some((name, text.to_string())) } else { entry.error(ATTRIBUTE) }
}

/// What a consumer is known by.
#[inline(never)]
fn credentials(
    object: &Reader<'_>,
    consumer: usize,
    keys: Option<&[Key]>,
    words: Option<&Vocabulary<'_>>,
    known: &mut Known<'_>,
) -> Option<()> {
    // What stands at the wrong place may be a secret, too.
    if !object.is_object() {
        return object.error_found("no object", CREDENTIALS);
    }
    let entries = object.named_entries(CREDENTIALS)?;
    if entries.is_empty() {
        return object.error(CREDENTIALS);
    }
    let mut sound = Some(());
    for entry in &entries {
        // Without any keys every name would be a error, and the one that matters is already told.
        let key = words.map(|words| {
            let key = entry.name_in(words)?;
            keys.is_none_or(|keys| shows_credentials(entry, keys, key)).then_some(key)
        });
        let values =
            if entry.is_list() { entry.list_of_some(VALUES) } else { entry.error_found("no list", VALUES) };
        for value in values.iter().flatten() {
            match (key, digest(value)) {
                (Some(Some(_)), Some(digest))
                    if known.digests.add(entry.name(), digest.bytes()).is_some() =>
                {
                    sound = value.error_found("a value that is listed before", "each value for one consumer");
                }
                (Some(Some(key)), Some(digest)) => known.credentials.push((key, digest, consumer)),
                (None, Some(_)) => {}
                (Some(None), _) | (_, None) => sound = None,
            }
        }
        sound = sound.and(values).filter(|_| key != Some(None)).map(|_| ());
    }
    sound
}

/// A consumer can only be known by what a request itself has.
fn shows_credentials(entry: &Reader<'_>, keys: &[Key], key: usize) -> bool {
    let shows = keys.get(key).is_some_and(|key| match key.source {
        KeySource::Header { .. } | KeySource::Query(_) | KeySource::Cookie(_) | KeySource::Metadata(_) => {
            true
        }
        KeySource::ClientIp { .. }
        | KeySource::PathParameter(_)
        | KeySource::Consumer(_)
        | KeySource::Constant(_)
        | KeySource::FirstOf(_) => false,
    });
    if !shows {
        entry.error_name::<()>(entry.name(), "a key with header, query, cookie or metadata");
    }
    shows
}

/// A value by its digest. The value itself may be a secret: a error does not show it.
fn digest(value: &Reader<'_>) -> Option<Digest> {
    const DIGEST: &str = "a text: sha256: and 64 hexadecimal digits, or the value itself";
    if !value.is_text() {
        return value.error_found("no text", DIGEST);
    }
    let text = value.text(DIGEST)?;
    match text.strip_prefix("sha256:") {
        Some(digits) => Digest::parse(digits).or_else(|| {
            value.error_found(&format!("sha256: and {} characters", digits.chars().count()), DIGEST)
        }),
        None if text.is_empty() => value.error_found("an empty text", DIGEST),
        None => Some(Digest::of(text.as_bytes())),
    }
}
