//! Normalises spellings of paths and credentials, so that a differently encoded path does not bypass a
//! policy, and a differently encoded credential is not another caller.

/// How `+` is decoded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Plus {
    /// As a space, as in forms and queries.
    IsASpace,
    /// As itself.
    IsAPlus,
}

/// Decodes `%41` to `A`. A `%` without two hexadecimal digits after it is kept.
pub fn decoded(text: &[u8], plus: Plus) -> Vec<u8> {
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

/// Parses two hexadecimal digits.
pub fn hex([high, low]: [u8; 2]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

/// Decodes a segment of a path and, with `parameters`, drops everything from its first `;`. An encoded slash
/// does not end the segment, so it becomes a zero byte.
pub fn segment(written: &[u8], parameters: bool) -> Vec<u8> {
    let name = written.split(|byte| parameters && *byte == b';').next().unwrap_or_default();
    let mut segment = decoded(name, Plus::IsAPlus);
    segment.iter_mut().filter(|byte| **byte == b'/').for_each(|byte| *byte = 0);
    segment
}

/// The path as a server reads it that decodes each segment, drops its parameters (with `parameters`), and
/// then resolves `.` and `..`: `/a/..;x/log%69n` is `/login`. `None`: the path has neither `%` nor, with
/// `parameters`, `;`, so every server reads it as it is.
pub fn path(written: &[u8], parameters: bool) -> Option<Vec<u8>> {
    if !written.iter().any(|byte| *byte == b'%' || parameters && *byte == b';') {
        return None;
    }
    let mut read: Vec<u8> = Vec::with_capacity(written.len());
    for text in written.strip_prefix(b"/")?.split(|byte| *byte == b'/') {
        let mut segment = segment(text, parameters);
        match segment.as_slice() {
            // The segment had nothing but parameters.
            b"" if !text.is_empty() => {}
            b"." => {}
            b".." => read.truncate(read.iter().rposition(|byte| *byte == b'/').unwrap_or(0)),
            _ => {
                read.push(b'/');
                read.append(&mut segment);
            }
        }
    }
    if read.is_empty() {
        read.push(b'/');
    }
    Some(read)
}

/// Removes all suffixes: `login.json` becomes `login`. A dot at the beginning does not start a suffix.
pub fn without_suffix(name: &[u8]) -> &[u8] {
    let dot = name.iter().skip(1).position(|byte| *byte == b'.');
    dot.and_then(|dot| name.get(..=dot)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test(unsupported = test)]
    fn a_path_is_read_as_servers_read_it() {
        for (written, read) in [
            ("/log%69n", "/login"),
            ("/login;a=b", "/login"),
            ("/a;x/b;y=/c", "/a/b/c"),
            ("/a/..;/login", "/login"),
            ("/a/%2e%2E/login", "/login"),
            ("/..;/..;/login", "/login"),
            ("/.;/login", "/login"),
            ("/;x/login", "/login"),
            ("/a/..;", "/"),
            ("/;", "/"),
            ("/a;x/", "/a/"),
            ("/a%2Fb", "/a\0b"),
            ("/%zz", "/%zz"),
            ("/100%", "/100%"),
        ] {
            let found = path(written.as_bytes(), true).unwrap();
            assert_eq!(String::from_utf8(found).unwrap(), read, "{written}");
        }
        assert_eq!(path(b"/login", true), None);
        assert_eq!(path(b"/login;a", false), None);
        assert_eq!(path(b"*;%", true), None);
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_name_loses_its_suffix_and_keeps_its_first_dot() {
        for (name, left) in [
            ("login.json", "login"),
            ("a.b.c", "a"),
            (".well", ".well"),
            (".a.b", ".a"),
            ("a.", "a"),
            ("", ""),
        ] {
            assert_eq!(without_suffix(name.as_bytes()), left.as_bytes(), "{name}");
        }
    }
}
