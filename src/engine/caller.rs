//! The caller of one request: its keys' values, its consumer and its tier. Each is read when it is first
//! needed, and then kept.

use super::key_value::{KeyValue, path_parameter, read};
use crate::http::{Elements, PathTemplate, Request, RequestCache, RequestMatch, ValueMatch};
use crate::identity::{Encoder, Identity, Seed};
use crate::identity_map::IdentityMap;
use crate::rules::{Callers, Consumers, Digest, Key, KeySource, Tiers, Validity};
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
    seed: &'a Seed,
    /// By key.
    credentials: Vec<OnceCell<Option<PresentedCredential<'a>>>>,
    consumer: OnceCell<Option<usize>>,
    tier: OnceCell<usize>,
    /// The keys, by index, whose credentials the upstream has rejected.
    rejected: &'a [usize],
    /// The keys, by index, whose values cannot tell callers apart.
    unreadable: RefCell<Vec<usize>>,
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
        seed: &'a Seed,
        rejected: &'a [usize],
    ) -> Self {
        let credentials = callers.keys.iter().map(|_| OnceCell::new()).collect();
        Caller {
            request,
            callers,
            cache,
            seed,
            credentials,
            consumer: OnceCell::new(),
            tier: OnceCell::new(),
            rejected,
            unreadable: RefCell::default(),
        }
    }

    /// The request that the caller sent.
    pub fn request(&self) -> &'a RequestCache<'a, R> {
        self.request
    }

    /// The keys, by index, that were asked for and whose values cannot tell callers apart, so that they count
    /// as absent.
    pub fn unreadable(&self) -> Vec<usize> {
        self.unreadable.take()
    }

    /// The identity that these keys, by index, give the caller. `None`: the request lacks one of them.
    /// `template` is the one that the request has matched. A policy with a record of its own passes that
    /// record's name, which makes it another identity.
    pub fn identity(
        &self,
        keys: &[usize],
        template: Option<&PathTemplate>,
        record: Option<&str>,
    ) -> Option<Identity> {
        let mut encoder = Encoder::new(self.seed);
        if let Some(record) = record {
            // A key's kind is never empty, so this cannot be mistaken for a key's value.
            encoder.add("", record.as_bytes());
        }
        let mut proven = true;
        for key in keys {
            let (key, value) = self.value(*key, template)?;
            encoder.add(&key.kind, &value);
            proven &= key.proven && !key.source.is_cheap(&value);
        }
        Some(encoder.finish().known(proven))
    }

    /// A key's value, and the key it comes from: the key itself, or the first of its alternatives that the
    /// request has.
    pub fn value(&self, index: usize, template: Option<&PathTemplate>) -> Option<(&'a Key, Cow<'_, [u8]>)> {
        let key = self.callers.keys.get(index)?;
        let value = match &key.source {
            KeySource::FirstOf(keys) => return keys.iter().find_map(|key| self.value(*key, template)),
            KeySource::PathParameter(name) => {
                Cow::Owned(path_parameter(self.request, template?, name, key.reading)?)
            }
            // Nobody can tell who the consumer is, so all such requests count as one caller.
            KeySource::Consumer(_) if self.hides_the_consumer() => Cow::Borrowed(&[][..]),
            KeySource::Consumer(attribute) => {
                let consumer = self.callers.consumers.list().get(self.consumer()?)?;
                Cow::Borrowed(consumer.attribute(attribute)?.as_bytes())
            }
            KeySource::Constant(text) => Cow::Borrowed(text.as_bytes()),
            KeySource::Header { .. }
            | KeySource::Query(_)
            | KeySource::Cookie(_)
            | KeySource::ClientIp { .. }
            | KeySource::Metadata(_) => {
                if self.presented(index)?.value.is_none() {
                    self.note_unreadable(index);
                }
                let whole = self.credential(index)?;
                Cow::Borrowed(whole.get(..key.prefix.unwrap_or(usize::MAX)).unwrap_or(whole))
            }
        };
        Some((key, value))
    }

    /// Whether the request presents conflicting values for any of these keys (A7). A client must not be able
    /// to choose which one counts, so every policy that counts by such a key rejects the request.
    pub fn is_ambiguous(&self, keys: &[usize], template: Option<&PathTemplate>) -> bool {
        keys.iter().any(|key| match self.callers.keys.get(*key).map(|key| &key.source) {
            Some(KeySource::FirstOf(keys)) => {
                let first = keys.iter().find(|key| self.value(**key, template).is_some());
                first.is_some_and(|key| self.is_ambiguous(&[*key], template))
            }
            Some(KeySource::Consumer(_)) => self.hides_the_consumer(),
            Some(KeySource::Header { .. } | KeySource::Query(_) | KeySource::Cookie(_)) => {
                self.is_conflicting(*key)
            }
            Some(
                KeySource::ClientIp { .. }
                | KeySource::Metadata(_)
                | KeySource::PathParameter(_)
                | KeySource::Constant(_),
            )
            | None => false,
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
    pub fn source_of(&self, key: usize, template: Option<&PathTemplate>) -> Option<usize> {
        match &self.callers.keys.get(key)?.source {
            KeySource::FirstOf(keys) => keys.iter().find_map(|key| self.source_of(*key, template)),
            KeySource::Header { .. }
            | KeySource::Query(_)
            | KeySource::Cookie(_)
            | KeySource::ClientIp { .. }
            | KeySource::Metadata(_)
            | KeySource::PathParameter(_)
            | KeySource::Consumer(_)
            | KeySource::Constant(_) => self.value(key, template).map(|_| key),
        }
    }

    /// The consumer, by index. `None`: it is not a known one.
    pub fn consumer(&self) -> Option<usize> {
        *self.consumer.get_or_init(|| {
            let mut keys = self.callers.consumers.keys();
            keys.find_map(|key| self.owner(key, self.presented(key)?))
        })
    }

    /// The tier, by index: the consumer's own, else the one that `from` names, else the default. 0 if there
    /// are no tiers.
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
        consumer.and_then(|consumer| consumer.tier).or_else(named).unwrap_or(tiers.default)
    }

    /// A key's value, or all of them if it is a list.
    fn values(&self, index: usize) -> Option<Values<'_>> {
        if let Some(KeySource::FirstOf(keys)) = self.callers.keys.get(index).map(|key| &key.source) {
            return keys.iter().find_map(|key| self.values(*key));
        }
        match self.presented(index).and_then(|presented| presented.elements.as_ref()) {
            Some(elements) => Some(Values::List(elements)),
            None => self.value(index, None).map(|(_, value)| Values::One(value)),
        }
    }

    /// Whether the request fulfils what a match, all else in which fits, says of keys. `unclear` says whether
    /// it does if the request presents conflicting values for one of them: in a match that limits it should,
    /// and in one that frees it must not.
    pub fn fits(&self, rule: &RequestMatch, unclear: bool) -> bool {
        rule.keys.iter().all(|(key, condition)| {
            if self.is_ambiguous(&[*key], None) {
                return unclear;
            }
            match condition {
                ValueMatch::Absent => self.values(*key).is_none(),
                ValueMatch::Present => self.values(*key).is_some(),
                ValueMatch::Fits(pattern) => {
                    self.values(*key).is_some_and(|values| values.any(|value| pattern.fits(value)))
                }
            }
        })
    }

    /// Whether the request presents conflicting values for a key that a match asks for.
    pub fn is_unclear(&self, rule: &RequestMatch) -> bool {
        rule.keys.iter().any(|(key, _)| self.is_ambiguous(&[*key], None))
    }

    /// The keys, by index, whose credentials the upstream's response may reject, each with the credential's
    /// record.
    pub fn rejectable_credentials(&self) -> Vec<(usize, Identity)> {
        let keys = self.callers.keys.iter().enumerate();
        let rejectable = keys.filter(|(_, key)| matches!(key.validity, Validity::Unless(_)));
        let record = |(index, key): (usize, &Key)| {
            // The whole value, so that credentials with the same prefix are rejected one by one.
            let mut encoder = Encoder::new(self.seed);
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
            let (value, elements, conflicting) = match read(self.request, key)? {
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
            (conflicting || self.is_valid(index, &presented)).then_some(presented)
        };
        self.credentials.get(index)?.get_or_init(read).as_ref()
    }

    /// The consumer, by index, who owns a credential under this key.
    fn owner(&self, key: usize, presented: &PresentedCredential<'_>) -> Option<usize> {
        let find = || {
            let credential = presented.value.as_deref()?;
            self.cache.consumer(&self.callers.consumers, key, credential, self.seed)
        };
        *presented.owner.get_or_init(find)
    }

    fn is_valid(&self, index: usize, presented: &PresentedCredential<'_>) -> bool {
        match self.callers.keys.get(index).map(|key| &key.validity) {
            Some(Validity::Consumer) => self.owner(index, presented).is_some(),
            Some(Validity::Metadata(path)) => self.request.uncached().affirms(path),
            Some(Validity::Unless(_)) => !self.rejected.contains(&index),
            Some(Validity::Present) => true,
            None => false,
        }
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
mod tests {
    use super::*;
    use crate::http::MetadataPath;
    use crate::http::credential::Reading;
    use crate::rules::{Attribute, Consumer, Part};
    use crate::testing::FakeRequest;
    use wasm_bindgen_test::wasm_bindgen_test;

    const SEED: Seed = Seed::new([1; Seed::LEN]);

    /// A request with this API key, and this organization that an earlier filter has proved.
    fn presenting(key: Option<&str>, proven: Option<&str>) -> FakeRequest {
        let request =
            key.into_iter().fold(FakeRequest::from("192.0.2.7"), |request, key| request.with("x-key", key));
        proven.into_iter().fold(request, |request, value| request.with_metadata(proof(), value))
    }

    fn proof() -> MetadataPath {
        MetadataPath::new(["auth", "organization"])
    }

    fn key(name: &str, source: KeySource) -> Key {
        Key {
            name: name.into(),
            kind: name.into(),
            source,
            prefix: None,
            validity: Validity::Present,
            proven: false,
            reading: Reading::default(),
            part: Part::Usual,
        }
    }

    /// A key of the caller's own, an identity that was proven, what is known of the consumer, and the
    /// address.
    fn callers() -> Callers {
        let acme = Consumer {
            name: "acme".into(),
            tier: Some(1),
            attributes: vec![("organization".into(), "o7".into())],
        };
        Callers {
            keys: vec![
                key("x", KeySource::Header { name: "x-key".into(), scheme: None }),
                key("organization", KeySource::Metadata(proof())),
                key("known", KeySource::Consumer(Attribute::Named("organization".into()))),
                key("ip", KeySource::ClientIp { ipv6_prefix: 64 }),
                key("anyone", KeySource::FirstOf(vec![1, 2, 3])),
            ],
            consumers: Consumers::new(vec![acme], [(0, Digest::of(b"k1"), 0), (0, Digest::of(b"k2"), 0)]),
            tiers: Some(Tiers { names: vec!["free".into(), "pro".into()], default: 0, from: None }),
        }
    }

    fn identity(callers: &Callers, request: &FakeRequest, keys: &[usize]) -> Option<Identity> {
        let request = RequestCache::new(request);
        Caller::new(&request, callers, &ConsumerCache::default(), &SEED, &[]).identity(keys, None, None)
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn fp_5_two_keys_of_one_organization_share() {
        let of = |key| identity(&callers(), &presenting(Some(key), None), &[4]);
        assert_eq!(of("k1"), of("k2"));
        assert_ne!(of("k1"), of("k3"));
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn fp_5_a_claim_and_an_attribute_can_be_the_same_organization() {
        let mut callers = callers();
        let of = |callers: &Callers, key, proven| identity(callers, &presenting(key, proven), &[4]).unwrap();
        assert_ne!(of(&callers, Some("k1"), None), of(&callers, None, Some("o7")));
        callers.keys[1].kind = "known".into();
        assert_eq!(of(&callers, Some("k1"), None), of(&callers, None, Some("o7")));
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn fp_6_a_bogus_key_is_no_identity() {
        let of = |key| identity(&callers(), &presenting(key, None), &[4]);
        assert_eq!(of(Some("k3")), of(None));
        assert_eq!(of(Some("k3")), of(Some("k4")));
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn fp_5_what_an_earlier_filter_proved_comes_first() {
        let proven = |proven| identity(&callers(), &presenting(Some("k1"), proven), &[4]);
        assert_ne!(proven(Some("o7")), proven(None));
        assert_ne!(proven(Some("o7")), proven(Some("o8")));
        assert_eq!(proven(Some("")), proven(None));
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn pa_8_a_key_that_nobody_is_known_by_is_absent_if_consumers_decide() {
        let mut callers = callers();
        callers.keys[0].validity = Validity::Consumer;
        let of = |key| identity(&callers, &presenting(Some(key), None), &[0]);
        assert_eq!(of("k3"), None);
        assert!(of("k1").is_some());
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn pa_8_a_key_without_proof_is_absent_if_metadata_decides() {
        let mut callers = callers();
        callers.keys[0].validity = Validity::Metadata(proof());
        let of = |proven| identity(&callers, &presenting(Some("k3"), proven), &[0]);
        assert!(of(Some("yes")).is_some());
        for proven in [None, Some("")] {
            assert_eq!(of(proven), None);
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn fa_2_the_tier_is_the_consumers_own_or_the_default() {
        let callers = callers();
        let tier = |key| {
            let request = presenting(key, None);
            let request = RequestCache::new(&request);
            Caller::new(&request, &callers, &ConsumerCache::default(), &SEED, &[]).tier()
        };
        assert_eq!((tier(Some("k1")), tier(Some("k3")), tier(None)), (1, 0, 0));
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn fa_24_a_tier_may_come_from_an_earlier_filter() {
        let mut callers = callers();
        callers.tiers.as_mut().unwrap().from = Some(1);
        let tier = |key, proven| {
            let request = presenting(key, proven);
            let request = RequestCache::new(&request);
            Caller::new(&request, &callers, &ConsumerCache::default(), &SEED, &[]).tier()
        };
        assert_eq!(tier(None, Some("pro")), 1);
        assert_eq!(tier(None, Some("gold")), 0);
        assert_eq!(tier(Some("k1"), Some("free")), 1);
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn bi_3_the_first_16_characters_count_and_a_shorter_key_whole() {
        let mut callers = callers();
        callers.keys[0].prefix = Some(16);
        let of = |key| identity(&callers, &presenting(Some(key), None), &[0]).unwrap();
        assert_eq!(of("0123456789abcdefXYZ"), of("0123456789abcdef"));
        assert_ne!(of("0123456789abcdeX"), of("0123456789abcdef"));
        assert_ne!(of("0123456789abcde"), of("0123456789abcdef"));
        assert_ne!(of("short"), of("shor"));
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a7_a_repeated_key_is_nobodys_whatever_makes_it_valid_and_no_alternative_takes_its_place() {
        let acme = Consumer { name: "acme".into(), tier: None, attributes: Vec::new() };
        for validity in [Validity::Present, Validity::Consumer, Validity::Metadata(proof())] {
            let q = Key { validity: validity.clone(), ..key("q", KeySource::Query("q".into())) };
            let callers = Callers {
                keys: vec![
                    q,
                    key("ip", KeySource::ClientIp { ipv6_prefix: 64 }),
                    key("anyone", KeySource::FirstOf(vec![0, 1])),
                    key("name", KeySource::Consumer(Attribute::Name)),
                ],
                consumers: Consumers::new(vec![acme.clone()], [(0, Digest::of(b"k1"), 0)]),
                tiers: None,
            };
            assert!(callers.keys.iter().any(Key::can_be_ambiguous));
            for query in ["q=a&q=k1", "q=k1&q=a", "q=k1&q=&q=b&q=k1", "q=k1;q=a"] {
                let request = FakeRequest::from("192.0.2.7").with(":path", format!("/?{query}"));
                let request = RequestCache::new(&request);
                let cache = ConsumerCache::default();
                let caller = Caller::new(&request, &callers, &cache, &SEED, &[]);
                for key in [0, 2, 3] {
                    assert!(caller.is_ambiguous(&[1, key], None), "{validity:?} {query} {key}");
                    assert!(caller.identity(&[1, key], None, None).is_some(), "{validity:?} {query} {key}");
                }
                assert!(!caller.is_ambiguous(&[1], None));
                assert_eq!((caller.consumer(), caller.rejectable_credentials()), (None, vec![]));
            }
            for query in ["q=k1&q=k1", "q=&q=k1", "q=%6b1;q=k1", "x=1", ""] {
                let request = FakeRequest::from("192.0.2.7").with(":path", format!("/?{query}"));
                let request = RequestCache::new(&request);
                let cache = ConsumerCache::default();
                let caller = Caller::new(&request, &callers, &cache, &SEED, &[]);
                assert!(!caller.is_ambiguous(&[0, 1, 2, 3], None), "{validity:?} {query}");
            }
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn what_is_asked_twice_is_read_once() {
        let (fake, callers) = (presenting(None, Some("o")), callers());
        let request = RequestCache::new(&fake);
        let cache = ConsumerCache::default();
        let caller = Caller::new(&request, &callers, &cache, &SEED, &[]);
        assert_eq!(caller.identity(&[1], None, None), caller.identity(&[4], None, None));
        assert_eq!(fake.metadata_reads.get(), 1);
    }
}
