use super::*;
use crate::http::MetadataPath;
use crate::http::client_ip::Prefixes;
use crate::http::credential::Reading;
use crate::rules::source::{self, ClientIp, FirstOf, Header, Metadata, Query};
use crate::rules::{Attribute, Consumer, KeySource, Part, Validity, validity};
use crate::testing::FakeRequest;
use wasm_bindgen_test::wasm_bindgen_test;

const SEED: Seed = Seed::new([1; Seed::LEN]);
const SEEDS: Seeds = Seeds { table: SEED, fleet: None };

/// A request with this API key, and this organization that an earlier filter has proved.
fn presenting(key: Option<&str>, proven: Option<&str>) -> FakeRequest {
    let request =
        key.into_iter().fold(FakeRequest::from("192.0.2.7"), |request, key| request.with("x-key", key));
    proven.into_iter().fold(request, |request, value| request.with_metadata(proof(), value))
}

fn proof() -> MetadataPath {
    MetadataPath::new(["auth", "organization"])
}

fn key(name: &str, source: impl Into<KeySource>) -> Key {
    Key {
        name: name.into(),
        kind: name.into(),
        source: source.into(),
        prefix: None,
        validity: Validity::default(),
        proven: false,
        reading: Reading::default(),
        part: Part::Usual,
        cut: None,
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
            key("x", Header { name: "x-key".into(), scheme: None }),
            key("organization", Metadata(proof())),
            key("known", source::Consumer(Attribute::Named("organization".into()))),
            key("ip", ClientIp { prefixes: Prefixes { v4: 32, v6: 64 } }),
            key("anyone", FirstOf(vec![1, 2, 3])),
        ],
        consumers: Consumers::new(vec![acme], [(0, Digest::of(b"k1"), 0), (0, Digest::of(b"k2"), 0)]),
        tiers: Some(Tiers {
            names: vec!["free".into(), "pro".into()],
            default: 0,
            from: None,
            by_address: None,
        }),
        forgive: None,
    }
}

fn identity(callers: &Callers, request: &FakeRequest, keys: &[usize]) -> Option<Identity> {
    let request = RequestCache::new(request);
    Caller::new(&request, callers, &ConsumerCache::default(), &SEEDS, &[]).identity(keys, None, None)
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
    callers.keys[0].validity = validity::Consumer.into();
    let of = |key| identity(&callers, &presenting(Some(key), None), &[0]);
    assert_eq!(of("k3"), None);
    assert!(of("k1").is_some());
}

#[wasm_bindgen_test(unsupported = test)]
fn pa_8_a_key_without_proof_is_absent_if_metadata_decides() {
    let mut callers = callers();
    callers.keys[0].validity = validity::Metadata(proof()).into();
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
        Caller::new(&request, &callers, &ConsumerCache::default(), &SEEDS, &[]).tier()
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
        Caller::new(&request, &callers, &ConsumerCache::default(), &SEEDS, &[]).tier()
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
    for validity in [Validity::default(), validity::Consumer.into(), validity::Metadata(proof()).into()] {
        let q = Key { validity: validity.clone(), ..key("q", Query("q".into())) };
        let callers = Callers {
            keys: vec![
                q,
                key("ip", ClientIp { prefixes: Prefixes { v4: 32, v6: 64 } }),
                key("anyone", FirstOf(vec![0, 1])),
                key("name", source::Consumer(Attribute::Name)),
            ],
            consumers: Consumers::new(vec![acme.clone()], [(0, Digest::of(b"k1"), 0)]),
            tiers: None,
            forgive: None,
        };
        assert!(callers.keys.iter().any(Key::can_be_ambiguous));
        for query in ["q=a&q=k1", "q=k1&q=a", "q=k1&q=&q=b&q=k1", "q=k1;q=a"] {
            let request = FakeRequest::from("192.0.2.7").with(":path", format!("/?{query}"));
            let request = RequestCache::new(&request);
            let cache = ConsumerCache::default();
            let caller = Caller::new(&request, &callers, &cache, &SEEDS, &[]);
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
            let caller = Caller::new(&request, &callers, &cache, &SEEDS, &[]);
            assert!(!caller.is_ambiguous(&[0, 1, 2, 3], None), "{validity:?} {query}");
        }
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn what_is_asked_twice_is_read_once() {
    let (fake, callers) = (presenting(None, Some("o")), callers());
    let request = RequestCache::new(&fake);
    let cache = ConsumerCache::default();
    let caller = Caller::new(&request, &callers, &cache, &SEEDS, &[]);
    assert_eq!(caller.identity(&[1], None, None), caller.identity(&[4], None, None));
    assert_eq!(fake.metadata_reads.get(), 1);
}
