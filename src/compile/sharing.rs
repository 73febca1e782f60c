//! Policies that count one caller by the same keys share its record, as far as a record has room for their limits.

use crate::config::{Lists, Reader};
use crate::rules::Policy;
use crate::rules::{Key, KeySource};
use crate::table::Geometry;

/// More alternatives than this are not spelled out; such policies are taken to share with all.
const MOST_SPELLINGS: usize = 64;

/// Sets policies apart that share a record with more limits than it has room for: each of them gets one of its own.
#[inline(never)]
pub(super) fn set_apart(policies: &mut [Policy], keys: &[Key], table: Geometry) {
    let all: Vec<usize> = (0..policies.len()).collect();
    let limits: Vec<usize> = policies.iter().map(|policy| policy.limits().len()).collect();
    let spelled: Vec<_> = policies.iter().map(|policy| spellings(&policy.key, keys)).collect();
    let (mut sharing, mut with_all) = (Lists::default(), Vec::new());
    for (index, spelled) in spelled.iter().enumerate() {
        match spelled {
            Some(lists) => lists.iter().for_each(|list| sharing.add(list, index)),
            None => with_all.push(index),
        }
    }
    // By policy: the last one that has counted its limits.
    let mut counted_by = vec![usize::MAX; policies.len()];
    for (index, (policy, spelled)) in policies.iter_mut().zip(&spelled).enumerate() {
        let mut sum = 0;
        // More need not be known, so that each looks at few others, however many there are.
        let mut are_too_many = |others: &[usize]| {
            for other in others {
                if sum > table.most_limits() {
                    break;
                }
                let last = counted_by.get_mut(*other).map(|last| std::mem::replace(last, index));
                sum += limits.get(*other).filter(|_| last != Some(index)).copied().unwrap_or_default();
            }
            sum > table.most_limits()
        };
        policy.own_record = match spelled {
            Some(lists) => lists.iter().any(|list| are_too_many(sharing.of(list))) || are_too_many(&with_all),
            None => are_too_many(&all),
        };
    }
}

/// Notes a error if a policy has more limits than a record has room for.
pub(super) fn check_room(entry: &Reader<'_>, policy: &Policy, table: Geometry) {
    let (limits, most) = (policy.limits().len(), table.most_limits());
    if limits > most {
        let found = format!("{limits} limits, which one record must hold");
        let allowed = format!("at most {most}, what a page of {} bytes has room for", table.page_bytes);
        entry.field("limits").error_found::<()>(&found, &allowed);
    }
}

/// All lists of keys that a policy's key can stand for, by what they are, with commas, which are in no name.
/// `None`: too many.
fn spellings(key: &[usize], keys: &[Key]) -> Option<Vec<String>> {
    let mut all = vec![String::new()];
    for index in key {
        let alternatives = match keys.get(*index).map(|key| &key.source) {
            Some(KeySource::FirstOf(alternatives)) => alternatives.as_slice(),
            Some(_) | None => std::slice::from_ref(index),
        };
        let mut longer = Vec::new();
        for one in alternatives.iter().filter_map(|one| keys.get(*one)) {
            longer.extend(all.iter().map(|before| [before, ",", &one.kind].concat()));
        }
        all = longer;
        if all.len() > MOST_SPELLINGS {
            return None;
        }
    }
    Some(all)
}
