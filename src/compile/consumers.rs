//! Compiles the consumers: known callers, their credentials, tiers, attributes and quotas.

use super::address_ranges::OwnedRanges;
use super::keys::key_index;
use super::limits::one_quota;
use super::tiers::{DeclaredTiers, tier_index};
use crate::config::{ListsByName, Names, Reader, Vocabulary, all};
use crate::language::{configuration, consumer, forms};
use crate::rules::{Consumer, Consumers, Digest, Key, KeySource, Quota, SourceKind};

const CONSUMER: &str = "an object with name, keys, tier, attributes, quotas";
const VALUES: &str = "a list of at least one value or sha256:… digest";

/// The consumers, and what belongs to them until the policies are compiled.
#[derive(Default)]
pub(super) struct KnownConsumers<'a> {
    pub list: Vec<Consumer>,
    /// Index of the key, digest of the value, index of the consumer.
    credentials: Vec<(usize, Digest, usize)>,
    /// The addresses that consumers are known by.
    addresses: OwnedRanges,
    /// The keys, by index, under which ranges are listed.
    range_keys: Vec<usize>,
    /// The quotas that consumers have of their own.
    pub quotas: Vec<ConsumerQuota<'a>>,
    /// By the name of a policy: indexes of the quotas that name it.
    quotas_by_policy: ListsByName,
    /// The digests listed so far, by the name of their key.
    digests: Names,
}

impl<'a> KnownConsumers<'a> {
    /// The quotas that name this policy, in the order of the consumers.
    pub fn quotas_of(&self, policy: &str) -> Vec<&ConsumerQuota<'a>> {
        self.quotas_by_policy.of(policy).iter().filter_map(|index| self.quotas.get(*index)).collect()
    }

    fn add_quota(&mut self, quota: ConsumerQuota<'a>) {
        let name = quota.at.name();
        let policy = name.split_once('/').map_or(name, |(policy, _)| policy);
        self.quotas_by_policy.add(policy, self.quotas.len());
        self.quotas.push(quota);
    }

    /// The consumers for the engine. If a request has the credentials of two of them, the key whose name
    /// comes first in the alphabet decides: the fields of an object have no order in a
    /// `google.protobuf.Struct`.
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
        Consumers::new(self.list, credentials).by_address(self.range_keys, self.addresses.ranges)
    }
}

/// A consumer's own quota for one limit.
pub(super) struct ConsumerQuota<'a> {
    /// Index of the consumer.
    pub consumer: usize,
    /// The field, whose name refers to the limit: `policy/limit`, or `policy` if that has only one.
    pub at: Reader<'a>,
    pub quota: Quota,
}

impl ConsumerQuota<'_> {
    /// Whether it refers to this limit of this policy.
    pub fn is_for(&self, policy: &str, limit: &str, is_only: bool) -> bool {
        match self.at.name().split_once('/') {
            Some(names) => names == (policy, limit),
            None => is_only && self.at.name() == policy,
        }
    }
}

/// What a consumer may refer to. Keys that could not be read are `None`.
#[derive(Clone, Copy)]
pub(super) struct ConsumerContext<'a> {
    pub keys: Option<&'a [Key]>,
    pub key_names: Option<&'a Vocabulary<'a>>,
    pub tiers: DeclaredTiers<'a>,
}

/// Reads the list `consumers`.
#[inline(never)]
pub(super) fn consumers<'a>(reader: &Reader<'a>, context: ConsumerContext<'_>) -> Option<KnownConsumers<'a>> {
    let mut known = KnownConsumers::default();
    let (mut valid, mut names) = (Some(()), Names::default());
    // A value in the wrong place may be a credential: it is not shown.
    if !reader.is_list() {
        return reader.error_found("not a list", configuration::CONSUMERS.kind.allowed);
    }
    for (index, entry) in reader.entries().iter().enumerate() {
        match read_consumer(entry, index, context, &mut known) {
            Some(consumer) if names.add("", consumer.name.as_bytes()).is_some() => {
                valid = entry
                    .field("name")
                    .error_found("a second consumer of the same name", "a different name for each consumer");
            }
            Some(consumer) => known.list.push(consumer),
            None => valid = None,
        }
    }
    valid.map(|()| known)
}

#[inline(never)]
fn read_consumer<'a>(
    entry: &Reader<'a>,
    index: usize,
    context: ConsumerContext<'_>,
    known: &mut KnownConsumers<'a>,
) -> Option<Consumer> {
    if !entry.is_object() {
        return entry.error_found("not an object", CONSUMER);
    }
    let fields = entry.fields(&consumer::OBJECT)?;
    let name = fields.get(&consumer::NAME);
    let credentials =
        fields.needed(&consumer::KEYS).and_then(|object| credentials(object, index, context, known));
    let tier = fields.get_optional_with(&consumer::TIER, |tier| match context.tiers {
        DeclaredTiers::Valid(tiers) => tier_index(tier, &tiers.names),
        DeclaredTiers::None => tier.error("no tier, because the configuration has no tiers"),
        DeclaredTiers::Invalid => tier.text(consumer::TIER.kind.allowed).map(|_| 0),
    });
    let attributes = fields.get_optional_with(&consumer::ATTRIBUTES, |object| {
        all(object.named_entries(consumer::ATTRIBUTES.kind.allowed)?.iter().map(attribute))
    });
    let quotas = fields.get_optional_with(&consumer::QUOTAS, |object| {
        for at in object.named_entries(consumer::QUOTAS.kind.allowed)? {
            if let Some(quota) = one_quota(&at) {
                known.add_quota(ConsumerQuota { consumer: index, at, quota });
            }
        }
        Some(())
    });
    credentials?;
    quotas?;
    Some(Consumer { name: name?, tier: tier?, attributes: attributes?.unwrap_or_default() })
}

/// Reads the key that names callers which are no consumer. Its values are shown, so they must be neither
/// credentials nor what a client has made up.
pub(super) fn consumer_name(at: &Reader<'_>, context: ConsumerContext<'_>) -> Option<usize> {
    let index = key_index(at, context.key_names)?;
    let shown = |kind: &SourceKind| kind.vouched && kind.identifies_consumers;
    let Some(keys) = context.keys else { return Some(index) };
    let is_shown = |index: &usize| keys.get(*index).is_some_and(|key| shown(key.source.kind()));
    if !Key::origins(keys, &index).iter().all(is_shown) {
        let sources = KeySource::fields(&shown);
        return at.error(&["a key with ", &sources, ", or with first_of of such keys"].concat());
    }
    Some(index)
}

fn attribute(entry: &Reader<'_>) -> Option<(String, String)> {
    let name = entry.read_name(&forms::NAME)?;
    if name == "name" {
        return entry
            .error_found("an attribute called name", "another name, since name is the consumer's own");
    }
    Some((name, entry.read(&forms::TEXT)?))
}

/// Reads the credentials that a consumer is known by, and adds them to `known`.
fn credentials(
    object: &Reader<'_>,
    consumer: usize,
    context: ConsumerContext<'_>,
    known: &mut KnownConsumers<'_>,
) -> Option<()> {
    // A value in the wrong place may be a secret, so errors must not show it.
    if !object.is_object() {
        return object.error_found("a value that is not an object", consumer::KEYS.kind.allowed);
    }
    let entries = object.named_entries(consumer::KEYS.kind.allowed)?;
    if entries.is_empty() {
        return object.error(consumer::KEYS.kind.allowed);
    }
    let mut valid = Some(());
    for entry in &entries {
        // If the keys have errors, an unknown key here may be a consequence of them: only they are reported.
        let key = context.key_names.map(|names| {
            let key = entry.name_in(names)?;
            context.keys.is_none_or(|keys| can_be_credential(entry, keys, key)).then_some(key)
        });
        if let Some(key) = key.flatten().filter(|key| is_known_by_range(context, *key)) {
            valid = valid.and(known.addresses.add(entry, consumer, "each range for one consumer only"));
            if !known.range_keys.contains(&key) {
                known.range_keys.push(key);
            }
            continue;
        }
        let values = if entry.is_list() {
            entry.non_empty_list(VALUES)
        } else {
            entry.error_found("a value that is not a list", VALUES)
        };
        for value in values.iter().flatten() {
            match (key, digest(value)) {
                (Some(Some(_)), Some(digest))
                    if known.digests.add(entry.name(), digest.bytes()).is_some() =>
                {
                    valid = value
                        .error_found("a value that is already listed", "each value for one consumer only");
                }
                (Some(Some(key)), Some(digest)) => known.credentials.push((key, digest, consumer)),
                (None, Some(_)) => {}
                (Some(None), _) | (_, None) => valid = None,
            }
        }
        valid = valid.and(values).filter(|_| key != Some(None)).map(|_| ());
    }
    valid
}

fn is_known_by_range(context: ConsumerContext<'_>, key: usize) -> bool {
    let key = context.keys.and_then(|keys| keys.get(key));
    key.is_some_and(|key| key.source.kind().identifies_by_range)
}

/// A consumer can only be known by what the request itself contains.
fn can_be_credential(entry: &Reader<'_>, keys: &[Key], key: usize) -> bool {
    let identifies = |kind: &SourceKind| kind.identifies_consumers || kind.identifies_by_range;
    let in_request = keys.get(key).is_some_and(|key| identifies(key.source.kind()));
    if !in_request {
        let sources = KeySource::fields(&identifies);
        entry.error_name::<()>(entry.name(), &["a key with ", &sources].concat());
    }
    in_request
}

/// The SHA-256 of a value, which is written as that or in clear text. Since it may be a secret, no error
/// shows it.
fn digest(value: &Reader<'_>) -> Option<Digest> {
    const DIGEST: &str = forms::SECRET.allowed;
    if !value.is_text() {
        return value.error_found("a value that is not text", DIGEST);
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
