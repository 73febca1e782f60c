//! Reads a key's value from a request.

use crate::http::client_ip::client_ip;
use crate::http::credential::{self, Location, Presented, Reading, Repeated};
use crate::http::{Elements, MetadataValue, PathTemplate, Request, RequestCache, decimal, element, spelling};
use crate::rules::{Callers, Key, KeySource, Part};
use std::borrow::Cow;

/// What a request has for a key.
pub(super) enum KeyValue<'a> {
    /// This value, which is not empty.
    One(Cow<'a, [u8]>),
    /// A list, which is not empty.
    List(Elements),
    /// Different values, of which none counts.
    Conflicting,
    /// Metadata that cannot tell callers apart, such as an object.
    Unreadable,
}

/// The value of a key that is read from the request itself. `None`: the request does not present one.
pub(super) fn read<'a, R: Request>(request: &'a RequestCache<'a, R>, key: &Key) -> Option<KeyValue<'a>> {
    let value = undivided(request, key)?;
    match (&key.part, value) {
        (Part::List(separator), KeyValue::One(text)) => {
            let list = Elements::of(&text, separator);
            (!list.is_empty()).then_some(KeyValue::List(list))
        }
        (Part::Element { separator, index }, KeyValue::One(text)) => {
            Some(KeyValue::One(Cow::Owned(element(&text, separator, *index)?.to_vec())))
        }
        (Part::Usual | Part::Whole | Part::List(_) | Part::Element { .. }, value) => Some(value),
    }
}

/// The value before a separator divides it.
fn undivided<'a, R: Request>(request: &'a RequestCache<'a, R>, key: &Key) -> Option<KeyValue<'a>> {
    let Key { source, reading, part, .. } = key;
    let uncached = request.uncached();
    let (location, text) = match source {
        KeySource::Header { name, scheme: None } if *part != Part::Usual => {
            let lines = uncached.lines(name)?;
            let value = lines.trim_ascii();
            return (!value.is_empty()).then(|| KeyValue::One(Cow::Owned(value.to_vec())));
        }
        KeySource::Header { name, scheme } if reading.repeated == Repeated::First => {
            let value = match request.header(name)? {
                Cow::Borrowed(value) => Cow::Borrowed(credential::in_header(value, scheme.as_deref())?),
                Cow::Owned(value) => Cow::Owned(credential::in_header(&value, scheme.as_deref())?.to_vec()),
            };
            return Some(KeyValue::One(value));
        }
        // Clients without an address share the empty one, so they are limited together.
        KeySource::ClientIp { ipv6_prefix } => {
            let address = uncached.source_address().unwrap_or_default();
            return Some(KeyValue::One(Cow::Owned(client_ip(address, *ipv6_prefix))));
        }
        KeySource::Metadata(path) => return of_metadata(uncached.metadata(path)?),
        KeySource::Header { name, scheme } => {
            (Location::HeaderLines(scheme.as_deref()), Cow::Owned(uncached.lines(name)?))
        }
        KeySource::Query(name) => (Location::Query(name), Cow::Borrowed(credential::query(request.target()))),
        KeySource::Cookie(name) => (Location::Cookies(name), Cow::Borrowed(request.cookies()?)),
        KeySource::PathParameter(_)
        | KeySource::Consumer(_)
        | KeySource::Constant(_)
        | KeySource::FirstOf(_) => return None,
    };
    Some(match credential::find(location, &text, *reading)? {
        Presented::One(value) => KeyValue::One(Cow::Owned(value)),
        Presented::Conflicting => KeyValue::Conflicting,
    })
}

/// The one reading that each kind of value has.
fn of_metadata(value: MetadataValue) -> Option<KeyValue<'static>> {
    // No text is UTF-8 that begins like this.
    const NO_TEXT: u8 = 0xFF;
    let text = match value {
        MetadataValue::Text(mut text) => {
            // Nor may one that is not UTF-8 pass for a list or for bits.
            text.iter_mut().take(1).filter(|first| **first == NO_TEXT).for_each(|first| *first -= 1);
            text
        }
        MetadataValue::Flag(flag) => MetadataValue::word(flag).into(),
        MetadataValue::Number(number) if !number.is_finite() => return Some(KeyValue::Unreadable),
        MetadataValue::Number(number) => match decimal(number) {
            Some(digits) => digits.into_bytes(),
            // It is told from others by its bits, and equals no text.
            None => {
                let mut bits = vec![NO_TEXT];
                bits.extend_from_slice(&number.to_le_bytes());
                bits
            }
        },
        MetadataValue::List(list) => return (!list.is_empty()).then_some(KeyValue::List(list)),
        MetadataValue::Object { is_empty } => return (!is_empty).then_some(KeyValue::Unreadable),
    };
    (!text.is_empty()).then_some(KeyValue::One(Cow::Owned(text)))
}

/// The value of a path parameter. `None`: it is empty, or the template has no such parameter.
pub(super) fn path_parameter<R: Request>(
    request: &RequestCache<'_, R>,
    template: &PathTemplate,
    name: &str,
    reading: Reading,
) -> Option<Vec<u8>> {
    let strips = template.strips_parameters();
    let decoded = request.decoded_path(strips).filter(|path| template.matches_decoded(path));
    let mut rest = decoded.unwrap_or(request.path());
    for _ in 0..=template.index_of(name)? {
        let slash = rest.iter().position(|byte| *byte == b'/')?;
        rest = rest.get(slash + 1..)?;
    }
    let segment = rest.split(|byte| *byte == b'/').next()?;
    let mut value = if decoded.is_some() { segment.to_vec() } else { spelling::segment(segment, strips) };
    if reading.ignore_suffix {
        value.truncate(spelling::without_suffix(&value).len());
    }
    if reading.ignore_case {
        value.make_ascii_lowercase();
    }
    (!value.is_empty()).then_some(value)
}

/// Whether a request presents anything that identifies a caller: any key's header, query parameter or cookie.
/// Headers that browsers send on their own do not count.
pub(super) fn shows_any_key<'a, R: Request>(request: &'a RequestCache<'a, R>, callers: &Callers) -> bool {
    const OF_BROWSERS: [&str; 6] =
        ["accept", "accept-encoding", "accept-language", "origin", "referer", "user-agent"];
    let shown = |key: &Key| match &key.source {
        KeySource::Header { name, .. } => {
            !OF_BROWSERS.contains(&name.as_str()) && request.header(name).is_some()
        }
        KeySource::Query(_) | KeySource::Cookie(_) => read(request, key).is_some(),
        KeySource::ClientIp { .. }
        | KeySource::Metadata(_)
        | KeySource::PathParameter(_)
        | KeySource::Consumer(_)
        | KeySource::Constant(_)
        | KeySource::FirstOf(_) => false,
    };
    callers.keys.iter().any(shown)
}
