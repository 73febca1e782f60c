use super::*;
use proptest::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

fn reading(repeated: Repeated) -> Reading {
    Reading { repeated, ..Reading::default() }
}

fn in_query(path: &[u8], name: &str, reading: Reading) -> Option<Presented<Vec<u8>>> {
    find(Location::Query(name), super::query(path), reading)
}

fn in_cookies(lines: &[u8], name: &str, reading: Reading) -> Option<Presented<Vec<u8>>> {
    find(Location::Cookies(name), lines, reading)
}

fn in_lines(lines: &[u8], scheme: Option<&str>, repeated: Repeated) -> Option<Presented<Vec<u8>>> {
    find(Location::HeaderLines(scheme), lines, reading(repeated))
}

/// What a request that says it once says.
fn one(found: Option<Presented<Vec<u8>>>) -> Option<Vec<u8>> {
    match found {
        Some(Presented::One(value)) => Some(value),
        Some(Presented::Conflicting) | None => None,
    }
}

fn query(path: &[u8]) -> Option<Vec<u8>> {
    one(in_query(path, "key", Reading::default()))
}

fn session(header: &[u8]) -> Option<Vec<u8>> {
    one(in_cookies(header, "s", Reading::default()))
}

fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

fn bearer(value: &[u8]) -> Option<&[u8]> {
    in_header(value, Some("Bearer"))
}

#[wasm_bindgen_test(unsupported = test)]
fn bi_3_the_scheme_is_not_part_of_the_key_and_its_case_does_not_matter() {
    for value in [&b"Bearer abc"[..], b"bearer abc", b"BEARER   abc", b"Bearer\tabc"] {
        assert_eq!(bearer(value).unwrap(), b"abc");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn bi_11_what_is_no_bearer_key_is_no_key() {
    for value in [&b""[..], b"Bearer", b"Bearer ", b"Bearerabc", b"Basic abc"] {
        assert_eq!(bearer(value), None);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn x_7_of_repeated_lines_the_first_counts_however_they_are_joined() {
    for value in [&b"Bearer abc,Bearer xyz"[..], b"Bearer abc, Basic xyz", b"Bearer abc x", b"Bearer abc,"] {
        assert_eq!(bearer(value).unwrap(), b"abc");
    }
    assert_eq!(bearer(b"Basic xyz,Bearer abc"), None);
    assert_eq!(in_header(b"k1,k2", None).unwrap(), b"k1");
    assert_eq!(in_header(b" ,k2", None), None);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_key_of_any_bytes_is_a_key() {
    assert_eq!(bearer(b"Bearer \xFF\xFE\x80").unwrap(), b"\xFF\xFE\x80");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_key_in_the_query_is_decoded() {
    for path in [
        &b"/x?key=a%20b"[..],
        b"/x?key=a+b",
        b"/x?%6Bey=a+b&key=a%20b",
        b"/x?other=1&key=a+b#key=z",
        b"/x?keys=1&key=%61+b",
        b"/x?key=a+b;z=1",
        b"/x?z=1;key=a+b",
    ] {
        assert_eq!(query(path).unwrap(), b"a b", "{}", text(path));
    }
    for path in [&b"/x"[..], b"/x?", b"/x?key", b"/x?key=", b"/x?Key=a", b"/x#?key=a", b"/key=a"] {
        assert_eq!(in_query(path, "key", Reading::default()), None, "{}", text(path));
    }
    assert_eq!(query(b"/?key=%zz%4").unwrap(), b"%zz%4");
    assert_eq!(query(b"/?key=a?b=c").unwrap(), b"a?b=c");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_cookie_is_found_among_others() {
    for header in
        [&b"s=abc"[..], b"a=1; s=abc", b"a=1;s=\"abc\"; t=z", b"ss=1, s=x;s=abc", b" s = abc ", b"s;s=;s=abc"]
    {
        assert_eq!(session(header).unwrap(), b"abc", "{}", text(header));
    }
    for header in [&b""[..], b"s", b"s=", b"S=abc", b"as=abc", b"s=\"\"", b"s=\"", b"a=1,s=abc"] {
        assert_eq!(in_cookies(header, "s", Reading::default()), None, "{}", text(header));
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a7_a_cookie_is_the_same_in_every_spelling_that_a_server_reads() {
    for header in [
        &b"s=re+al"[..],
        b"s=re%2bal",
        b"s=re al",
        b"s=re%20al",
        b"s=\"re+%61l\"",
        b"s=\"re\\053\\141l\"",
        b"s=\"\\re\\+al\"",
        b"s=\"re+alX",
    ] {
        assert_eq!(session(header).unwrap(), b"re+al", "{}", text(header));
    }
    assert_eq!(session(b"s=a\\b").unwrap(), b"a\\b", "not in quotes");
    assert_eq!(session(b"s=\"\\").unwrap_or_default(), b"");
}

#[wasm_bindgen_test(unsupported = test)]
fn a7_of_repeated_ones_that_differ_none_counts_or_the_first_or_the_last() {
    for (repeated, expected) in [
        (Repeated::Reject, Presented::Conflicting),
        (Repeated::First, Presented::One(b"fake".to_vec())),
        (Repeated::Last, Presented::One(b"real".to_vec())),
    ] {
        let cookies = in_cookies(b"s=; s=fake; a=1; s=real; s", "s", reading(repeated));
        assert_eq!(cookies.as_ref(), Some(&expected));
        let query = in_query(b"/?key=&key=fake&a=1&key=real&key=", "key", reading(repeated));
        assert_eq!(query.as_ref(), Some(&expected));
        let lines = in_lines(b",Bearer fake,Basic x,bearer real,Bearer", Some("Bearer"), repeated);
        assert_eq!(lines.as_ref(), Some(&expected));
        // The same in other spellings is no other.
        assert_eq!(
            in_cookies(b"s=r%65al; s=real", "s", reading(repeated)).and_then(|v| one(Some(v))).unwrap(),
            b"real"
        );
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a7_what_some_servers_pass_over_makes_no_first_and_no_last() {
    for repeated in [Repeated::First, Repeated::Last] {
        for path in ["/?a=1;key=x&key=real", "/?key=%zz&key=real", "/?key=real&key=%4", "/?key=real;key=x"] {
            let found = in_query(path.as_bytes(), "key", reading(repeated));
            assert_eq!(found, Some(Presented::Conflicting), "{path}");
        }
        let many = format!("/?key=real{}&key=x", "&a=1".repeat(300));
        assert_eq!(in_query(many.as_bytes(), "key", reading(repeated)), Some(Presented::Conflicting));
        for cookies in
            ["s=x\"y; s=real", "s=real; s=a\\b", "s=\u{e9}; s=real", "s=\"x\"; s=real", "s=a b; s=real"]
        {
            let found = in_cookies(cookies.as_bytes(), "s", reading(repeated));
            assert_eq!(found, Some(Presented::Conflicting), "{cookies}");
        }
        // Once is once, however it is written.
        assert_eq!(one(in_query(b"/?a=1;key=%zz", "key", reading(repeated))).unwrap(), b"%zz");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a7_names_may_be_read_as_loosely_as_the_server_reads_them() {
    let loose = Reading { loose_names: true, ..Reading::default() };
    for name in [
        "api_key",
        "API_Key",
        "api.key",
        "api+key",
        "api%20key",
        "api[key",
        "api_key[]",
        "api_key[0]",
        "%41pi_key",
        "+api_key",
    ] {
        let path = format!("/?{name}=a");
        assert_eq!(one(in_query(path.as_bytes(), "api_key", loose)).unwrap(), b"a", "{name}");
    }
    assert_eq!(in_query(b"/?apikey=a&api_keys=b&api=c", "api_key", loose), None);
    assert_eq!(one(in_cookies(b"SESSION=a; x=1", "session", loose)).unwrap(), b"a");
}

proptest! {
    #[wasm_bindgen_test(unsupported = test)]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80), loose_names in any::<bool>()) {
        for repeated in [Repeated::Reject, Repeated::First, Repeated::Last] {
            let reading = Reading { repeated, loose_names, ..Reading::default() };
            let _ = (in_query(&bytes, "a", reading), in_cookies(&bytes, "a", reading));
            let _ = (bearer(&bytes), in_lines(&bytes, Some("Bearer"), repeated));
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn what_is_percent_encoded_comes_back(bytes in proptest::collection::vec(any::<u8>(), 1..40)) {
        let encoded: String = bytes.iter().map(|byte| format!("%{byte:02X}")).collect();
        prop_assert_eq!(query(format!("/?key={encoded}").as_bytes()), Some(bytes.clone()));
        let spaced: Vec<u8> = bytes.iter().map(|byte| if *byte == b' ' { b'+' } else { *byte }).collect();
        prop_assert_eq!(session(format!("s={encoded}").as_bytes()), Some(spaced.clone()));
        let octal: String = bytes.iter().map(|byte| format!("\\{byte:03o}")).collect();
        let plain = !bytes.contains(&b'%');
        let quoted = format!("s=\"{octal}\"");
        prop_assert!(!plain || session(quoted.as_bytes()) == Some(spaced));
    }

    /// Whatever a client adds to what it shows, one value counts and it is one that is there, or none
    /// does.
    #[wasm_bindgen_test(unsupported = test)]
    fn repeating_never_makes_a_value_that_is_not_there(values in prop::collection::vec("[ab]{0,2}", 1..6)) {
        let told: Vec<&str> = values.iter().map(String::as_str).filter(|value| !value.is_empty()).collect();
        let pairs = |separator: &str| values.iter().map(|value| format!("key={value}")).collect::<Vec<_>>().join(separator);
        for (repeated, expected) in [(Repeated::First, told.first()), (Repeated::Last, told.last())] {
            let expected = expected.map(|value| Presented::One(value.as_bytes().to_vec()));
            let (query, cookies) = (format!("/?{}", pairs("&")), pairs("; "));
            prop_assert_eq!(&in_query(query.as_bytes(), "key", reading(repeated)), &expected);
            prop_assert_eq!(&in_cookies(cookies.as_bytes(), "key", reading(repeated)), &expected);
        }
        let same = told.iter().all(|value| Some(value) == told.first());
        let found = in_cookies(pairs(";").as_bytes(), "key", Reading::default());
        let expected = told.first().map(|first| if same { Presented::One(first.as_bytes().to_vec()) } else { Presented::Conflicting });
        prop_assert_eq!(found, expected);
    }
}
