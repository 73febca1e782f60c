//! Assigns records: policies that count a caller by the same keys share a record if it has room for all their
//! limits, and otherwise have one each.

use crate::config::{ListsByName, Reader};
use crate::rules::{Key, Policy};
use crate::table::TableSize;

/// A policy whose key stands for more combinations than this is taken to share with all policies.
const MAX_COMBINATIONS: usize = 64;

/// Gives a policy a record of its own if one that it shares would need room for too many limits.
pub(super) fn assign_records(policies: &mut [Policy], keys: &[Key], table: TableSize) {
    let all: Vec<usize> = (0..policies.len()).collect();
    let limits: Vec<usize> = policies.iter().map(|policy| policy.limits().len()).collect();
    let combined: Vec<_> = policies.iter().map(|policy| combinations(&policy.key, keys)).collect();
    let (mut sharing, mut with_all) = (ListsByName::default(), Vec::new());
    for (index, combined) in combined.iter().enumerate() {
        match combined {
            Some(names) => names.iter().for_each(|name| sharing.add(name, index)),
            None => with_all.push(index),
        }
    }
    // By policy: the last policy that has counted its limits, so that none is counted twice.
    let mut counted_by = vec![usize::MAX; policies.len()];
    for (index, (policy, combined)) in policies.iter_mut().zip(&combined).enumerate() {
        let mut sum = 0;
        // It stops as soon as there are too many, so that each policy looks at few others.
        let mut are_too_many = |others: &[usize]| {
            for other in others {
                if sum > table.max_limits() {
                    break;
                }
                let last = counted_by.get_mut(*other).map(|last| std::mem::replace(last, index));
                sum += limits.get(*other).filter(|_| last != Some(index)).copied().unwrap_or_default();
            }
            sum > table.max_limits()
        };
        // The fleet's service keeps a record for each policy.
        policy.own_record = policy.scope.is_fleet()
            || match combined {
                Some(names) => {
                    names.iter().any(|name| are_too_many(sharing.of(name))) || are_too_many(&with_all)
                }
                None => are_too_many(&all),
            };
    }
}

/// Records an error if a policy alone has more limits than a record has room for.
pub(super) fn check_room(entry: &Reader<'_>, policy: &Policy, table: TableSize) {
    let (limits, most) = (policy.limits().len(), table.max_limits());
    if limits > most {
        let found = format!("{limits} limits, which must fit one record");
        let allowed = format!("at most {most}, for which a page of {} bytes has room", table.page_bytes);
        entry.field("limits").error_found::<()>(&found, &allowed);
    }
}

/// All combinations of keys that a policy's key can stand for, as the kinds of the keys between commas, which
/// no name contains. `None`: there are too many.
fn combinations(key: &[usize], keys: &[Key]) -> Option<Vec<String>> {
    let mut all = vec![String::new()];
    for index in key {
        let mut longer = Vec::new();
        for one in Key::origins(keys, index).iter().filter_map(|one| keys.get(*one)) {
            longer.extend(all.iter().map(|before| [before, ",", &one.kind].concat()));
        }
        all = longer;
        if all.len() > MAX_COMBINATIONS {
            return None;
        }
    }
    Some(all)
}
