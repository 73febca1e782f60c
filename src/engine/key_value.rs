//! Reads a key's value from a request.

use crate::http::client_ip::client_ip;
use crate::http::credential::{self, Location, Presented, Reading, Repeated};
use crate::http::{PathTemplate, Request, RequestCache, spelling};
use crate::rules::{Callers, Key, KeySource};
use std::borrow::Cow;

/// The value of a key that is read from the request itself. `None`: the request does not present one.
pub(super) fn read<'a, R: Request>(
    request: &'a RequestCache<'a, R>,
    key: &Key,
) -> Option<Presented<Cow<'a, [u8]>>> {
    let Key { source, reading, .. } = key;
    let uncached = request.uncached();
    let (location, text) = match source {
        KeySource::Header { name, scheme } if reading.repeated == Repeated::First => {
            let value = match request.header(name)? {
                Cow::Borrowed(value) => Cow::Borrowed(credential::in_header(value, scheme.as_deref())?),
                Cow::Owned(value) => Cow::Owned(credential::in_header(&value, scheme.as_deref())?.to_vec()),
            };
            return Some(Presented::One(value));
        }
        // Clients without an address share the empty one, so they are limited together.
        KeySource::ClientIp { ipv6_prefix } => {
            let address = uncached.source_address().unwrap_or_default();
            return Some(Presented::One(Cow::Owned(client_ip(address, *ipv6_prefix))));
        }
        KeySource::Metadata(path) => {
            let found = uncached.metadata(path)?;
            return (!found.is_empty()).then_some(Presented::One(Cow::Owned(found)));
        }
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
        Presented::One(value) => Presented::One(Cow::Owned(value)),
        Presented::Conflicting => Presented::Conflicting,
    })
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
