//! From the configuration as written to the policy set, with every fault it has.

mod counting;
mod keys;
mod limits;
mod saying;

use super::{Key, Policy, PolicySet, comes_back};
use crate::config::{Faults, Reader, Value};
use crate::limiter::Limit;
use crate::table::{Charging, Geometry};
use counting::{a_match, count, on_contention, on_response};
use keys::{KEY, key_indexes, keys};
use limits::Context;
use saying::saying;
use std::cell::RefCell;
use std::num::NonZeroU32;

const NAME: &str = "a name of letters, digits, _ and -, at most 64";
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
    const FIELDS: [&str; 9] = [
        "keys",
        "policies",
        "charge",
        "exempt_preflight",
        "reject",
        "retry_after",
        "headers",
        "access_log",
        "table",
    ];
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
    let saying = saying(&fields, policies.as_deref());
    Some(PolicySet {
        keys: keys?,
        policies: policies?,
        charging: charging?,
        exempt_preflight: exempt_preflight?,
        saying: saying?,
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
    let fields = entry.object(&[
        "name",
        "match",
        "key",
        "limits",
        "count",
        "count_on",
        "refund_on",
        "refund_unless",
        "returns",
        "on_contention",
        "reject",
    ])?;
    let name = fields.required("name", NAME).and_then(|name| name_of(name, name.text(NAME)?));
    let matches = fields.read_or("match", Vec::new(), |list| {
        all(list.list_of_some("a list of at least one match")?.iter().map(a_match))
    });
    let key = fields.required("key", KEY).and_then(|key| key_indexes(key, keys, keys_unknown));
    let policy = name.as_deref().unwrap_or_default();
    let count = count(&fields);
    let context = Context { policy, table, count: count.unwrap_or_default() };
    let limits = fields.required("limits", LIMITS).and_then(|list| limits::read(list, context));
    let on_contention = fields.read_or("on_contention", Default::default(), on_contention);
    let response = on_response(&fields);
    let (limit_names, limits): (Vec<String>, Vec<Limit>) = limits?.into_iter().unzip();
    let (in_flight, spent) = limits.iter().partition(|limit| comes_back(limit));
    Some(Policy {
        matches: matches?,
        key: key?,
        limit_names,
        limits,
        in_flight,
        spent,
        count: count?,
        on_contention: on_contention?,
        response: response?,
        name: name?,
    })
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

/// All of them, each read even after one has failed.
fn all<T>(items: impl IntoIterator<Item = Option<T>>) -> Option<Vec<T>> {
    let items: Vec<Option<T>> = items.into_iter().collect();
    items.into_iter().collect()
}

#[cfg(test)]
mod tests;
