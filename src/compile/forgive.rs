//! Compiles the callers that get a fresh start.

use super::consumers::ConsumerContext;
use super::keys::key_index;
use crate::config::{Fields, Reader, all};
use crate::language::{configuration, forgive, forms};
use crate::limiter::{Forgiven, Limit, can_be_forgiven};
use crate::rules::{Digest, Forgive, Key, Policy};

/// Reads the list `forgive`.
#[inline(never)]
pub(super) fn read(
    list: &Reader<'_>,
    context: ConsumerContext<'_>,
    policies: Option<&[Policy]>,
) -> Option<Forgive> {
    const ALLOWED: &str = configuration::FORGIVE.kind.allowed;
    // A value in the wrong place may be a credential: it is not shown.
    if !list.is_list() {
        return list.error_found("not a list", ALLOWED);
    }
    let entries = list.entries();
    if entries.len() > forgive::MAX_ENTRIES {
        return list.error_found(&format!("{} entries", entries.len()), ALLOWED);
    }
    let entries = all(entries.iter().map(|entry| read_entry(entry, context, policies)))?;
    Some(Forgive::new(context.keys.unwrap_or_default(), entries))
}

#[inline(never)]
fn read_entry(
    entry: &Reader<'_>,
    context: ConsumerContext<'_>,
    policies: Option<&[Policy]>,
) -> Option<(usize, Digest, Vec<Forgiven>)> {
    if !entry.is_object() {
        return entry
            .error_found("not an object", "an object with key, value or sha256, policy, limit, before");
    }
    let fields = entry.fields(&forgive::OBJECT)?;
    let index = fields.needed(&forgive::KEY).and_then(|at| key_index(at, context.key_names));
    let before = fields.get(&forgive::BEFORE);
    let keys = context.keys.unwrap_or_default();
    let key = index.and_then(|index| keys.get(index));
    if key.is_some_and(|key| !key.source.alternatives().is_empty()) {
        return fields.present(&forgive::KEY)?.error("a key without first_of: one of its alternatives");
    }
    let digest = digest(&fields, key);
    // If the keys or the policies have errors of their own, only these are reported.
    let limits = match (key, policies) {
        (Some(key), Some(policies)) => limits(&fields, key, keys, policies)?,
        (None, _) | (_, None) => Vec::new(),
    };
    let before = before?;
    Some((index?, digest?, limits.into_iter().map(|limit| Forgiven::new(limit, before)).collect()))
}

/// The digest of the caller's value. Since that may be a secret, no error shows it.
fn digest(fields: &Fields<'_>, key: Option<&Key>) -> Option<Digest> {
    const DIGEST: &str = forms::DIGEST.allowed;
    let is_address = key.is_some_and(|key| key.source.kind().identifies_by_range);
    if let Some(at) = fields.present(&forgive::SHA256) {
        if is_address {
            return at.error_found("the digest of an address", "value, with the address itself");
        }
        let text = if at.is_text() { at.text(DIGEST)? } else { "" };
        let digits = text.strip_prefix("sha256:").unwrap_or(text);
        return Digest::parse(digits)
            .or_else(|| at.error_found(&format!("{} characters", digits.chars().count()), DIGEST));
    }
    let at = fields.present(&forgive::VALUE)?;
    if !at.is_text() {
        return at.error_found("a value that is not text", forgive::VALUE.kind.allowed);
    }
    let text = at.text(forgive::VALUE.kind.allowed)?;
    let value = match key {
        Some(key) => key.value_of(text),
        None => Some(text.as_bytes().to_vec()),
    };
    let value = value.filter(|_| (1..=256).contains(&text.chars().count()));
    value.map(|value| Digest::of(&value)).or_else(|| match is_address {
        true => at.error_found("no IP address", "an IP address, since the key has client_ip"),
        false => at.error_found("a text of another length", forgive::VALUE.kind.allowed),
    })
}

/// The limits and penalties whose counts are forgiven.
fn limits<'p>(
    fields: &Fields<'_>,
    key: &Key,
    keys: &[Key],
    policies: &'p [Policy],
) -> Option<Vec<&'p Limit>> {
    let of_kind = |index: &usize| keys.get(*index).is_some_and(|other| other.kind == key.kind);
    let counts =
        |policy: &&Policy| policy.key.iter().any(|index| Key::origins(keys, index).iter().any(of_kind));
    let counting: Vec<&Policy> = policies.iter().filter(counts).collect();
    let names: Vec<&str> = counting.iter().map(|policy| policy.name.as_str()).collect();
    if names.is_empty() {
        return fields.present(&forgive::KEY)?.error("a key by which a policy counts");
    }
    let Some(at) = fields.present(&forgive::POLICY) else {
        let all: Vec<&Limit> = counting.iter().flat_map(|policy| forgivable(policy, None)).collect();
        return (!all.is_empty())
            .then_some(all)
            .or_else(|| fields.present(&forgive::KEY)?.error(WITH_WINDOW));
    };
    let name = at.text(forgive::POLICY.kind.allowed)?;
    let Some(policy) = counting.iter().find(|policy| policy.name == name) else {
        return at.error_among(&names);
    };
    let limit = fields.present(&forgive::LIMIT);
    let index = match limit {
        None => None,
        Some(at) => {
            let name = at.text(forgive::LIMIT.kind.allowed)?;
            let names: Vec<&str> = policy.limit_names.iter().map(String::as_str).collect();
            Some(names.iter().position(|own| *own == name).or_else(|| at.error_among(&names))?)
        }
    };
    let found: Vec<&Limit> = forgivable(policy, index).collect();
    match found.iter().any(|limit| !limit.is_penalty()) {
        true => Some(found),
        false => limit.unwrap_or(at).error(WITH_WINDOW),
    }
}

const WITH_WINDOW: &str = "a limit with a window: what exists, in flight or in stock, is not forgiven";

/// The limits of a policy that can be forgiven, or only one of them, and its penalty.
fn forgivable(policy: &Policy, only: Option<usize>) -> impl Iterator<Item = &Limit> {
    let is_meant =
        move |(i, limit): &(usize, &Limit)| limit.is_penalty() || only.is_none_or(|only| only == *i);
    let limits = policy.limits().iter().enumerate().filter(is_meant);
    limits.map(|(_, limit)| limit).filter(|limit| can_be_forgiven(limit))
}
