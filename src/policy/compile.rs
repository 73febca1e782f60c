//! From the configuration as written to the policy set, with every fault it has.

use super::route::{Match, PathTemplate, TEMPLATE};
use super::{Key, Policy, PolicySet, duration};
use crate::config::{Faults, Fields, Reader, Value};
use crate::identity::Source;
use crate::limiter::sliding_window::Slots;
use crate::limiter::{Algorithm, Limit, LimitId};
use crate::response::{HeaderRules, Rejection, Reset, Upstream};
use crate::table::{Charging, Geometry};
use std::cell::RefCell;
use std::num::NonZeroU32;

const NAME: &str = "a name of letters, digits, _ and -, at most 64";
const TOKEN: &str = "a header name (letters, digits and !#$%&'*+-.^_`|~)";
const KEY: &str = "the name of a key, or a list of such names";
const POLICIES: &str = "a list of at least one policy";
const LIMITS: &str = "a list of at least one limit";

/// Compiles a configuration.
///
/// # Errors
/// All faults, each with its path, what was found and what is allowed.
pub fn compile(value: &Value) -> Result<PolicySet, Faults> {
    let faults = RefCell::new(Faults::default());
    let compiled = policy_set(&Reader::root(value, &faults));
    let faults = faults.into_inner();
    match compiled {
        Some(set) if faults.is_empty() => Ok(set),
        Some(_) | None => Err(faults),
    }
}

fn policy_set(root: &Reader<'_>) -> Option<PolicySet> {
    const FIELDS: [&str; 8] =
        ["keys", "policies", "charge", "exempt_preflight", "reject", "retry_after", "headers", "table"];
    let fields = root.object(&FIELDS)?;
    let geometry = geometry(fields.optional("table"));
    let keys = fields.required("keys", "an object of named keys").and_then(keys);
    let policies = fields.required("policies", POLICIES).and_then(|list| {
        policies(list, keys.as_deref().unwrap_or_default(), keys.is_none(), geometry.unwrap_or(DEFAULT_TABLE))
    });
    let charging = fields.read_or("charge", Charging::default(), |charge| {
        charge.word(&[("all_or_nothing", Charging::AllOrNothing), ("sequential", Charging::Sequential)])
    });
    let exempt_preflight = fields.read_or("exempt_preflight", true, Reader::flag);
    let longest_wait = fields.read_or("retry_after", DEFAULT_LONGEST_WAIT, longest_wait);
    let rejection = fields.read_or("reject", Rejection::default(), rejection);
    let headers = fields.read("headers", |headers| header_rules(headers, policies.as_deref()));
    Some(PolicySet {
        keys: keys?,
        policies: policies?,
        charging: charging?,
        exempt_preflight: exempt_preflight?,
        rejection: Rejection { longest_wait: longest_wait?, ..rejection? },
        headers: headers?,
        geometry: geometry?,
    })
}

const DEFAULT_TABLE: Geometry = Geometry {
    pages: match NonZeroU32::new(16_384) {
        Some(pages) => pages,
        None => NonZeroU32::MIN,
    },
    page_bytes: 1_536,
};

fn geometry(table: Option<&Reader<'_>>) -> Option<Geometry> {
    let Some(table) = table else { return Some(DEFAULT_TABLE) };
    let fields = table.object(&["pages", "page_bytes"])?;
    let pages =
        fields.read_or("pages", u64::from(DEFAULT_TABLE.pages.get()), |n| n.whole_number(1..=1_048_576));
    let bytes =
        fields.read_or("page_bytes", u64::from(DEFAULT_TABLE.page_bytes), |n| n.whole_number(512..=65_535));
    let pages = NonZeroU32::new(u32::try_from(pages?).ok()?)?;
    Some(Geometry { pages, page_bytes: u16::try_from(bytes?).ok()? })
}

fn keys(reader: &Reader<'_>) -> Option<Vec<Key>> {
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

fn policies(list: &Reader<'_>, keys: &[Key], keys_unknown: bool, table: Geometry) -> Option<Vec<Policy>> {
    let entries = list.list_of_some(POLICIES)?;
    let policies: Vec<_> = entries.iter().map(|entry| policy(entry, keys, keys_unknown, table)).collect();
    let mut seen: Vec<&Policy> = Vec::new();
    for (entry, policy) in entries.iter().zip(&policies) {
        let Some(policy) = policy else { continue };
        let ids = |policy: &Policy| policy.limits.iter().map(|limit| limit.id).collect::<Vec<_>>();
        if seen.iter().any(|other| other.name == policy.name) {
            entry.fault_found::<()>(
                format!("a second policy named {}", policy.name),
                "each policy's own name",
            );
        } else if seen.iter().flat_map(|other| ids(other)).any(|id| ids(policy).contains(&id)) {
            entry.fault_found::<()>(
                "a limit that hashes to another's record id",
                "another name for the policy",
            );
        }
        seen.push(policy);
        check_room(entry, policy, &seen, keys, table);
    }
    all(policies)
}

/// Policies with the same key share a record, and it must fit a page.
fn check_room(entry: &Reader<'_>, policy: &Policy, so_far: &[&Policy], keys: &[Key], table: Geometry) {
    let sharing = so_far.iter().filter(|other| other.key == policy.key);
    let limits: usize = sharing.map(|other| other.limits.len()).sum();
    if limits > table.most_limits() {
        let names: Vec<_> =
            policy.key.iter().filter_map(|key| keys.get(*key)).map(|key| key.name.as_str()).collect();
        let found = format!("{limits} limits counted in one record, by the key {}", names.join(", "));
        let (most, bytes) = (table.most_limits(), table.page_bytes);
        let allowed = format!("at most {most}, what a page of {bytes} bytes has room for");
        entry.field("limits").fault_found::<()>(found, allowed);
    }
}

fn policy(entry: &Reader<'_>, keys: &[Key], keys_unknown: bool, table: Geometry) -> Option<Policy> {
    let fields = entry.object(&["name", "match", "key", "limits"])?;
    let name = fields.required("name", NAME).and_then(|name| name_of(name, name.text(NAME)?));
    let matches = fields.read_or("match", Vec::new(), |list| {
        all(list.list_of_some("a list of at least one match")?.iter().map(a_match))
    });
    let key = fields.required("key", KEY).and_then(|key| key_indexes(key, keys, keys_unknown));
    let policy = name.as_deref().unwrap_or_default();
    let limits = fields.required("limits", LIMITS).and_then(|list| limits(list, policy, table));
    let (limit_names, limits) = limits?.into_iter().unzip();
    Some(Policy { matches: matches?, key: key?, limit_names, limits, name: name? })
}

fn a_match(entry: &Reader<'_>) -> Option<Match> {
    const METHOD: &str = "a method in capitals, such as POST";
    let fields = entry.object(&["method", "path"])?;
    let method = fields.read("method", |method| {
        let text = method.text(METHOD)?;
        let capitals = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
        if capitals { Some(text.to_string()) } else { method.fault(METHOD) }
    });
    let path = fields
        .read("path", |path| PathTemplate::parse(path.text(TEMPLATE)?).or_else(|| path.fault(TEMPLATE)));
    Some(Match { method: method?, path: path? })
}

fn key_indexes(reader: &Reader<'_>, keys: &[Key], keys_unknown: bool) -> Option<Vec<usize>> {
    let entries = if reader.is_list() { reader.list_of_some(KEY)? } else { vec![reader.clone()] };
    let words: Vec<(&str, usize)> = keys.iter().enumerate().map(|(i, key)| (key.name.as_str(), i)).collect();
    // Without keys every name would be a fault, and the one that matters is already told.
    let index =
        |entry: &Reader<'_>| if keys_unknown { entry.text(KEY).map(|_| 0) } else { entry.word(&words) };
    all(entries.iter().map(index))
}

fn limits(list: &Reader<'_>, policy: &str, table: Geometry) -> Option<Vec<(String, Limit)>> {
    let entries = list.list_of_some(LIMITS)?;
    let limits: Vec<_> = entries.iter().map(|entry| limit(entry, policy, table)).collect();
    for (i, (entry, limit)) in entries.iter().zip(&limits).enumerate() {
        let twin = |(other, _): &(String, Limit)| limit.as_ref().is_some_and(|(name, _)| name == other);
        if limits.iter().take(i).flatten().any(twin) {
            entry.fault_found::<()>(
                "a second limit of the same name",
                "a name of its own for each limit of a policy",
            );
        }
    }
    all(limits)
}

fn limit(entry: &Reader<'_>, policy: &str, table: Geometry) -> Option<(String, Limit)> {
    const WINDOW: &str = "a length of time such as 60s, 10m, 1h or 7d, from 1s to 366d";
    const QUOTA: &str = "a whole number from 1 to 4294967295";
    let fields = entry.object(&["name", "algorithm", "quota", "window"])?;
    let name = fields.read_or("name", "limit".to_string(), |name| name_of(name, name.text(NAME)?));
    let algorithm = fields.read_or("algorithm", (), |word| word.word(&[("sliding_window", ())]));
    let quota = fields.required("quota", QUOTA).and_then(|n| n.whole_number(1..=u64::from(u32::MAX)));
    let window = fields.required("window", WINDOW).and_then(duration::read);
    let (name, quota, window, ()) = (name?, quota?, window?, algorithm?);
    let quota = NonZeroU32::new(u32::try_from(quota).ok()?)?;
    let slots = Slots::that_fit(quota, window, table.room_for_one_state());
    let id = LimitId::new(policy, &name);
    Some((name, Limit { id, quota, window, algorithm: Algorithm::SlidingWindow(slots) }))
}

/// Longer waits make most Node clients retry at once: their timers hold 2^31-1 ms.
const DEFAULT_LONGEST_WAIT: u64 = 2_147_483;

fn longest_wait(reader: &Reader<'_>) -> Option<u64> {
    let fields = reader.object(&["max"])?;
    fields.read_or("max", DEFAULT_LONGEST_WAIT, |n| n.whole_number(1..=366 * 86_400))
}

fn rejection(reader: &Reader<'_>) -> Option<Rejection> {
    const BODY: &str = "a text";
    const CONTENT_TYPE: &str = "a media type such as application/json";
    let fields = reader.object(&["status", "body", "content_type"])?;
    let default = Rejection::default();
    let status = fields.read_or("status", u64::from(default.status), |n| n.whole_number(400..=599));
    let body = fields.read("body", |body| body.text(BODY).map(str::to_string));
    let content_type = fields.read("content_type", |field| {
        let text = field.text(CONTENT_TYPE)?;
        let sound = text.contains('/') && text.bytes().all(|byte| (0x20..0x7F).contains(&byte));
        if sound { Some(text.to_string()) } else { field.fault(CONTENT_TYPE) }
    });
    let (status, body, content_type) = (u32::try_from(status?).ok()?, body?, content_type?);
    Some(Rejection::new(status, body.unwrap_or(default.body), content_type))
}

fn header_rules(reader: &Reader<'_>, policies: Option<&[Policy]>) -> Option<HeaderRules> {
    let fields = reader.object(&["preset", "describes", "reset", "upstream"])?;
    let preset = fields.required("preset", "x-ratelimit").and_then(|word| word.word(&[("x-ratelimit", ())]));
    let reset = fields.read_or("reset", Reset::NextSlot, |word| {
        word.word(&[("next_slot", Reset::NextSlot), ("full_reset", Reset::FullReset)])
    });
    let upstream = fields.read_or("upstream", Upstream::Replace, |word| {
        word.word(&[("replace", Upstream::Replace), ("keep", Upstream::Keep)])
    });
    // Faulty policies have no names to choose from, and their own faults are told.
    let described = policies.and_then(|policies| described(&fields, policies));
    preset?;
    let (policy, limit) = described?;
    Some(HeaderRules { policy, limit, reset: reset?, upstream: upstream? })
}

/// The policy and the limit, as indexes, that headers describe: `policy/limit`, or `policy` when it has one
/// limit, or nothing at all when there is only one limit to speak of.
fn described(fields: &Fields<'_>, policies: &[Policy]) -> Option<(usize, usize)> {
    let mut words: Vec<(String, (usize, usize))> = Vec::new();
    for (p, policy) in policies.iter().enumerate() {
        let names = policy.limit_names.iter().enumerate();
        words.extend(names.map(|(l, name)| (format!("{}/{name}", policy.name), (p, l))));
    }
    if let ([(_, only)], None) = (words.as_slice(), fields.optional("describes")) {
        return Some(*only);
    }
    for (p, policy) in policies.iter().enumerate().filter(|(_, policy)| policy.limits.len() == 1) {
        words.push((policy.name.clone(), (p, 0)));
    }
    let words: Vec<(&str, (usize, usize))> =
        words.iter().map(|(word, place)| (word.as_str(), *place)).collect();
    let names: Vec<_> = words.iter().map(|(word, _)| *word).collect();
    fields.required("describes", &names.join(", "))?.word(&words)
}

fn name_of(reader: &Reader<'_>, name: &str) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let sound = (1..=64).contains(&name.len()) && name.bytes().all(plain);
    if sound {
        Some(name.to_string())
    } else {
        reader.fault_found(Value::Text(name.into()).to_string(), NAME)
    }
}

fn token(reader: &Reader<'_>) -> Option<String> {
    let text = reader.text(TOKEN)?;
    let sound = (1..=256).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
    if sound { Some(text.to_string()) } else { reader.fault(TOKEN) }
}

/// All of them, each read even after one has failed.
fn all<T>(items: impl IntoIterator<Item = Option<T>>) -> Option<Vec<T>> {
    let items: Vec<Option<T>> = items.into_iter().collect();
    items.into_iter().collect()
}

#[cfg(test)]
mod tests;
