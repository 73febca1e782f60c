//! Policies that count one caller by the same keys share its record, as far as a record has room for their limits.

use super::super::Policy;
use crate::config::Reader;
use crate::identity::{Key, Source};
use crate::table::Geometry;

/// More alternatives than this are not spelled out; such policies are taken to share with all.
const MOST_SPELLINGS: usize = 64;

/// Sets policies apart that share a record with more limits than it has room for: each of them gets one of its own.
pub(super) fn set_apart(policies: &mut [Policy], keys: &[Key], table: Geometry) {
    let spelled: Vec<_> = policies.iter().map(|policy| spellings(&policy.key, keys)).collect();
    let share = |one: &Spellings<'_>, other: &Spellings<'_>| match (one, other) {
        (Some(one), Some(other)) => one.iter().any(|keys| other.contains(keys)),
        (None, _) | (_, None) => true,
    };
    let limits: Vec<usize> = policies.iter().map(|policy| policy.limits().len()).collect();
    for (policy, own) in policies.iter_mut().zip(&spelled) {
        let others = spelled.iter().zip(&limits).filter(|(other, _)| share(own, other));
        policy.apart = others.map(|(_, limits)| limits).sum::<usize>() > table.most_limits();
    }
}

/// Notes a fault if a policy has more limits than a record has room for.
pub(super) fn check_room(entry: &Reader<'_>, policy: &Policy, table: Geometry) {
    let (limits, most) = (policy.limits().len(), table.most_limits());
    if limits > most {
        let found = format!("{limits} limits, which one record must hold");
        let allowed = format!("at most {most}, what a page of {} bytes has room for", table.page_bytes);
        entry.field("limits").fault_found::<()>(&found, &allowed);
    }
}

/// Lists of keys, by what they are.
type Spellings<'a> = Option<Vec<Vec<&'a str>>>;

/// All lists of keys that a policy's key can stand for. `None`: too many.
fn spellings<'a>(key: &[usize], keys: &'a [Key]) -> Spellings<'a> {
    let mut all = vec![Vec::new()];
    for index in key {
        let alternatives = match keys.get(*index).map(|key| &key.source) {
            Some(Source::FirstOf(alternatives)) => alternatives.as_slice(),
            Some(_) | None => std::slice::from_ref(index),
        };
        let mut longer = Vec::new();
        for one in alternatives.iter().filter_map(|one| keys.get(*one)) {
            longer.extend(all.iter().map(|before| [before.as_slice(), &[one.kind.as_str()]].concat()));
        }
        all = longer;
        if all.len() > MOST_SPELLINGS {
            return None;
        }
    }
    Some(all)
}
