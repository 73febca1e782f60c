//! One request's caller: the values of the keys, asked for when they are first needed and then kept.

use super::key_value::{path_parameter, read};
use crate::http::credential::Found;
use crate::http::{PathTemplate, Request, RequestCache};
use crate::identity::{Encoder, Identity, Seed};
use crate::identity_map::IdentityMap;
use crate::rules::{Callers, Consumers, Digest, Key, Source, Tiers, Validity};
use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};

/// The consumers that this worker has recognised, by a keyed hash of key and credential: a digest costs ten times as much.
/// It holds no more entries than there are credentials in the configuration, because unknown credentials are not added.
#[derive(Default)]
pub struct ConsumerCache(RefCell<IdentityMap<usize>>);

impl ConsumerCache {
    /// The consumer who is known by this credential under this key.
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

/// Whoever makes one request.
pub struct Caller<'a, R> {
    asked: &'a RequestCache<'a, R>,
    callers: &'a Callers,
    cache: &'a ConsumerCache,
    seed: &'a Seed,
    credentials: Vec<OnceCell<Option<Shown<'a>>>>,
    consumer: OnceCell<Option<usize>>,
    tier: OnceCell<usize>,
    /// Keys, by index, that an upstream has rejected.
    rejected: &'a [usize],
}

/// A credential that a request has.
struct Shown<'a> {
    value: Cow<'a, [u8]>,
    /// The request has several that differ, and none of them counts. The value is empty.
    repeated: bool,
    /// Who is known by it: a digest, computed when it is first needed and then kept.
    owner: OnceCell<Option<usize>>,
}

impl<'a, R: Request> Caller<'a, R> {
    /// The caller of a request that has been asked nothing yet. The keys `rejected`, by index, are as good as absent.
    #[inline]
    pub fn new(
        asked: &'a RequestCache<'a, R>,
        callers: &'a Callers,
        cache: &'a ConsumerCache,
        seed: &'a Seed,
        rejected: &'a [usize],
    ) -> Self {
        let credentials = callers.keys.iter().map(|_| OnceCell::new()).collect();
        Caller {
            asked,
            callers,
            cache,
            seed,
            credentials,
            consumer: OnceCell::new(),
            tier: OnceCell::new(),
            rejected,
        }
    }

    /// Who is counted by these keys, by index. `None`: the request lacks one of them. `template` is the one that
    /// the request has matched. With the name of a record it is another identity than without.
    pub fn identity(
        &self,
        keys: &[usize],
        template: Option<&PathTemplate>,
        record: Option<&str>,
    ) -> Option<Identity> {
        let mut encoder = Encoder::new(self.seed);
        if let Some(record) = record {
            // No key has an empty name.
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

    /// The value that counts, and the key that has it: one of its alternatives, or itself.
    pub fn value(&self, index: usize, template: Option<&PathTemplate>) -> Option<(&'a Key, Cow<'_, [u8]>)> {
        let key = self.callers.keys.get(index)?;
        let value = match &key.source {
            Source::FirstOf(keys) => return keys.iter().find_map(|key| self.value(*key, template)),
            Source::PathParameter(name) => {
                Cow::Owned(path_parameter(self.asked, template?, name, key.reading)?)
            }
            // Who it is can't be told: the same caller whoever it is.
            Source::Consumer(_) if self.hides_the_consumer() => Cow::Borrowed(&[][..]),
            Source::Consumer(attribute) => {
                let consumer = self.callers.consumers.list().get(self.consumer()?)?;
                Cow::Borrowed(consumer.attribute(attribute)?.as_bytes())
            }
            Source::Constant(text) => Cow::Borrowed(text.as_bytes()),
            Source::Header { .. }
            | Source::Query(_)
            | Source::Cookie(_)
            | Source::ClientIp { .. }
            | Source::Metadata(_) => {
                let whole = self.credential(index)?;
                Cow::Borrowed(whole.get(..key.prefix.unwrap_or(usize::MAX)).unwrap_or(whole))
            }
        };
        Some((key, value))
    }

    /// Whether the value that counts for any of these keys can't be told, since the request has several (A7). Who that
    /// is must not be the client's choice, so whatever counts by them rejects it.
    pub fn is_ambiguous(&self, keys: &[usize], template: Option<&PathTemplate>) -> bool {
        keys.iter().any(|key| match self.callers.keys.get(*key).map(|key| &key.source) {
            Some(Source::FirstOf(keys)) => {
                let first = keys.iter().find(|key| self.value(**key, template).is_some());
                first.is_some_and(|key| self.is_ambiguous(&[*key], template))
            }
            Some(Source::Consumer(_)) => self.hides_the_consumer(),
            Some(Source::Header { .. } | Source::Query(_) | Source::Cookie(_)) => self.is_repeated(*key),
            Some(
                Source::ClientIp { .. }
                | Source::Metadata(_)
                | Source::PathParameter(_)
                | Source::Constant(_),
            )
            | None => false,
        })
    }

    /// Whether the request has several values of this key that differ.
    fn is_repeated(&self, key: usize) -> bool {
        self.callers.keys.get(key).is_some_and(Key::can_be_ambiguous)
            && self.shown(key).is_some_and(|shown| shown.repeated)
    }

    /// Whether a key that consumers are known by is there several times.
    fn hides_the_consumer(&self) -> bool {
        self.callers.consumers.keys().any(|key| self.is_repeated(key))
    }

    /// The key, by index, that has the value of this one: one of its alternatives, or itself.
    pub fn taken(&self, key: usize, template: Option<&PathTemplate>) -> Option<usize> {
        match &self.callers.keys.get(key)?.source {
            Source::FirstOf(keys) => keys.iter().find_map(|key| self.taken(*key, template)),
            Source::Header { .. }
            | Source::Query(_)
            | Source::Cookie(_)
            | Source::ClientIp { .. }
            | Source::Metadata(_)
            | Source::PathParameter(_)
            | Source::Consumer(_)
            | Source::Constant(_) => self.value(key, template).map(|_| key),
        }
    }

    /// The consumer, by index, if it is a known one.
    pub fn consumer(&self) -> Option<usize> {
        *self.consumer.get_or_init(|| {
            let mut keys = self.callers.consumers.keys();
            keys.find_map(|key| self.owner(key, self.shown(key)?))
        })
    }

    /// The tier, by index: the consumer's own, else the one that `from` names, else the default. 0 if there are none.
    pub fn tier(&self) -> usize {
        *self.tier.get_or_init(|| self.callers.tiers.as_ref().map_or(0, |tiers| self.tier_of(tiers)))
    }

    fn tier_of(&self, tiers: &Tiers) -> usize {
        let consumer = self.consumer().and_then(|consumer| self.callers.consumers.list().get(consumer));
        let named = || {
            let (_, named) = self.value(tiers.from?, None)?;
            tiers.names.iter().position(|name| name.as_bytes() == named.as_ref())
        };
        consumer.and_then(|consumer| consumer.tier).or_else(named).unwrap_or(tiers.default)
    }

    /// The keys that the caller shows and an upstream's answer may reject, by index, each with its record.
    pub fn on_trial(&self) -> Vec<(usize, Identity)> {
        let keys = self.callers.keys.iter().enumerate();
        let on_trial = keys.filter(|(_, key)| matches!(key.validity, Validity::Unless(_)));
        let record = |(index, key): (usize, &Key)| {
            // The whole value: keys that share a prefix stand or fall by themselves.
            let mut encoder = Encoder::new(self.seed);
            encoder.add(&key.kind, self.credential(index).filter(|value| !value.is_empty())?);
            Some((index, encoder.finish()))
        };
        on_trial.filter_map(record).collect()
    }

    /// Finds out consumer and tier, for what is to be said about the caller.
    pub fn introduce(&self) {
        if self.callers.tiers.is_some() {
            self.tier();
        }
        self.consumer();
    }

    /// Consumer and tier, by index, as far as they have been asked for.
    pub fn known(&self) -> (Option<usize>, Option<usize>) {
        (self.consumer.get().copied().flatten(), self.tier.get().copied())
    }

    /// The whole value of a key that the request itself has, if it is valid.
    fn credential(&self, index: usize) -> Option<&[u8]> {
        self.shown(index).map(|shown| shown.value.as_ref())
    }

    fn shown(&self, index: usize) -> Option<&Shown<'a>> {
        let read = || {
            let found = read(self.asked, self.callers.keys.get(index)?)?;
            let shown = match found {
                Found::One(value) => Shown { value, repeated: false, owner: OnceCell::new() },
                Found::Several => {
                    Shown { value: Cow::Borrowed(&[]), repeated: true, owner: OnceCell::from(None) }
                }
            };
            // One of several may be valid: they are not as good as none.
            (shown.repeated || self.is_valid(index, &shown)).then_some(shown)
        };
        self.credentials.get(index)?.get_or_init(read).as_ref()
    }

    /// The consumer, by index, who is known by a credential under this key.
    fn owner(&self, key: usize, shown: &Shown<'_>) -> Option<usize> {
        *shown
            .owner
            .get_or_init(|| self.cache.consumer(&self.callers.consumers, key, &shown.value, self.seed))
    }

    fn is_valid(&self, index: usize, shown: &Shown<'_>) -> bool {
        match self.callers.keys.get(index).map(|key| &key.validity) {
            Some(Validity::Consumer) => self.owner(index, shown).is_some(),
            Some(Validity::Metadata(path)) => {
                // Envoy gives `false` as one zero byte.
                self.asked.request().metadata(path).is_some_and(|value| !value.is_empty() && value != [0])
            }
            Some(Validity::Unless(_)) => !self.rejected.contains(&index),
            Some(Validity::Present) => true,
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::MetadataPath;
    use crate::http::credential::Reading;
    use crate::rules::{Attribute, Consumer};
    use wasm_bindgen_test::wasm_bindgen_test;

    const SEED: Seed = Seed::new([1; Seed::LEN]);

    #[derive(Default)]
    struct Fake {
        key: Option<&'static str>,
        proven: Option<&'static str>,
        metadata_reads: std::cell::Cell<u32>,
    }

    impl Request for Fake {
        fn header(&self, name: &str) -> Option<Vec<u8>> {
            (name == "x-key").then_some(self.key?.into())
        }
        fn source_address(&self) -> Option<Vec<u8>> {
            Some(b"192.0.2.7:80".to_vec())
        }
        fn metadata(&self, path: &MetadataPath) -> Option<Vec<u8>> {
            self.metadata_reads.set(self.metadata_reads.get() + 1);
            (path == &proof()).then_some(self.proven?.into())
        }
    }

    fn proof() -> MetadataPath {
        MetadataPath::new(["auth", "organization"])
    }

    fn key(name: &str, source: Source) -> Key {
        Key {
            name: name.into(),
            kind: name.into(),
            source,
            prefix: None,
            validity: Validity::Present,
            proven: false,
            reading: Reading::default(),
        }
    }

    /// A key of the caller's own, an identity that was proven, what is known of the consumer, and the address.
    fn callers() -> Callers {
        let acme = Consumer {
            name: "acme".into(),
            tier: Some(1),
            attributes: vec![("organization".into(), "o7".into())],
        };
        Callers {
            keys: vec![
                key("x", Source::Header { name: "x-key".into(), scheme: None }),
                key("organization", Source::Metadata(proof())),
                key("known", Source::Consumer(Attribute::Named("organization".into()))),
                key("ip", Source::ClientIp { ipv6_prefix: 64 }),
                key("anyone", Source::FirstOf(vec![1, 2, 3])),
            ],
            consumers: Consumers::new(vec![acme], [(0, Digest::of(b"k1"), 0), (0, Digest::of(b"k2"), 0)]),
            tiers: Some(Tiers { names: vec!["free".into(), "pro".into()], default: 0, from: None }),
        }
    }

    fn identity(callers: &Callers, request: &Fake, keys: &[usize]) -> Option<Identity> {
        let asked = RequestCache::new(request);
        Caller::new(&asked, callers, &ConsumerCache::default(), &SEED, &[]).identity(keys, None, None)
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn fp_5_two_keys_of_one_organization_share() {
        let of = |key| identity(&callers(), &Fake { key: Some(key), ..Fake::default() }, &[4]);
        assert_eq!(of("k1"), of("k2"));
        assert_ne!(of("k1"), of("k3"));
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn fp_5_a_claim_and_an_attribute_can_be_the_same_organization() {
        let mut callers = callers();
        let of = |callers: &Callers, key, proven| {
            identity(callers, &Fake { key, proven, ..Fake::default() }, &[4]).unwrap()
        };
        assert_ne!(of(&callers, Some("k1"), None), of(&callers, None, Some("o7")));
        callers.keys[1].kind = "known".into();
        assert_eq!(of(&callers, Some("k1"), None), of(&callers, None, Some("o7")));
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn fp_6_a_bogus_key_is_no_identity() {
        let of = |key| identity(&callers(), &Fake { key, ..Fake::default() }, &[4]);
        assert_eq!(of(Some("k3")), of(None));
        assert_eq!(of(Some("k3")), of(Some("k4")));
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn fp_5_what_an_earlier_filter_proved_comes_first() {
        let proven =
            |proven| identity(&callers(), &Fake { key: Some("k1"), proven, ..Fake::default() }, &[4]);
        assert_ne!(proven(Some("o7")), proven(None));
        assert_ne!(proven(Some("o7")), proven(Some("o8")));
        assert_eq!(proven(Some("")), proven(None));
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn pa_8_a_key_that_nobody_is_known_by_is_absent_if_consumers_decide() {
        let mut callers = callers();
        callers.keys[0].validity = Validity::Consumer;
        let of = |key| identity(&callers, &Fake { key: Some(key), ..Fake::default() }, &[0]);
        assert_eq!(of("k3"), None);
        assert!(of("k1").is_some());
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn pa_8_a_key_without_proof_is_absent_if_metadata_decides() {
        let mut callers = callers();
        callers.keys[0].validity = Validity::Metadata(proof());
        let of = |proven| identity(&callers, &Fake { key: Some("k3"), proven, ..Fake::default() }, &[0]);
        assert!(of(Some("yes")).is_some());
        for proven in [None, Some(""), Some("\0")] {
            assert_eq!(of(proven), None);
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn fa_2_the_tier_is_the_consumers_own_or_the_default() {
        let callers = callers();
        let tier = |key| {
            let request = Fake { key, ..Fake::default() };
            let asked = RequestCache::new(&request);
            Caller::new(&asked, &callers, &ConsumerCache::default(), &SEED, &[]).tier()
        };
        assert_eq!((tier(Some("k1")), tier(Some("k3")), tier(None)), (1, 0, 0));
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn fa_24_a_tier_may_come_from_an_earlier_filter() {
        let mut callers = callers();
        callers.tiers.as_mut().unwrap().from = Some(1);
        let tier = |key, proven| {
            let request = Fake { key, proven, ..Fake::default() };
            let asked = RequestCache::new(&request);
            Caller::new(&asked, &callers, &ConsumerCache::default(), &SEED, &[]).tier()
        };
        assert_eq!(tier(None, Some("pro")), 1);
        assert_eq!(tier(None, Some("gold")), 0);
        assert_eq!(tier(Some("k1"), Some("free")), 1);
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn bi_3_the_first_16_characters_count_and_a_shorter_key_whole() {
        let mut callers = callers();
        callers.keys[0].prefix = Some(16);
        let of = |key| identity(&callers, &Fake { key: Some(key), ..Fake::default() }, &[0]).unwrap();
        assert_eq!(of("0123456789abcdefXYZ"), of("0123456789abcdef"));
        assert_ne!(of("0123456789abcdeX"), of("0123456789abcdef"));
        assert_ne!(of("0123456789abcde"), of("0123456789abcdef"));
        assert_ne!(of("short"), of("shor"));
    }

    /// A request with a query, and a callers whose key `q` reads it.
    struct Query<'a>(&'a str);

    impl Request for Query<'_> {
        fn header(&self, name: &str) -> Option<Vec<u8>> {
            (name == ":path").then(|| format!("/?{}", self.0).into())
        }
        fn source_address(&self) -> Option<Vec<u8>> {
            Some(b"192.0.2.7:80".to_vec())
        }
        fn metadata(&self, _: &MetadataPath) -> Option<Vec<u8>> {
            None
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a7_a_repeated_key_is_nobodys_whatever_makes_it_valid_and_no_alternative_takes_its_place() {
        let acme = Consumer { name: "acme".into(), tier: None, attributes: Vec::new() };
        for validity in [Validity::Present, Validity::Consumer, Validity::Metadata(proof())] {
            let q = Key { validity: validity.clone(), ..key("q", Source::Query("q".into())) };
            let callers = Callers {
                keys: vec![
                    q,
                    key("ip", Source::ClientIp { ipv6_prefix: 64 }),
                    key("anyone", Source::FirstOf(vec![0, 1])),
                    key("name", Source::Consumer(Attribute::Name)),
                ],
                consumers: Consumers::new(vec![acme.clone()], [(0, Digest::of(b"k1"), 0)]),
                tiers: None,
            };
            assert!(callers.keys.iter().any(Key::can_be_ambiguous));
            for query in ["q=a&q=k1", "q=k1&q=a", "q=k1&q=&q=b&q=k1", "q=k1;q=a"] {
                let request = Query(query);
                let asked = RequestCache::new(&request);
                let cache = ConsumerCache::default();
                let caller = Caller::new(&asked, &callers, &cache, &SEED, &[]);
                for key in [0, 2, 3] {
                    assert!(caller.is_ambiguous(&[1, key], None), "{validity:?} {query} {key}");
                    assert!(caller.identity(&[1, key], None, None).is_some(), "{validity:?} {query} {key}");
                }
                assert!(!caller.is_ambiguous(&[1], None));
                assert_eq!((caller.consumer(), caller.on_trial()), (None, vec![]));
            }
            for query in ["q=k1&q=k1", "q=&q=k1", "q=%6b1;q=k1", "x=1", ""] {
                let request = Query(query);
                let asked = RequestCache::new(&request);
                let cache = ConsumerCache::default();
                let caller = Caller::new(&asked, &callers, &cache, &SEED, &[]);
                assert!(!caller.is_ambiguous(&[0, 1, 2, 3], None), "{validity:?} {query}");
            }
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn what_is_asked_twice_is_read_once() {
        let (request, callers) = (Fake { proven: Some("o"), ..Fake::default() }, callers());
        let asked = RequestCache::new(&request);
        let cache = ConsumerCache::default();
        let caller = Caller::new(&asked, &callers, &cache, &SEED, &[]);
        assert_eq!(caller.identity(&[1], None, None), caller.identity(&[4], None, None));
        assert_eq!(request.metadata_reads.get(), 1);
    }
}
