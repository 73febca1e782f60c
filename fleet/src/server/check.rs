//! What a proxy may send. Everything is checked before the engine is asked: whoever has the token may still be broken.

use hyper::StatusCode;
use std::fmt;
use tollgate::fleet::MAX_LIMITS;
use tollgate::fleet::message::{Entry, Exchange, VERSION};
use tollgate::fleet::units::MAX_ENTRIES;

/// The longest name of a policy. The policy language allows no longer ones.
const MAX_NAME: usize = 64;

/// The most numbers, reports, corrections or uses of one list. A worker sends fewer.
const MAX_ITEMS: usize = 1_024;

/// What a path asks for.
#[derive(Debug, PartialEq)]
pub(super) enum Call {
    Join,
    Exchange,
}

/// Why something is not answered.
#[derive(Debug, PartialEq)]
pub(super) enum Wrong {
    Path,
    Version(String),
    Malformed,
    TooMany { what: &'static str, found: usize, max: usize },
    Name,
    NoLimits,
}

impl Wrong {
    pub fn status(&self) -> StatusCode {
        match self {
            Wrong::Path => StatusCode::NOT_FOUND,
            Wrong::Version(_) | Wrong::Malformed | Wrong::TooMany { .. } | Wrong::Name | Wrong::NoLimits => {
                StatusCode::BAD_REQUEST
            }
        }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wrong::Path => writeln!(f, "no such fleet or call: /v1/FLEET/join, /v1/FLEET/exchange"),
            Wrong::Version(found) => {
                writeln!(f, "found version {found}; this service supports version {VERSION}")
            }
            Wrong::Malformed => writeln!(f, "not a message"),
            Wrong::TooMany { what, found, max } => {
                writeln!(f, "found {found} {what}; at most {max} are allowed")
            }
            Wrong::Name => {
                writeln!(f, "a policy's name has 1 to {MAX_NAME} letters, digits, _ and -")
            }
            Wrong::NoLimits => writeln!(f, "an entry has no limit"),
        }
    }
}

/// What a path asks for: `/v1/FLEET/join` or `/v1/FLEET/exchange`.
pub(super) fn call(path: &str, fleet: &str) -> Result<Call, Wrong> {
    let rest = path.strip_prefix("/v").ok_or(Wrong::Path)?;
    let (version, rest) = rest.split_once('/').ok_or(Wrong::Path)?;
    let (named, call) = rest.split_once('/').ok_or(Wrong::Path)?;
    if version.parse() != Ok(VERSION) {
        let is_number =
            (1..=20).contains(&version.len()) && version.bytes().all(|byte| byte.is_ascii_digit());
        return Err(if is_number { Wrong::Version(version.into()) } else { Wrong::Path });
    }
    match call {
        _ if named != fleet => Err(Wrong::Path),
        "join" => Ok(Call::Join),
        "exchange" => Ok(Call::Exchange),
        _ => Err(Wrong::Path),
    }
}

/// Reads a message and checks its sizes.
pub(super) fn exchange(bytes: &[u8]) -> Result<Exchange, Wrong> {
    match version(bytes) {
        Some(VERSION) => {}
        Some(other) => return Err(Wrong::Version(other.to_string())),
        None => return Err(Wrong::Malformed),
    }
    let exchange = Exchange::decode(bytes).map_err(|_| Wrong::Malformed)?;
    at_most("entries", exchange.entries.len(), MAX_ENTRIES)?;
    exchange.entries.iter().try_for_each(entry)?;
    Ok(exchange)
}

fn entry(entry: &Entry) -> Result<(), Wrong> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !(1..=MAX_NAME).contains(&entry.policy.len()) || !entry.policy.bytes().all(is_name) {
        return Err(Wrong::Name);
    }
    if entry.limits.is_empty() {
        return Err(Wrong::NoLimits);
    }
    at_most("limits of an entry", entry.limits.len(), MAX_LIMITS)?;
    at_most("forgiven limits of an entry", entry.forgive.len(), MAX_LIMITS)?;
    at_most("open numbers of an entry", entry.open.len(), MAX_ITEMS)?;
    at_most("lost numbers of an entry", entry.lost.len(), MAX_ITEMS)?;
    at_most("reports of an entry", entry.reports.len(), MAX_ITEMS)?;
    at_most("corrections of an entry", entry.corrections.len(), MAX_ITEMS)?;
    let uses = entry.reports.iter().map(|report| report.used.len()).sum();
    at_most("uses of an entry", uses, MAX_ITEMS)
}

fn at_most(what: &'static str, found: usize, max: usize) -> Result<(), Wrong> {
    if found > max { Err(Wrong::TooMany { what, found, max }) } else { Ok(()) }
}

/// The version of a message, which is its first field in all versions. `None`: it is not a message.
fn version(bytes: &[u8]) -> Option<u64> {
    const TAG: u8 = 1 << 3;
    let rest = bytes.strip_prefix(&[TAG])?;
    let (mut number, mut shift) = (0u64, 0u32);
    for byte in rest.iter().take(10) {
        number |= u64::from(byte & 0x7F).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
        shift += 7;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroU32;
    use tollgate::identity::Identity;
    use tollgate::limiter::{Algorithm, FixedWindow, Limit, LimitId};
    use tollgate::time::SECOND;

    #[test]
    fn another_version_is_named_beside_the_one_that_is_supported() {
        let wrong = exchange(&[8, 0xAC, 2]).unwrap_err();
        assert_eq!(wrong.to_string(), "found version 300; this service supports version 1\n");
        assert_eq!(call("/v2/prod/join", "prod"), Err(Wrong::Version("2".into())));
    }

    #[test]
    fn a_path_names_the_fleet_exactly() {
        assert_eq!(call("/v1/prod/join", "prod"), Ok(Call::Join));
        for path in ["/v1/prod2/join", "/v1/pro/join", "/v1/prod/join/", "/v1/prod", "/vx/prod/join", "/", ""]
        {
            assert_eq!(call(path, "prod"), Err(Wrong::Path), "{path}");
        }
    }

    #[test]
    fn each_list_of_an_entry_is_bounded() {
        let many = vec![1; MAX_ITEMS + 1];
        let sound = Entry {
            policy: "api".into(),
            caller: Identity { page: 1, fingerprint: 2 },
            limits: vec![Limit {
                id: LimitId(7),
                quota: NonZeroU32::MIN,
                window: SECOND,
                algorithm: Algorithm::FixedWindow(FixedWindow),
            }],
            number: 2,
            ..Entry::default()
        };
        assert_eq!(entry(&sound), Ok(()));
        let entry_of = |limit: &Limit| tollgate::limiter::Forgiven::new(limit, 0);
        let forgive = vec![entry_of(&sound.limits[0]); MAX_LIMITS + 1];
        let lists = [
            Entry { open: many.clone(), ..sound.clone() },
            Entry { lost: many, ..sound.clone() },
            Entry { forgive, ..sound },
        ];
        for long in lists {
            assert!(matches!(entry(&long), Err(Wrong::TooMany { found: 1_025, .. })));
        }
    }

    #[test]
    fn random_bytes_are_not_a_message() {
        for bytes in [&b""[..], b"\x08", b"\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", b"GET / HTTP"] {
            assert_eq!(exchange(bytes), Err(Wrong::Malformed));
        }
    }
}
