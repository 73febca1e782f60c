//! Compiles the keys: where each caller's name comes from.

use super::super::Key;
use super::{all, name_of};
use crate::config::Reader;
use crate::identity::Source;

const TOKEN: &str = "a header name (letters, digits and !#$%&'*+-.^_`|~)";

/// What the `key` of a policy may be.
pub(super) const KEY: &str = "the name of a key, or a list of such names";

/// Reads the named keys.
pub(super) fn keys(reader: &Reader<'_>) -> Option<Vec<Key>> {
    let entries = reader.named_entries("an object of named keys")?;
    let key = |entry: &Reader<'_>| {
        let name = name_of(entry, entry.name());
        let source = source(entry);
        Some(Key { name: name?, source: source? })
    };
    all(entries.iter().map(key))
}

fn source(reader: &Reader<'_>) -> Option<Source> {
    let fields = reader.object(&["header", "scheme", "prefix", "client_ip"])?;
    let header = fields.read("header", token);
    let scheme = fields.read("scheme", token);
    let prefix = fields.read("prefix", |n| n.whole_number(1..=4_096)).map(|n| n.map(|n| n as usize));
    let client_ip = fields.read("client_ip", ipv6_prefix);
    match (header?, client_ip?) {
        (Some(name), None) => {
            Some(Source::Header { name: name.to_ascii_lowercase(), scheme: scheme?, prefix: prefix? })
        }
        (None, Some(ipv6_prefix))
            if scheme.is_some_and(|s| s.is_none()) && prefix.is_some_and(|p| p.is_none()) =>
        {
            Some(Source::ClientIp { ipv6_prefix })
        }
        (None, Some(_)) => reader.fault_found("scheme or prefix beside client_ip", "client_ip alone"),
        (Some(_), Some(_)) => {
            reader.fault_found("both header and client_ip", "exactly one source: header or client_ip")
        }
        (None, None) => reader.fault_found("no source", "exactly one source: header or client_ip"),
    }
}

fn ipv6_prefix(reader: &Reader<'_>) -> Option<u8> {
    let fields = reader.object(&["ipv6_prefix"])?;
    let prefix = fields.read_or("ipv6_prefix", 64, |n| n.whole_number(1..=128))?;
    u8::try_from(prefix).ok()
}

/// Reads the key of a policy, as indexes. Without any keys every name would be a fault, and the one that matters
/// is already told.
pub(super) fn key_indexes(reader: &Reader<'_>, keys: &[Key], keys_unknown: bool) -> Option<Vec<usize>> {
    let entries = if reader.is_list() { reader.list_of_some(KEY)? } else { vec![reader.clone()] };
    let words: Vec<(&str, usize)> = keys.iter().enumerate().map(|(i, key)| (key.name.as_str(), i)).collect();
    let index =
        |entry: &Reader<'_>| if keys_unknown { entry.text(KEY).map(|_| 0) } else { entry.word(&words) };
    all(entries.iter().map(index))
}

fn token(reader: &Reader<'_>) -> Option<String> {
    let text = reader.text(TOKEN)?;
    let sound = (1..=256).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
    if sound { Some(text.to_string()) } else { reader.fault(TOKEN) }
}
