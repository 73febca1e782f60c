//! Values that clients show: in a header, in the query, in a cookie. All of them are bytes from strangers.

/// A header's value: what stands in its first line, behind the scheme if there is to be one.
pub(super) fn in_header<'a>(value: &'a [u8], scheme: Option<&str>) -> Option<&'a [u8]> {
    let value = match scheme {
        Some(scheme) => credentials(value, scheme)?,
        None => first_line(value),
    };
    (!value.is_empty()).then_some(value)
}

/// The first parameter of this name in a path's query, decoded as forms are (WHATWG URL: `+` and `%20` are
/// spaces), so that another spelling of a key is not another caller.
#[inline(never)]
pub(super) fn in_query(path: &[u8], name: &str) -> Option<Vec<u8>> {
    let path = path.split(|byte| *byte == b'#').next()?;
    let query = path.splitn(2, |byte| *byte == b'?').nth(1)?;
    let value = query.split(|byte| *byte == b'&').find_map(|pair| {
        let (found, value) = split_at(pair, b'=');
        (decoded(found, Plus::IsASpace) == name.as_bytes()).then_some(value)
    })?;
    some(decoded(value, Plus::IsASpace))
}

/// The first cookie of this name (RFC 6265, 4.2.1), without quotes around it.
#[inline(never)]
pub(super) fn in_cookies(header: &[u8], name: &str) -> Option<Vec<u8>> {
    // Several lines are joined, with "; " by HTTP/2, or with commas by the host.
    let mut pairs = header.split(|byte| matches!(byte, b';' | b','));
    let value = pairs.find_map(|pair| {
        let (found, value) = split_at(pair.trim_ascii(), b'=');
        (found.trim_ascii() == name.as_bytes()).then_some(value.trim_ascii())
    })?;
    let bare = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
    some(bare.to_vec())
}

/// A segment of a path, decoded, so that another spelling of an id is not another id.
pub(super) fn in_path(segment: &[u8]) -> Option<Vec<u8>> {
    some(decoded(segment, Plus::IsAPlus))
}

/// What the first of several lines of one header says. Envoy joins the lines of the headers it knows, such as
/// `authorization`, with commas, and gives the first line of others: with everything behind a comma left out,
/// a caller who adds a second line is still the caller of the first.
fn first_line(value: &[u8]) -> &[u8] {
    value.split(|byte| *byte == b',').next().unwrap_or_default().trim_ascii()
}

/// The credentials behind an authentication scheme (RFC 9110, 11.4: the scheme in any case, then spaces), up to
/// a space: a server that reads `Bearer abc x` may take `abc`. Or up to a comma, the end of the first line.
fn credentials<'a>(value: &'a [u8], scheme: &str) -> Option<&'a [u8]> {
    let (found, behind) = value.trim_ascii_start().split_at_checked(scheme.len())?;
    let words = behind.trim_ascii_start();
    let apart = words.len() < behind.len();
    if !apart || !found.eq_ignore_ascii_case(scheme.as_bytes()) {
        return None;
    }
    words.split(|byte| *byte == b',' || byte.is_ascii_whitespace()).next()
}

fn split_at(pair: &[u8], separator: u8) -> (&[u8], &[u8]) {
    let mut parts = pair.splitn(2, |byte| *byte == separator);
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}

/// An empty value is no value.
fn some(value: Vec<u8>) -> Option<Vec<u8>> {
    (!value.is_empty()).then_some(value)
}

#[derive(Clone, Copy, PartialEq)]
enum Plus {
    IsASpace,
    IsAPlus,
}

/// With `%41` as `A`. What is no two hexadecimal digits stands for itself.
fn decoded(text: &[u8], plus: Plus) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        let escape = behind.split_first_chunk::<2>().filter(|_| *first == b'%');
        if let Some((byte, behind)) = escape.and_then(|(digits, rest)| Some((hex(*digits)?, rest))) {
            bytes.push(byte);
            rest = behind;
        } else {
            bytes.push(if *first == b'+' && plus == Plus::IsASpace { b' ' } else { *first });
            rest = behind;
        }
    }
    bytes
}

/// A byte from its two hexadecimal digits.
pub(super) fn hex([high, low]: [u8; 2]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use wasm_bindgen_test::wasm_bindgen_test;

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
        for value in
            [&b"Bearer abc,Bearer xyz"[..], b"Bearer abc, Basic xyz", b"Bearer abc x", b"Bearer abc,"]
        {
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
    fn a_key_in_the_query_is_decoded_and_the_first_counts() {
        for path in [
            &b"/x?key=a%20b"[..],
            b"/x?key=a+b",
            b"/x?%6Bey=a+b&key=z",
            b"/x?other=1&key=a+b#key=z",
            b"/x?keys=1&key=%61+b",
        ] {
            assert_eq!(in_query(path, "key").unwrap(), b"a b", "{}", String::from_utf8_lossy(path));
        }
        for path in [&b"/x"[..], b"/x?", b"/x?key", b"/x?key=", b"/x?Key=a", b"/x#?key=a", b"/key=a"] {
            assert_eq!(in_query(path, "key"), None, "{}", String::from_utf8_lossy(path));
        }
        assert_eq!(in_query(b"/?key=%zz%4", "key").unwrap(), b"%zz%4");
        assert_eq!(in_query(b"/?key=a?b=c", "key").unwrap(), b"a?b=c");
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_cookie_is_found_among_others() {
        for header in [&b"s=abc"[..], b"a=1; s=abc", b"a=1;s=\"abc\"; s=z", b"ss=1, s=abc", b" s = abc "] {
            assert_eq!(in_cookies(header, "s").unwrap(), b"abc", "{}", String::from_utf8_lossy(header));
        }
        for header in [&b""[..], b"s", b"s=", b"S=abc", b"as=abc", b"s=\"\""] {
            assert_eq!(in_cookies(header, "s"), None, "{}", String::from_utf8_lossy(header));
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn fa_19_another_spelling_of_an_id_is_the_same_id() {
        assert_eq!(in_path(b"in%76-7").unwrap(), b"inv-7");
        assert_eq!(in_path(b"a+b").unwrap(), b"a+b");
        assert_eq!(in_path(b""), None);
    }

    proptest! {
        #[wasm_bindgen_test(unsupported = test)]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = (bearer(&bytes), in_query(&bytes, "a"), in_cookies(&bytes, "a"), in_path(&bytes));
        }

        #[wasm_bindgen_test(unsupported = test)]
        fn what_is_percent_encoded_comes_back(bytes in proptest::collection::vec(any::<u8>(), 1..40)) {
            let encoded: String = bytes.iter().map(|byte| format!("%{byte:02X}")).collect();
            prop_assert_eq!(in_query(format!("/?a={encoded}").as_bytes(), "a"), Some(bytes.clone()));
            prop_assert_eq!(in_path(encoded.as_bytes()), Some(bytes));
        }
    }
}
