//! Values that clients present in a header, in the query or in a cookie. All of them are untrusted bytes.
//!
//! If this code told two values apart that the upstream reads as one, a client would have one budget for each
//! spelling. So it never distinguishes more than common servers do: if any of them reads two spellings as the
//! same value, they are the same value here.

use super::spelling::{Plus, decoded, hex};

/// How values are read. It should match how the upstream reads them; otherwise the two disagree about who the
/// caller is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reading {
    /// Which value counts if a header, a parameter or a cookie is repeated.
    pub repeated: Repeated,
    /// Whether the names of parameters and cookies ignore case, take `.` and a space for `_`, and may end
    /// with `[]`.
    pub loose_names: bool,
    /// Whether the values of a path parameter ignore case.
    pub ignore_case: bool,
    /// Whether a suffix such as `.json` is removed from a path parameter.
    pub ignore_suffix: bool,
}

/// Which of several different values with the same name counts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Repeated {
    /// None of them: every policy that counts by the key rejects the request.
    #[default]
    Reject,
    /// The first non-empty one.
    First,
    /// The last non-empty one.
    Last,
}

/// What a request presents under one name.
#[derive(Debug, PartialEq)]
pub enum Presented<V> {
    /// This value, which is not empty.
    One(V),
    /// Different values, of which none counts.
    Conflicting,
}

/// The value in the first line of a header, after the authentication scheme if one is expected.
pub fn in_header<'a>(value: &'a [u8], scheme: Option<&str>) -> Option<&'a [u8]> {
    let value = match scheme {
        Some(scheme) => credentials(value, scheme)?,
        None => first_line(value),
    };
    (!value.is_empty()).then_some(value)
}

/// Where a value is looked up.
#[derive(Clone, Copy)]
pub enum Location<'a> {
    /// In all lines of a header, joined with commas, after this authentication scheme if one is expected.
    HeaderLines(Option<&'a str>),
    /// In a query, under this name, decoded like a form (WHATWG URL: `+` and `%20` are spaces). A parameter
    /// also ends at `;`, as it does for some servers.
    Query(&'a str),
    /// In all lines of the cookie header, joined with semicolons, under this name (RFC 6265, 4.2.1). Commas
    /// are part of the value.
    Cookies(&'a str),
}

/// The query of a request target, without the `?`.
pub fn query(path: &[u8]) -> &[u8] {
    let path = path.split(|byte| *byte == b'#').next().unwrap_or_default();
    path.splitn(2, |byte| *byte == b'?').nth(1).unwrap_or_default()
}

/// Some servers stop reading after a number of parameters or cookies (PHP and Express after 1,000).
const MAX_PARTS: usize = 256;

/// The value that counts, of all that the text has. Empty values never count, because no server accepts them.
pub fn find(location: Location<'_>, text: &[u8], reading: Reading) -> Option<Presented<Vec<u8>>> {
    let (end, other_end) = match location {
        Location::HeaderLines(_) => (b',', b','),
        Location::Query(_) => (b'&', b';'),
        Location::Cookies(_) => (b';', b';'),
    };
    let mut found: Option<Vec<u8>> = None;
    // Whether the text has different values, and whether some servers would skip one of them.
    let (mut differ, mut odd) = (false, matches!(location, Location::Query(_)) && text.contains(&b';'));
    for (count, part) in text.split(|byte| *byte == end || *byte == other_end).enumerate() {
        let value = match location {
            Location::HeaderLines(scheme) => in_header(part, scheme).map(<[u8]>::to_vec),
            Location::Query(name) | Location::Cookies(name) => {
                in_pair(part, name, reading.loose_names, matches!(location, Location::Cookies(_)))
            }
        };
        let Some(value) = value.filter(|value| !value.is_empty()) else { continue };
        odd |= !matches!(location, Location::HeaderLines(_)) && (count > MAX_PARTS || is_odd(part));
        match &found {
            Some(other) if *other == value => continue,
            Some(_) => differ = true,
            None => {}
        }
        if reading.repeated == Repeated::Last || found.is_none() {
            found = Some(value);
        }
    }
    if differ && (odd || reading.repeated == Repeated::Reject) {
        return Some(Presented::Conflicting);
    }
    found.map(Presented::One)
}

/// Shows every value that some server may read under a name, and whether every server reads it. An empty one
/// counts, too.
pub fn each_reading(location: Location<'_>, text: &[u8], show: &mut dyn FnMut(&[u8], bool)) {
    let (end, other_end, name, cookie) = match location {
        Location::HeaderLines(_) => return,
        Location::Query(name) => (b'&', b';', name, false),
        Location::Cookies(name) => (b';', b';', name, true),
    };
    let mut pair = |pair: &[u8], may_be_sure: bool| {
        let Some(value) = in_pair(pair, name, true, cookie) else { return };
        show(&value, may_be_sure && !is_odd(pair) && in_pair(pair, name, false, cookie).is_some());
    };
    for (count, part) in text.split(|byte| *byte == end).enumerate() {
        let whole = cookie || !part.contains(&other_end);
        pair(part, whole && count < MAX_PARTS);
        if !whole {
            part.split(|byte| *byte == other_end).for_each(|part| pair(part, false));
        }
    }
}

/// Whether some servers skip a pair that is written like this. Go skips cookies with such bytes, and
/// parameters with a `%` that encodes nothing.
fn is_odd(part: &[u8]) -> bool {
    let mut rest = part.trim_ascii();
    while let Some((byte, behind)) = rest.split_first() {
        let escape = *byte != b'%' || behind.first_chunk().is_some_and(|digits| hex(*digits).is_some());
        if !byte.is_ascii_graphic() || matches!(byte, b'"' | b'\\') || !escape {
            return true;
        }
        rest = behind;
    }
    false
}

/// The value of a `name=value` pair, if it has this name. Without `=`, it is empty.
fn in_pair(pair: &[u8], name: &str, loosely: bool, cookie: bool) -> Option<Vec<u8>> {
    let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
    let (found, value) = (pair.get(..at)?, pair.get(at + 1..).unwrap_or_default());
    if !cookie {
        return is_named(found, name, loosely).then(|| decoded(value, Plus::IsASpace));
    }
    let found = found.trim_ascii();
    let named = found == name.as_bytes() || loosely && is_named(found, name, true);
    named.then(|| cookie_value(value.trim_ascii()))
}

/// Whether a parameter's encoded name is this one. A plain name is compared without an allocation: a client
/// can send thousands.
fn is_named(written: &[u8], name: &str, loosely: bool) -> bool {
    if written == name.as_bytes() {
        return true;
    }
    let plain = !written.iter().any(|byte| matches!(byte, b'%' | b'+'));
    if plain {
        return loosely && loose(written).eq(loose(name.as_bytes()));
    }
    let written = decoded(written, Plus::IsASpace);
    written == name.as_bytes() || loosely && loose(&written).eq(loose(name.as_bytes()))
}

/// A name as ASP.NET and PHP read it: ASP.NET ignores case; to PHP `a.b`, `a b` and `a_b` are the same name,
/// and `a[]` is one of several values of `a`.
fn loose(name: &[u8]) -> impl Iterator<Item = u8> {
    let name = name.trim_ascii_start();
    name.iter().enumerate().map_while(|(at, byte)| match byte {
        b'[' if at > 0 && name.contains(&b']') => None,
        b'.' | b' ' | b'[' => Some(b'_'),
        other => Some(other.to_ascii_lowercase()),
    })
}

/// Normalises a cookie's value: removes quotes and the escapes inside them (as Python does), decodes `%` (as
/// Express, Rack and PHP do), and turns spaces into `+` (since Rack reads `+` as a space).
fn cookie_value(value: &[u8]) -> Vec<u8> {
    let mut value = match value.split_first() {
        // Express' cookie 0.x removes the last character whatever it is.
        Some((b'"', rest)) => {
            let inside = rest.split_last().map_or(rest, |(_, inside)| inside);
            decoded(&unescaped(inside), Plus::IsAPlus)
        }
        Some(_) | None => decoded(value, Plus::IsAPlus),
    };
    value.iter_mut().filter(|byte| **byte == b' ').for_each(|byte| *byte = b'+');
    value
}

/// Resolves escapes: `\101` becomes `A`, and any other `\` is removed.
fn unescaped(quoted: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(quoted.len());
    let mut rest = quoted;
    while let Some((first, behind)) = rest.split_first() {
        let (byte, behind) = match (first, behind) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', behind @ ..]) => {
                ((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'), behind)
            }
            (b'\\', [escaped, behind @ ..]) => (*escaped, behind),
            (_, _) => (*first, behind),
        };
        bytes.push(byte);
        rest = behind;
    }
    bytes
}

/// The first of several lines of one header. Envoy joins the lines of headers that it knows, such as
/// `authorization`, with commas, and returns only the first line of others. Dropping everything after a comma
/// makes both the same, so a caller cannot become another one by adding a second line.
fn first_line(value: &[u8]) -> &[u8] {
    value.split(|byte| *byte == b',').next().unwrap_or_default().trim_ascii()
}

/// The credentials after an authentication scheme (RFC 9110, 11.4: the scheme in any case, then spaces). They
/// end at a space, since a server that reads `Bearer abc x` may accept `abc`, or at a comma, the end of the
/// first line.
fn credentials<'a>(value: &'a [u8], scheme: &str) -> Option<&'a [u8]> {
    let (found, behind) = value.trim_ascii_start().split_at_checked(scheme.len())?;
    let words = behind.trim_ascii_start();
    let apart = words.len() < behind.len();
    if !apart || !found.eq_ignore_ascii_case(scheme.as_bytes()) {
        return None;
    }
    words.split(|byte| *byte == b',' || byte.is_ascii_whitespace()).next()
}

#[cfg(test)]
mod tests {
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
        for header in [
            &b"s=abc"[..],
            b"a=1; s=abc",
            b"a=1;s=\"abc\"; t=z",
            b"ss=1, s=x;s=abc",
            b" s = abc ",
            b"s;s=;s=abc",
        ] {
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
            for path in
                ["/?a=1;key=x&key=real", "/?key=%zz&key=real", "/?key=real&key=%4", "/?key=real;key=x"]
            {
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
}
