//! Reads a key's value from a request.

use crate::http::client_ip::client_ip;
use crate::http::credential::{self, Found, Place, Reading, Repeated};
use crate::http::{PathTemplate, Request, RequestCache, spelling};
use crate::rules::{Callers, Key, Source};
use std::borrow::Cow;

/// What a request says of a key that it has itself.
#[inline(never)]
pub(super) fn read<'a, R: Request>(
    asked: &'a RequestCache<'a, R>,
    key: &Key,
) -> Option<Found<Cow<'a, [u8]>>> {
    let Key { source, reading, .. } = key;
    let request = asked.request();
    let (place, text) = match source {
        Source::Header { name, scheme } if reading.repeated == Repeated::First => {
            let value = match asked.header(name)? {
                Cow::Borrowed(value) => Cow::Borrowed(credential::in_header(value, scheme.as_deref())?),
                Cow::Owned(value) => Cow::Owned(credential::in_header(&value, scheme.as_deref())?.to_vec()),
            };
            return Some(Found::One(value));
        }
        // A client without an address is still a client: all of them together.
        Source::ClientIp { ipv6_prefix } => {
            let address = request.source_address().unwrap_or_default();
            return Some(Found::One(Cow::Owned(client_ip(address, *ipv6_prefix))));
        }
        Source::Metadata(path) => {
            let found = request.metadata(path)?;
            return (!found.is_empty()).then_some(Found::One(Cow::Owned(found)));
        }
        Source::Header { name, scheme } => {
            (Place::Lines(scheme.as_deref()), Cow::Owned(request.lines(name)?))
        }
        Source::Query(name) => (Place::Query(name), Cow::Borrowed(credential::query(asked.target()))),
        Source::Cookie(name) => (Place::Cookies(name), Cow::Owned(request.cookies()?)),
        Source::PathParameter(_) | Source::Consumer(_) | Source::Constant(_) | Source::FirstOf(_) => {
            return None;
        }
    };
    Some(match credential::find(place, &text, *reading)? {
        Found::One(value) => Found::One(Cow::Owned(value)),
        Found::Several => Found::Several,
    })
}

/// The value of a path parameter.
#[inline(never)]
pub(super) fn path_parameter<R: Request>(
    asked: &RequestCache<'_, R>,
    template: &PathTemplate,
    name: &str,
    reading: Reading,
) -> Option<Vec<u8>> {
    let parameters = template.parameters_are_apart();
    let read = asked.read_path(parameters).filter(|path| template.matches_reading(path));
    let mut rest = read.unwrap_or(asked.path());
    for _ in 0..=template.place_of(name)? {
        let slash = rest.iter().position(|byte| *byte == b'/')?;
        rest = rest.get(slash + 1..)?;
    }
    let segment = rest.split(|byte| *byte == b'/').next()?;
    let mut value = if read.is_some() { segment.to_vec() } else { spelling::segment(segment, parameters) };
    if reading.ignore_suffix {
        value.truncate(spelling::without_suffix(&value).len());
    }
    if reading.ignore_case {
        value.make_ascii_lowercase();
    }
    (!value.is_empty()).then_some(value)
}

/// Whether a request shows anything that a caller can be known by: what any key reads of a header, the query or a
/// cookie. Some headers a browser sends of itself.
#[inline(never)]
pub(super) fn shows_any_key<'a, R: Request>(asked: &'a RequestCache<'a, R>, callers: &Callers) -> bool {
    const OF_BROWSERS: [&str; 6] =
        ["accept", "accept-encoding", "accept-language", "origin", "referer", "user-agent"];
    let shown = |key: &Key| match &key.source {
        Source::Header { name, .. } => !OF_BROWSERS.contains(&name.as_str()) && asked.header(name).is_some(),
        Source::Query(_) | Source::Cookie(_) => read(asked, key).is_some(),
        Source::ClientIp { .. }
        | Source::Metadata(_)
        | Source::PathParameter(_)
        | Source::Consumer(_)
        | Source::Constant(_)
        | Source::FirstOf(_) => false,
    };
    callers.keys.iter().any(shown)
}
