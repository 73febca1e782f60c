//! Questions about a compiled configuration.

use tollgate::compile::Configuration;
use tollgate::limiter::{Counter, Limit};
use tollgate::rules::{Key, KeySource, Policy};
use tollgate::time::{Now, SECOND};

/// Whether any policy counts by the client's address.
pub(crate) fn counts_addresses(set: &Configuration) -> bool {
    let by_address = |(index, key): (usize, &Key)| {
        matches!(key.source, KeySource::ClientIp { .. }) && counts_by(set, index)
    };
    set.rules.callers.keys.iter().enumerate().any(by_address)
}

/// Whether any policy counts by this key, by index, be it as one of several.
pub(crate) fn counts_by(set: &Configuration, key: usize) -> bool {
    let is_or_has = |of: &usize| {
        *of == key
            || matches!(set.rules.callers.keys.get(*of).map(|of| &of.source), Some(KeySource::FirstOf(keys)) if keys.contains(&key))
    };
    set.rules.policies.iter().any(|policy| policy.key.iter().any(is_or_has))
}

/// Whether any policy is for some paths alone.
pub(crate) fn matches_paths(set: &Configuration) -> bool {
    let by_path = |policy: &Policy| policy.judged().any(|rule| rule.path.is_some());
    set.rules.policies.iter().any(by_path)
}

/// How many clients of one request each, by every key, the table has room for if they spread evenly.
pub(crate) fn clients(set: &Configuration) -> u64 {
    let mut records: Vec<(&[usize], Vec<&Limit>)> = Vec::new();
    for policy in &set.rules.policies {
        match records.iter_mut().find(|(key, _)| *key == policy.key && !policy.own_record) {
            Some((_, limits)) => limits.extend(policy.limits()),
            None => records.push((&policy.key, policy.limits().iter().collect())),
        }
    }
    let bytes: u64 = records.iter().map(|(_, limits)| record_bytes(limits)).sum();
    let page = u64::from(set.rules.geometry.page_bytes).saturating_sub(OF_A_PAGE);
    u64::from(set.rules.geometry.pages.get()) * page / bytes.max(1)
}

/// What a page keeps back for records that grow, its own first bytes, and the host's last one.
const OF_A_PAGE: u64 = 192 + 4 + 1;
/// What a record takes beside its states, and a state beside its bytes.
const OF_A_RECORD: u64 = 14;
const OF_A_STATE: u64 = 11;

fn record_bytes(limits: &[&Limit]) -> u64 {
    OF_A_RECORD + limits.iter().map(|limit| OF_A_STATE + state_bytes(limit)).sum::<u64>()
}

/// After one request, ten days after the start: the longer ago, the longer the numbers.
fn state_bytes(limit: &Limit) -> u64 {
    let now = Now { mono: 864_000 * SECOND, wall: 1_767_222_000 * SECOND };
    let mut counter = Counter::empty(limit, now);
    counter.charge(now, 1);
    let mut bytes = Vec::new();
    counter.write(&mut bytes);
    bytes.len() as u64
}
