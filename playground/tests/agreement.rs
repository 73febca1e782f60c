//! What the page shows is the same everywhere: each shipped policy with each kind of traffic has one digest,
//! natively and in a browser. `UPDATE_AGREEMENT=1` writes them anew, natively; the browser only reads them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use sha2::{Digest as _, Sha256};
use tollgate::time::MILLISECOND;
use tollgate_playground::policy::Policy;
use tollgate_playground::reply::reply;
use tollgate_playground::timeline::{Shown, Timeline, Watched};
use tollgate_playground::traffic::Traffic;
use wasm_bindgen_test::wasm_bindgen_test;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

include!(concat!(env!("OUT_DIR"), "/policies.rs"));

const AGREED: &str = include_str!("agreement.txt");

/// Kinds of traffic. Callers have keys of their own, so that policies by key apply, too.
const TRAFFICS: [&str; 6] = [
    r#"{ "shape": "steady", "rate": 7, "seconds": 90, "callers": 3, "headers": ["authorization: Bearer sk_test_{caller}"] }"#,
    r#"{ "shape": "bursts", "size": 120, "every": 20, "seconds": 90, "took_ms": 900 }"#,
    r#"{ "shape": "edges", "size": 60, "window": 60, "seconds": 200, "headers": ["x-api-key: parseo_{caller}"] }"#,
    r#"{ "shape": "crowd", "rate": 20, "callers": 50, "seconds": 60, "status": 401, "request": "POST /login" }"#,
    r#"{ "shape": "drawn", "counts": [0, 5, 80, 0, 3, 200, 1], "seconds": 140, "response_headers": ["x-cost: 7"] }"#,
    r#"{ "shape": "steady", "rate": 2, "seconds": 120, "status": 500, "request": "GET /v1/invoices/7?expand=lines" }"#,
];

/// Everything that the page would show of a policy, as a digest.
fn digest(text: &str) -> String {
    let mut digest = Sha256::new();
    let policy = Policy::read(text).unwrap_or_else(|errors| panic!("{errors:?}"));
    digest.update(policy.words());
    policy.warnings.iter().for_each(|warning| digest.update(format!("{warning:?}")));
    for description in TRAFFICS {
        let traffic = Traffic::read(description).unwrap_or_else(|problem| panic!("{problem}"));
        for (index, limit, name) in policy.limits().into_iter().take(3) {
            let watched = Watched { policy: index, limit };
            let timeline = Timeline::of(&policy.configuration, &traffic, watched);
            let places = timeline.places(&traffic, Shown::all(&traffic, 100));
            let zoom =
                Shown { from: 10_000 * MILLISECOND, to: 12_345 * MILLISECOND, ..Shown::all(&traffic, 7) };
            let zoomed = timeline.places(&traffic, zoom);
            digest.update(format!("{name} {:?} {places:?} {zoomed:?}", timeline.totals()));
        }
        for number in [0, 59, 150, usize::MAX] {
            digest.update(format!("{:?}", reply(&policy, &traffic, number)));
        }
    }
    for (word, set) in policy.variants(0, 0) {
        let traffic = Traffic::read(TRAFFICS[2]).unwrap();
        let timeline = Timeline::of(&set, &traffic, Watched::default());
        digest.update(format!("{word} {:?}", timeline.totals()));
    }
    digest.finalize().iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}

#[wasm_bindgen_test(unsupported = test)]
fn all_shipped_policies_with_all_traffic_agree_to_the_byte() {
    let found: String = POLICIES.iter().map(|(name, text)| format!("{} {name}\n", digest(text))).collect();
    #[cfg(not(target_arch = "wasm32"))]
    if std::env::var_os("UPDATE_AGREEMENT").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/agreement.txt"), found).unwrap();
        return;
    }
    assert_eq!(found, AGREED);
}

#[wasm_bindgen_test(unsupported = test)]
fn hostile_policies_are_errors() {
    let long = "a: b\n".repeat(2_000_000);
    let deep = "[".repeat(100_000);
    let bomb = (0..40).fold("a0: &a0 [x]\n".to_string(), |text, number| {
        text + &format!("a{}: &a{} [*a{number}, *a{number}]\n", number + 1, number + 1)
    });
    for text in [long.as_str(), &deep, &bomb, "\u{0}\u{1}\u{ffff}", "", "- - -", "keys: {"] {
        assert!(Policy::read(text).is_err(), "{}", &text[..text.len().min(20)]);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn hostile_traffic_is_an_error() {
    let many = format!(r#"{{ "shape": "drawn", "counts": [{}1] }}"#, "1,".repeat(20_000));
    let wrong = [
        "",
        "[]",
        "{",
        "null",
        r#"{ "seconds": 1e300 }"#,
        r#"{ "seconds": -1 }"#,
        r#"{ "shape": "evil" }"#,
        r#"{ "rate": 100000, "seconds": 2678400 }"#,
        r#"{ "callers": 1e9 }"#,
        r#"{ "callers": 1.5 }"#,
        r#"{ "request": "no path" }"#,
        r#"{ "headers": ["none"] }"#,
        r#"{ "headers": 7 }"#,
        r#"{ "status": 99 }"#,
        r#"{ "shape": "bursts", "every": 0 }"#,
        r#"{ "shape": "drawn", "counts": [-1] }"#,
        many.as_str(),
    ];
    for text in wrong {
        assert!(Traffic::read(text).is_err(), "{text:.60}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn at_a_burst_across_the_edge_only_windows_that_slide_stay_at_their_quota() {
    let policy = Policy::read("keys: { ip: { client_ip: {} } }\npolicies: [{ name: ip, key: ip, limits: [{ quota: 50, window: 60s }] }]").unwrap();
    let traffic = Traffic::read(r#"{ "shape": "edges", "size": 50, "window": 60, "seconds": 180 }"#).unwrap();
    let worst = |set: &tollgate::compile::Configuration| {
        let timeline = Timeline::of(set, &traffic, Watched::default());
        timeline.places(&traffic, Shown::all(&traffic, 10)).1.units
    };
    let of = |word| {
        let variants = policy.variants(0, 0);
        let (_, set) = variants.iter().find(|(own, _)| *own == word).unwrap();
        worst(set)
    };
    assert_eq!((of("sliding_window"), of("fixed_window")), (50, 100));
}
