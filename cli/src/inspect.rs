//! Properties of a configuration that both descriptions and warnings need.

use tollgate::compile::Configuration;
use tollgate::limiter::{Counter, Limit};
use tollgate::rules::{Key, Policy};
use tollgate::table::{HOST_SUFFIX, PAGE_HEADER, RECORD_HEADER, RESERVE, STATE_HEADER};
use tollgate::time::{Now, SECOND};

/// Whether any policy counts by the client's address.
pub(crate) fn counts_addresses(set: &Configuration) -> bool {
    let by_address =
        |(index, key): (usize, &Key)| key.source.ipv6_prefix().is_some() && counts_by(set, index);
    set.rules.callers.keys.iter().enumerate().any(by_address)
}

/// Whether any policy counts by the key with this index, alone or as one of several.
pub(crate) fn counts_by(set: &Configuration, key: usize) -> bool {
    let keys = &set.rules.callers.keys;
    let is_or_has = |of: &usize| *of == key || Key::origins(keys, of).contains(&key);
    set.rules.policies.iter().any(|policy| policy.key.iter().any(is_or_has))
}

/// Whether any policy applies only to some paths.
pub(crate) fn matches_paths(set: &Configuration) -> bool {
    let by_path = |policy: &Policy| policy.judged().any(|rule| rule.path().is_some());
    set.rules.policies.iter().any(by_path)
}

/// For how many clients the table has room, if each sends one request with every key and they spread evenly
/// over the pages.
pub(crate) fn table_room(set: &Configuration) -> u64 {
    let mut records: Vec<(&[usize], Vec<&Limit>)> = Vec::new();
    for policy in &set.rules.policies {
        match records.iter_mut().find(|(key, _)| *key == policy.key && !policy.own_record) {
            Some((_, limits)) => limits.extend(policy.limits()),
            None => records.push((&policy.key, policy.limits().iter().collect())),
        }
    }
    let bytes: u64 = records.iter().map(|(_, limits)| record_bytes(limits)).sum();
    let page = u64::from(set.rules.table_size.page_bytes).saturating_sub(PAGE_OVERHEAD);
    u64::from(set.rules.table_size.pages.get()) * page / bytes.max(1)
}

/// Bytes of a page that hold no new records: the reserve for records that grow, the header, and the host's
/// last byte.
const PAGE_OVERHEAD: u64 = (RESERVE + PAGE_HEADER + HOST_SUFFIX) as u64;
/// Bytes of a record besides its states.
const RECORD_OVERHEAD: u64 = RECORD_HEADER as u64;
/// Bytes of a state besides its content, whose length takes one byte.
const STATE_OVERHEAD: u64 = STATE_HEADER as u64 + 1;

fn record_bytes(limits: &[&Limit]) -> u64 {
    RECORD_OVERHEAD + limits.iter().map(|limit| STATE_OVERHEAD + state_bytes(limit)).sum::<u64>()
}

/// The size of a state after one request, ten days after the start of Envoy: numbers get longer with time.
fn state_bytes(limit: &Limit) -> u64 {
    let now = Now { mono: 864_000 * SECOND, wall: 1_767_222_000 * SECOND };
    let mut counter = Counter::empty(limit, now);
    counter.charge(now, 1);
    let mut bytes = Vec::new();
    counter.write(&mut bytes);
    bytes.len() as u64
}
