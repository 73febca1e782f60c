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
mod tests;
