//! Quotas that are unlimited for everybody, or 0 for those who have yet to prove who they are.

use super::{Warning, warn_by_group};
use tollgate::compile::Configuration;
use tollgate::rules::{Key, LimitSet, Policy, Quota, Standing};

/// A limit without an end for any group of callers. `groups` are these groups by name.
pub(super) fn warn_unlimited(
    policy: &Policy,
    groups: &[(&str, &LimitSet)],
    path: &str,
    warnings: &mut Vec<Warning>,
) {
    for i in 0..policy.limit_names.len() {
        let unlimited = |(_, limits): &(&str, &LimitSet)| limits.quota(i) == Some(Quota::Unlimited);
        if groups.iter().all(unlimited) {
            let message =
                |_: &LimitSet| Some("it has no effect: its quota is unlimited for all callers".into());
            warn_by_group(&format!("{path}.limits[{i}].quota"), groups, message, warnings);
        }
    }
}

/// A quota of 0 for callers without a credential. While no response has proved a credential, its requests count
/// as such callers' too.
pub(super) fn warn_unproved(set: &Configuration, policy: &Policy, path: &str, warnings: &mut Vec<Warning>) {
    let tiers = set.rules.callers.tiers.as_ref();
    let anonymous = match tiers {
        Some(tiers) => policy.limit_sets.of_tier(tiers.default),
        None => policy.limit_sets.default(),
    };
    if anonymous.standing() != Standing::Excluded {
        return;
    }
    let mut proved = policy.key.iter().flat_map(|key| set.rules.callers.origins(*key));
    let Some(credential) = proved.find(|key| key.can_be_rejected()) else { return };
    let has_another = |key: &usize| set.rules.callers.origins(*key).any(|key: &Key| !key.can_be_rejected());
    if policy.key.iter().all(has_another) {
        warnings.push(Warning::new(
            path,
            format!(
                "no new {} ever passes, unless it is that of a listed consumer: until a response has proved one, its requests also count as those of a caller without it, whose \
                 quota is 0",
                credential.name
            ),
        ));
    }
}
