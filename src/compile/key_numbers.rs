//! Compiles numbers that requests state in the values of keys.

use super::keys::key_index;
use crate::config::Reader;
use crate::language::{cost_from, quota_from};
use crate::rules::{CostFrom, Key, KnownKeys, QuotaFrom};

/// How a request's cost follows from the value of a key.
#[inline(never)]
pub(super) fn cost_from(reader: &Reader<'_>, known: KnownKeys<'_>) -> Option<CostFrom> {
    let fields = reader.fields(&cost_from::OBJECT)?;
    let key = fields.needed(&cost_from::KEY).and_then(|key| key_index(key, known.names));
    let (divide_by, rounds_up) = (fields.get(&cost_from::DIVIDE_BY), fields.get(&cost_from::ROUND));
    let (min, max) = (fields.get(&cost_from::MIN), fields.get(&cost_from::MAX));
    let (key, min, max) = (key?, min?, max?);
    if min > max {
        return not_above(&fields.about(&cost_from::MIN), min, max);
    }
    let is_clients = is_clients(key, known);
    Some(CostFrom { key, divide_by: divide_by?, rounds_up: rounds_up?, min, max, is_clients })
}

/// Whether clients write the value of a key.
fn is_clients(key: usize, known: KnownKeys<'_>) -> bool {
    let keys = known.keys.unwrap_or_default();
    Key::origins(keys, &key).iter().any(|key| keys.get(*key).is_none_or(|key| !key.is_vouched_for()))
}

/// An error: the least number is above the highest.
#[inline(never)]
fn not_above<T>(at: &Reader<'_>, min: u32, max: u32) -> Option<T> {
    at.error_found(&min.to_string(), &["at most max, ", &max.to_string()].concat())
}

/// How the quota of the limit with this index follows from the value of a key.
#[inline(never)]
pub(super) fn quota_from(
    reader: &Reader<'_>,
    limit: usize,
    known: KnownKeys<'_>,
    parameters: impl FnOnce(&mut QuotaFrom),
) -> Option<QuotaFrom> {
    let fields = reader.fields(&quota_from::OBJECT)?;
    let key = fields.needed(&cost_from::KEY).and_then(|key| key_index(key, known.names));
    let (min, max) = (fields.get(&quota_from::MIN), fields.get(&quota_from::MAX));
    let (key, min, max) = (key?, min?, max?);
    if min > max {
        return not_above(&fields.about(&quota_from::MIN), min.get(), max.get());
    }
    let mut from = QuotaFrom { limit, key, min, max, sets_burst: false, most: None, room: 0 };
    parameters(&mut from);
    Some(from)
}
