//! Callers by metadata of earlier filters.

use super::*;

pub(super) const BY_CLAIM: &str = r#"{
    "keys": {"claim": {"metadata": ["auth", "sub"]}},
    "policies": [{"name": "by-claim", "key": "claim", "limits": [{"quota": 2, "window": "60s"}]}]
}"#;

/// How many of three requests pass whose value the host writes like this, and the paths that were asked for.
fn passed_with(value: Option<&[u8]>, all: &[u8]) -> (usize, Vec<Vec<u8>>) {
    let worker = Worker::start(BY_CLAIM);
    host(|knows| {
        knows.metadata.insert(b"metadata\0filter_metadata\0auth\0sub".to_vec(), value.map(<[u8]>::to_vec));
        knows.metadata.insert(b"metadata".to_vec(), Some(all.to_vec()));
    });
    let passed = worker.passed("x", 3);
    (passed, host(|knows| std::mem::take(&mut knows.metadata_reads)))
}

#[wasm_bindgen_test(unsupported = test)]
fn a_a_text_costs_one_call_and_only_what_may_be_another_kind_a_second() {
    let one = b"metadata\0filter_metadata\0auth\0sub".to_vec();
    assert_eq!(passed_with(Some(b"user-77"), b""), (2, vec![one.clone(); 3]));
    let all =
        [&b"\x0A\x1A\x0A\x04auth\x12\x12\x0A\x10\x0A\x03sub\x12\x09\x11"[..], &3_f64.to_le_bytes()].concat();
    let both: Vec<Vec<u8>> = (0..3).flat_map(|_| [one.clone(), b"metadata".to_vec()]).collect();
    assert_eq!(passed_with(Some(&3_f64.to_le_bytes()), &all), (2, both.clone()));
    assert_eq!(passed_with(Some(b"eight..."), b"damaged"), (2, both.clone()), "a guess");
    assert_eq!(passed_with(None, &all), (2, both), "a list with null, say");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_metadata_without_a_value_is_counted() {
    let worker = Worker::start(BY_CLAIM);
    let object = b"\x01\0\0\0\x02\0\0\0\x01\0\0\0id\0a\0".to_vec();
    host(|knows| knows.metadata.insert(b"metadata\0filter_metadata\0auth\0sub".to_vec(), Some(object)));
    assert_eq!(worker.passed("x", 5), 5);
    worker.root.tick();
    assert_eq!(counter("keys.without_value"), 5);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_a_flag_makes_a_credential_valid_at_the_price_of_one_call() {
    const VALID: &str = r#"{
        "keys": {"client": {"header": "x-client", "valid": {"metadata": ["auth", "ok"]}}},
        "policies": [{"name": "p", "key": "client", "limits": [{"quota": 2, "window": "60s"}]}]
    }"#;
    for (bytes, passed, calls) in
        [(&[1][..], 2, 3), (b"yes", 2, 3), (&[0], 3, 6), (&[0; 4], 3, 6), (b"", 3, 3)]
    {
        let worker = Worker::start(VALID);
        host(|knows| {
            knows.metadata.insert(b"metadata\0filter_metadata\0auth\0ok".to_vec(), Some(bytes.to_vec()))
        });
        assert_eq!(worker.passed("x", 3), passed, "{bytes:?}");
        assert_eq!(host(|knows| knows.metadata_reads.len()), calls, "{bytes:?}");
    }
}
