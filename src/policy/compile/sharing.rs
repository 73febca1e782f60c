//! Policies that count one caller by the same keys share its record, as far as a record has room for their limits.

use super::super::Policy;
use crate::config::{Names, Reader};
use crate::identity::{Key, Source};
use crate::table::Geometry;

/// More alternatives than this are not spelled out; such policies are taken to share with all.
const MOST_SPELLINGS: usize = 64;

/// Sets policies apart that share a record with more limits than it has room for: each of them gets one of its own.
pub(super) fn set_apart(policies: &mut [Policy], keys: &[Key], table: Geometry) {
    let groups = Groups::of(policies, keys);
    let limits: Vec<usize> = policies.iter().map(|policy| policy.limits().len()).collect();
    // By policy: the last one that has counted it.
    let mut counted_by = vec![usize::MAX; policies.len()];
    for (index, policy) in policies.iter_mut().enumerate() {
        let mut sum = 0;
        let mut counts = |other: &usize| {
            let before = counted_by.get_mut(*other).map(|last| std::mem::replace(last, index));
            sum += limits.get(*other).filter(|_| before != Some(index)).copied().unwrap_or_default();
            // More need not be known: so few policies are looked at, however many there are.
            sum > table.most_limits()
        };
        policy.apart = groups.sharing_with(index, &mut counts);
    }
}

/// Policies by the lists of keys that they can count by.
struct Groups {
    /// By list of keys.
    policies: Vec<Vec<usize>>,
    /// By policy the lists. `None`: too many.
    of: Vec<Option<Vec<usize>>>,
    of_too_many: Vec<usize>,
}

impl Groups {
    fn of(policies: &[Policy], keys: &[Key]) -> Groups {
        let mut groups = Groups { policies: Vec::new(), of: Vec::new(), of_too_many: Vec::new() };
        let mut lists = Names::default();
        for (index, policy) in policies.iter().enumerate() {
            let spelled = spellings(&policy.key, keys);
            if spelled.is_none() {
                groups.of_too_many.push(index);
            }
            // A comma is in no name.
            let group = |keys: Vec<&str>| lists.add(keys.join(",").as_bytes());
            let places = spelled.map(|lists| lists.into_iter().map(group).collect::<Vec<_>>());
            let of =
                places.map(|places| places.into_iter().map(|place| groups.place(place, index)).collect());
            groups.of.push(of);
        }
        groups
    }

    fn place(&mut self, group: Option<usize>, policy: usize) -> usize {
        let group = group.unwrap_or_else(|| {
            self.policies.push(Vec::new());
            self.policies.len() - 1
        });
        self.policies.get_mut(group).into_iter().for_each(|group| group.push(policy));
        group
    }

    /// Whether `enough` says so of a policy that shares a record with this one; some come several times.
    fn sharing_with(&self, policy: usize, enough: &mut dyn FnMut(&usize) -> bool) -> bool {
        let Some(Some(own)) = self.of.get(policy) else {
            return (0..self.of.len()).any(|other| enough(&other));
        };
        let alike = own.iter().filter_map(|group| self.policies.get(*group)).flatten();
        alike.chain(&self.of_too_many).any(enough)
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
