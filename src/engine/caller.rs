//! The caller of one request: its keys' values, its consumer and its tier. Each is read when it is first
//! needed, and then kept.

mod facts;
mod forgiven;

pub use forgiven::ForgivenCaller;

use crate::http::{Elements, Request, RequestCache};
use crate::identity::{Encoder, Identity, Seed, Seeds};
use crate::identity_map::IdentityMap;
use crate::rules::{
    CallerKeys, Callers, Consumers, Digest, Forgive, Key, KeyNumber, KeyValue, Part, RequestMatch, Tiers,
};
use facts::{KeyFacts, PresentedFacts};
use forgiven::ForgivenIdentities;
use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};

/// The consumers that this worker has recognised, by a keyed hash of key and credential: a SHA-256 digest
/// costs ten times as much. The cache has at most one entry for each credential of the configuration, because
/// unknown credentials are not added.
#[derive(Default)]
pub struct ConsumerCache(RefCell<IdentityMap<usize>>);

impl ConsumerCache {
    /// The consumer, by index, who owns this credential under this key.
    fn consumer(&self, consumers: &Consumers, key: usize, credential: &[u8], seed: &Seed) -> Option<usize> {
        let mut encoder = Encoder::new(seed);
        encoder.add("", &key.to_le_bytes());
        encoder.add("", credential);
        let hash = encoder.finish();
        let mut cache = self.0.borrow_mut();
        if let Some(consumer) = cache.get(hash) {
            return Some(*consumer);
        }
        let consumer = consumers.find(key, &Digest::of(credential))?;
        if let Some(entry) = cache.open(hash, usize::MAX) {
            *entry = consumer;
        }
        Some(consumer)
    }
}

/// The caller of one request.
pub struct Caller<'a, R> {
    request: &'a RequestCache<'a, R>,
    callers: &'a Callers,
    cache: &'a ConsumerCache,
    seeds: &'a Seeds,
    /// By key.
    credentials: Vec<OnceCell<Option<PresentedCredential<'a>>>>,
    consumer: OnceCell<Option<usize>>,
    tier: OnceCell<usize>,
    /// The keys, by index, whose credentials the upstream has rejected.
    rejected: &'a [usize],
    /// The keys, by index, whose values cannot tell callers apart.
    unreadable: RefCell<Vec<usize>>,
    forgiven: ForgivenIdentities,
}

/// A credential that the request presents.
struct PresentedCredential<'a> {
    /// Empty if the request presents conflicting values. `None`: it is a list that cannot tell callers apart.
    value: Option<Cow<'a, [u8]>>,
    /// The elements of a list.
    elements: Option<Elements>,
    /// Whether the request presents several different values, so that none of them counts.
    conflicting: bool,
    /// The consumer who owns it, by index.
    owner: OnceCell<Option<usize>>,
}

impl<'a, R: Request> Caller<'a, R> {
    /// The caller of `request`, of which nothing has been read yet. The keys `rejected`, by index, are
    /// treated as absent.
    #[inline]
    pub fn new(
        request: &'a RequestCache<'a, R>,
        callers: &'a Callers,
        cache: &'a ConsumerCache,
        seeds: &'a Seeds,
        rejected: &'a [usize],
    ) -> Self {
        let credentials = callers.keys.iter().map(|_| OnceCell::new()).collect();
        Caller {
            request,
            callers,
            cache,
            seeds,
            credentials,
            consumer: OnceCell::new(),
            tier: OnceCell::new(),
            rejected,
            unreadable: RefCell::default(),
            forgiven: ForgivenIdentities::default(),
        }
    }

    /// The caller's request.
    pub fn request(&self) -> &'a RequestCache<'a, R> {
        self.request
    }

    /// The keys, by index, that were asked for and whose values cannot tell callers apart, so that they count
    /// as absent.
    pub fn unreadable(&self) -> Vec<usize> {
        self.unreadable.take()
    }

    /// The identities that were asked for and are forgiven something, with the entries for them.
    pub fn forgiven(&self) -> Vec<ForgivenCaller> {
        self.forgiven.take()
    }

    /// The identity that these keys, by index, give the caller. `None`: the request lacks one of them.
    /// `rule` is the match that the request fits, if the policy has matches. A policy with a record of its own passes that
    /// record's name, which makes it another identity.
    pub fn identity(
        &self,
        keys: &[usize],
        rule: Option<&RequestMatch>,
        record: Option<&str>,
    ) -> Option<Identity> {
        self.identity_by(&self.seeds.table, keys, rule, record)
    }

    /// The same for the fleet, or for this proxy as long as the worker has not joined the fleet.
    pub fn fleet_identity(
        &self,
        keys: &[usize],
        rule: Option<&RequestMatch>,
        record: Option<&str>,
    ) -> Option<Identity> {
        self.identity_by(self.seeds.fleet.as_ref().unwrap_or(&self.seeds.table), keys, rule, record)
    }

    fn identity_by(
        &self,
        seed: &Seed,
        keys: &[usize],
        rule: Option<&RequestMatch>,
        record: Option<&str>,
    ) -> Option<Identity> {
        let mut encoder = Encoder::new(seed);
        if let Some(record) = record {
            // A key's kind is never empty, so this cannot be mistaken for a key's value.
            encoder.add("", record.as_bytes());
        }
        let mut proven = true;
        for key in keys {
            let (key, value) = self.value(*key, rule)?;
            encoder.add(&key.kind, &value);
            proven &= key.proven && !key.source.is_cheap(&value);
        }
        let identity = encoder.finish().known(proven);
        if let Some(forgive) = &self.callers.forgive {
            self.note_forgiven(forgive, identity, keys, rule);
        }
        Some(identity)
    }

    #[cold]
    fn note_forgiven(
        &self,
        forgive: &Forgive,
        identity: Identity,
        keys: &[usize],
        rule: Option<&RequestMatch>,
    ) {
        let sources = keys.iter().filter_map(|key| self.source_of(*key, rule));
        let values = sources.filter(|key| forgive.has(*key)).filter_map(|index| {
            let key = self.callers.keys.get(index)?;
            Some((index, self.own_value(index, key, rule)?))
        });
        self.forgiven.note(forgive, identity, values);
    }

    /// A key's value, and the key it comes from: the key itself, or the first of its alternatives that the
    /// request has.
    pub fn value(&self, index: usize, rule: Option<&RequestMatch>) -> Option<(&'a Key, Cow<'_, [u8]>)> {
        let key = self.callers.keys.get(index)?;
        match key.source.alternatives() {
            [] => Some((key, shortened(self.own_value(index, key, rule)?, key.prefix))),
            alternatives => alternatives.iter().find_map(|key| self.value(*key, rule)),
        }
    }

    /// The whole value of a key without alternatives.
    #[inline]
    fn own_value(&self, index: usize, key: &'a Key, rule: Option<&RequestMatch>) -> Option<Cow<'_, [u8]>> {
        key.source.value(key, &KeyFacts { caller: self, key: index, rule })
    }

    /// The number that a key's value is.
    pub fn number(&self, index: usize, rule: Option<&RequestMatch>) -> KeyNumber {
        if self.is_ambiguous(&[index], rule) {
            return KeyNumber::Conflicting;
        }
        match self.value(index, rule) {
            Some((key, value)) if self.has_more(key, &value) => KeyNumber::Conflicting,
            Some((_, value)) => KeyNumber::of(&value),
            None => {
                let mut keys = self.callers.origins(index);
                if keys.any(|key| self.has_more(key, &[])) {
                    KeyNumber::Conflicting
                } else {
                    KeyNumber::Absent
                }
            }
        }
    }

    /// Whether a header has more than the value that its key reads, so that a server may read another number.
    /// Envoy itself sees to it that a request has one length.
    fn has_more(&self, key: &Key, value: &[u8]) -> bool {
        let may_be = key.part == Part::Usual && key.source.joins_lines() && !key.is_vouched_for();
        let name = key.source.header().filter(|name| may_be && *name != "content-length");
        let Some(lines) = name.and_then(|name| self.request.uncached().lines(name)) else { return false };
        // What `after` and `before` cut off is part of the value that the key reads.
        let is_cut = key.cut.is_some() && !value.is_empty();
        let whole = is_cut.then(|| key.uncut(self.request)).flatten();
        let read = match &whole {
            Some(KeyValue::One(whole)) => whole,
            Some(KeyValue::List(_) | KeyValue::Conflicting | KeyValue::Unreadable) | None => value,
        };
        lines.trim_ascii() != read.trim_ascii()
    }

    /// Whether the request presents conflicting values for any of these keys (A7). A client must not be able
    /// to choose which one counts, so every policy that counts by such a key rejects the request.
    pub fn is_ambiguous(&self, keys: &[usize], rule: Option<&RequestMatch>) -> bool {
        keys.iter().any(|index| {
            let Some(key) = self.callers.keys.get(*index) else { return false };
            match key.source.alternatives() {
                [] if key.source.kind().of_consumer => self.hides_the_consumer(),
                [] => self.is_conflicting(*index),
                alternatives => {
                    let first = alternatives.iter().find(|key| self.value(**key, rule).is_some());
                    first.is_some_and(|key| self.is_ambiguous(&[*key], rule))
                }
            }
        })
    }

    fn is_conflicting(&self, key: usize) -> bool {
        self.callers.keys.get(key).is_some_and(Key::can_be_ambiguous)
            && self.presented(key).is_some_and(|presented| presented.conflicting)
    }

    /// Whether the request presents conflicting values for a key that identifies consumers.
    fn hides_the_consumer(&self) -> bool {
        self.callers.consumers.keys().any(|key| self.is_conflicting(key))
    }

    /// The key, by index, that this key's value comes from: the key itself, or the first of its alternatives
    /// that the request has.
    pub fn source_of(&self, key: usize, rule: Option<&RequestMatch>) -> Option<usize> {
        let mut origins = Key::origins(&self.callers.keys, &key).iter().copied();
        origins.find(|key| self.value(*key, rule).is_some())
    }

    /// The consumer, by index. `None`: it is not a known one.
    pub fn consumer(&self) -> Option<usize> {
        *self.consumer.get_or_init(|| {
            let mut keys = self.callers.consumers.keys();
            keys.find_map(|key| self.owner(key, self.presented(key)?)).or_else(|| self.owner_of_address())
        })
    }

    /// Whether the request's credential of this key, by index, is that of a consumer.
    pub fn is_listed(&self, key: usize) -> bool {
        self.presented(key).is_some_and(|presented| self.owner(key, presented).is_some())
    }

    /// The consumer, by index, to whom the client's address belongs. Credentials say more, so they come first.
    fn owner_of_address(&self) -> Option<usize> {
        let consumers = Some(&self.callers.consumers).filter(|consumers| consumers.have_addresses())?;
        consumers.of_address(self.request.client_ip().octets()?)
    }

    /// The tier, by index: the consumer's own, else the one that `from` names, else that of the address, else the
    /// default. 0 if there are no tiers.
    pub fn tier(&self) -> usize {
        *self.tier.get_or_init(|| self.callers.tiers.as_ref().map_or(0, |tiers| self.tier_of(tiers)))
    }

    fn tier_of(&self, tiers: &Tiers) -> usize {
        let consumer = self.consumer().and_then(|consumer| self.callers.consumers.list().get(consumer));
        // Of a list, the first of the tiers that is in it.
        let named = || {
            let values = self.values(tiers.from?)?;
            tiers.names.iter().position(|name| values.any(|value| value == name.as_bytes()))
        };
        let of_address = || tiers.by_address.as_ref()?.get(self.request.client_ip().octets()?);
        let own = consumer.and_then(|consumer| consumer.tier);
        own.or_else(named).or_else(of_address).unwrap_or(tiers.default)
    }

    /// A key's value, or all of them if it is a list.
    fn values(&self, index: usize) -> Option<Values<'_>> {
        Key::origins(&self.callers.keys, &index).iter().find_map(|key| {
            match self.presented(*key).and_then(|presented| presented.elements.as_ref()) {
                Some(elements) => Some(Values::List(elements)),
                None => self.value(*key, None).map(|(_, value)| Values::One(value)),
            }
        })
    }

    /// Whether the request matches, keys included.
    pub fn matches(&self, rule: &RequestMatch) -> bool {
        rule.matches(self.request) && rule.matches_caller(self)
    }

    /// The keys, by index, whose credentials the upstream's response may reject, each with the credential's
    /// record.
    pub fn rejectable_credentials(&self) -> Vec<(usize, Identity)> {
        let keys = self.callers.keys.iter().enumerate();
        let rejectable = keys.filter(|(_, key)| key.can_be_rejected());
        let record = |(index, key): (usize, &Key)| {
            // The whole value, so that credentials with the same prefix are rejected one by one.
            let mut encoder = Encoder::new(&self.seeds.table);
            encoder.add(&key.kind, self.credential(index).filter(|value| !value.is_empty())?);
            Some((index, encoder.finish()))
        };
        rejectable.filter_map(record).collect()
    }

    /// Looks up consumer and tier, for replies and access logs that name them.
    pub fn resolve(&self) {
        if self.callers.tiers.is_some() {
            self.tier();
        }
        self.consumer();
    }

    /// Consumer and tier, by index, as far as they have been looked up.
    pub fn resolved(&self) -> (Option<usize>, Option<usize>) {
        (self.consumer.get().copied().flatten(), self.tier.get().copied())
    }

    /// What names the caller, if it is no consumer: this key's value, as far as it can be shown.
    pub fn unlisted_name(&self, key: usize) -> Option<Box<str>> {
        if self.consumer().is_some() {
            return None;
        }
        let (_, value) = self.value(key, None)?;
        Some(shown(&value).into_boxed_str()).filter(|name| !name.is_empty())
    }

    /// The whole value of a key that is read from the request itself, if it is valid.
    fn credential(&self, index: usize) -> Option<&[u8]> {
        self.presented(index)?.value.as_deref()
    }

    #[cold]
    fn note_unreadable(&self, index: usize) {
        let mut unreadable = self.unreadable.borrow_mut();
        if !unreadable.contains(&index) {
            unreadable.push(index);
        }
    }

    fn presented(&self, index: usize) -> Option<&PresentedCredential<'a>> {
        let read = || {
            let key = self.callers.keys.get(index)?;
            let is_clients = key.can_be_ambiguous();
            let (value, elements, conflicting) = match key.read(self.request)? {
                KeyValue::One(value) => (Some(value), None, false),
                KeyValue::List(list) => match list.reading() {
                    // Whoever wrote the list must not escape by its length.
                    None if is_clients => (Some(Cow::Borrowed(&[][..])), Some(list), true),
                    reading => (reading.map(Cow::Owned), Some(list), false),
                },
                KeyValue::Conflicting => (Some(Cow::Borrowed(&[][..])), None, true),
                KeyValue::Unreadable => {
                    self.note_unreadable(index);
                    return None;
                }
            };
            let owner = if conflicting { OnceCell::from(None) } else { OnceCell::new() };
            let presented = PresentedCredential { value, elements, conflicting, owner };
            // One of several conflicting values may be valid, so they do not count as absent.
            let facts = || PresentedFacts { caller: self, key: index, presented: &presented };
            (conflicting || key.validity.holds(&facts())).then_some(presented)
        };
        self.credentials.get(index)?.get_or_init(read).as_ref()
    }

    /// The consumer, by index, who owns a credential under this key.
    fn owner(&self, key: usize, presented: &PresentedCredential<'_>) -> Option<usize> {
        let find = || {
            let credential = presented.value.as_deref()?;
            self.cache.consumer(&self.callers.consumers, key, credential, &self.seeds.table)
        };
        *presented.owner.get_or_init(find)
    }
}

/// The first bytes of a value, if only these count.
fn shortened(value: Cow<'_, [u8]>, prefix: Option<usize>) -> Cow<'_, [u8]> {
    match (value, prefix) {
        (value, None) => value,
        (Cow::Borrowed(whole), Some(prefix)) => Cow::Borrowed(whole.get(..prefix).unwrap_or(whole)),
        (Cow::Owned(mut whole), Some(prefix)) => {
            whole.truncate(prefix);
            Cow::Owned(whole)
        }
    }
}

/// A value as a word that needs neither quotes nor escapes.
fn shown(value: &[u8]) -> String {
    const MAX_BYTES: usize = 64;
    let safe = |byte: &u8| match byte {
        b'"' | b'\\' => '_',
        0x21..=0x7E => char::from(*byte),
        _ => '_',
    };
    value.iter().take(MAX_BYTES).map(safe).collect()
}

impl<R: Request> CallerKeys for Caller<'_, R> {
    fn is_ambiguous(&self, key: usize) -> bool {
        Caller::is_ambiguous(self, &[key], None)
    }

    fn any_value(&self, key: usize, fits: impl Fn(&[u8]) -> bool) -> Option<bool> {
        self.values(key).map(|values| values.any(fits))
    }
}

/// The values that a key has.
enum Values<'c> {
    One(Cow<'c, [u8]>),
    List(&'c Elements),
}

impl Values<'_> {
    fn any(&self, fits: impl Fn(&[u8]) -> bool) -> bool {
        match self {
            Values::One(value) => fits(value),
            Values::List(list) => list.iter().any(fits),
        }
    }
}

#[cfg(test)]
mod tests;
