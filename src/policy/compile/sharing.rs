//! Policies that count one caller by the same keys share its record, and a record must fit a page.

use super::super::Policy;
use super::policies::Context;
use crate::config::Reader;
use crate::identity::{Key, Source};

/// More alternatives than this are not spelled out; such policies are taken to share with all.
const MOST_SPELLINGS: usize = 64;

/// Notes a fault if the policy brings too many limits into a record that it shares with those before it.
pub(super) fn check_room(entry: &Reader<'_>, policy: &Policy, so_far: &[&Policy], context: Context<'_>) {
    let Some(keys) = context.keys else { return };
    let own = spellings(&policy.key, keys);
    let shares = |other: &&&Policy| match (&own, spellings(&other.key, keys)) {
        (Some(own), Some(others)) => own.iter().any(|one| others.contains(one)),
        (None, _) | (_, None) => true,
    };
    let limits: usize = so_far.iter().filter(shares).map(|other| other.limits().len()).sum();
    let most = context.table.most_limits();
    if limits > most {
        let names: Vec<_> =
            policy.key.iter().filter_map(|key| keys.get(*key)).map(|key| key.name.as_str()).collect();
        let found = format!("{limits} limits counted in one record, by the key {}", names.join(", "));
        let allowed =
            format!("at most {most}, what a page of {} bytes has room for", context.table.page_bytes);
        entry.field("limits").fault_found::<()>(&found, &allowed);
    }
}

/// All lists of keys that a policy's key can stand for. `None`: too many.
fn spellings<'a>(key: &[usize], keys: &'a [Key]) -> Option<Vec<Vec<&'a str>>> {
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
