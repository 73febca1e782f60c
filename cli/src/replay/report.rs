//! What a replay has found, for people and for programs.

mod csv;
mod json;
mod notes;
mod text;

pub use notes::{Note, notes};

use super::Runs;
use super::condition::{Condition, Metric, Share};
use super::log::Read;
use super::policy::Target;
use super::tally::{CallerTally, Tally};
use std::cmp::Reverse;
use tollgate::rules::PolicySet;

/// What a replay has found.
pub struct Report<'r> {
    /// The files, each with the name of its format.
    pub files: Vec<(String, &'static str)>,
    /// What was read.
    pub read: &'r Read,
    /// What happened.
    pub runs: &'r Runs,
    /// What the log cannot say.
    pub notes: Vec<Note>,
    /// Other quotas.
    pub sweep: Vec<SweepPoint>,
    /// The smallest quotas that reject at most a share.
    pub smallest: Option<(Share, Vec<Smallest>)>,
    /// What makes the replay fail, each with what it was compared with, and whether it is fulfilled.
    pub conditions: Vec<Checked>,
    /// How many callers are listed.
    pub top: usize,
}

/// The effect of another quota.
pub struct SweepPoint {
    /// Of which limit.
    pub target: Target,
    /// The quota.
    pub quota: u32,
    /// The requests that any limit rejects.
    pub rejected: u64,
    /// All requests.
    pub requests: u64,
    /// The requests that this limit rejects.
    pub by_limit: u64,
}

/// The smallest quota of a limit that rejects at most a share.
pub struct Smallest {
    /// The limit.
    pub target: Target,
    /// The quota of the policy. `None`: it is not one number.
    pub declared: Option<u32>,
    /// The smallest one. `None`: there is none.
    pub quota: Option<u32>,
}

/// A condition, and what it was compared with.
pub struct Checked {
    /// The condition.
    pub condition: Condition,
    /// How many.
    pub part: u64,
    /// Of how many.
    pub all: u64,
    /// Whether it is fulfilled.
    pub holds: bool,
}

impl Checked {
    /// Compares a condition with what has happened.
    ///
    /// # Errors
    /// It names what there is not.
    pub fn new(condition: &Condition, read: &Read, runs: &Runs) -> Result<Checked, String> {
        let (tally, rules) = (&runs.main.tally, runs.main.rules());
        let compared = |number: u64| match runs.against {
            Some(_) => Ok((number, tally.requests)),
            None => Err(format!("'{condition}' needs --against")),
        };
        let (part, all) = match &condition.metric {
            Metric::Rejected => (tally.rejected, tally.requests),
            Metric::RejectedCallers => {
                let rejected = tally.callers.values().filter(|caller| caller.rejected > 0).count();
                (rejected as u64, tally.callers.len() as u64)
            }
            Metric::NewlyRejected => compared(runs.newly_rejected)?,
            Metric::NoLongerRejected => compared(runs.no_longer_rejected)?,
            Metric::Unreadable => (read.unreadable_lines(), read.lines),
            Metric::Late => (runs.late, read.requests),
            Metric::Policy(name) => {
                let policy = policy_named(rules, name).and_then(|index| tally.policies.get(index));
                let policy = policy.ok_or_else(|| format!("'{condition}': there is no policy {name}"))?;
                (policy.rejected, policy.judged)
            }
            Metric::Limit(policy, name) => {
                let limit = effect_of(rules, tally, policy, Some(name));
                limit.ok_or_else(|| format!("'{condition}': there is no limit {policy}/{name}"))?
            }
        };
        Ok(Checked { condition: condition.clone(), part, all, holds: condition.holds(part, all) })
    }
}

fn policy_named(rules: &PolicySet, name: &str) -> Option<usize> {
    rules.policies.iter().position(|policy| policy.name == name)
}

/// What a limit did: how many requests it rejected, of how many that it judged. Without a name the first one.
pub fn effect_of(rules: &PolicySet, tally: &Tally, policy: &str, limit: Option<&str>) -> Option<(u64, u64)> {
    let index = policy_named(rules, policy)?;
    let names = &rules.policies.get(index)?.limit_names;
    let place = limit.map_or(Some(0), |limit| names.iter().position(|name| name == limit))?;
    let limit = tally.policies.get(index)?.limits.get(place)?;
    Some((limit.rejected, limit.judged))
}

/// The name of a limit; a penalty has none.
fn limit_name(rules: &PolicySet, policy: usize, limit: usize) -> &str {
    let names = rules.policies.get(policy).map(|policy| policy.limit_names.as_slice());
    names.and_then(|names| names.get(limit)).map_or("(block)", String::as_str)
}

fn policy_name(rules: &PolicySet, policy: usize) -> &str {
    rules.policies.get(policy).map_or("", |policy| policy.name.as_str())
}

fn tier_name(rules: &PolicySet, tier: Option<usize>) -> &str {
    let names = rules.callers.tiers.as_ref().map(|tiers| tiers.names.as_slice());
    tier.and_then(|tier| names?.get(tier)).map_or("", String::as_str)
}

/// Bounds of how full a caller's quota was at its fullest moment, in thousandths. Whoever was rejected is in a
/// column of its own.
const FULLNESS: [u64; 4] = [250, 500, 750, 900];

/// Callers of one policy and tier, by their fullest moment: one number for each interval of [`FULLNESS`], then
/// those up to the quota, then those that were rejected.
struct Fullness {
    policy: usize,
    tier: Option<usize>,
    callers: u64,
    columns: [u64; FULLNESS.len() + 2],
}

fn fullness(tally: &Tally) -> Vec<Fullness> {
    let mut rows: Vec<Fullness> = Vec::new();
    for ((policy, _), caller) in &tally.callers {
        let place = rows.iter().position(|row| (row.policy, row.tier) == (*policy, caller.tier));
        let place = place.unwrap_or_else(|| {
            rows.push(Fullness {
                policy: *policy,
                tier: caller.tier,
                callers: 0,
                columns: Default::default(),
            });
            rows.len() - 1
        });
        let column = match caller.rejected {
            0 => FULLNESS.iter().filter(|bound| caller.fullest >= **bound).count(),
            _ => FULLNESS.len() + 1,
        };
        if let Some(row) = rows.get_mut(place) {
            row.callers += 1;
            if let Some(number) = row.columns.get_mut(column) {
                *number += 1;
            }
        }
    }
    rows.sort_by_key(|row| (row.policy, row.tier));
    rows
}

/// Callers in an order that is the same each time, as far as they are at all to be listed.
fn listed<K: Ord>(tally: &Tally, rank: impl Fn(&CallerTally) -> Option<K>) -> Vec<(usize, &CallerTally)> {
    let ranked =
        tally.callers.iter().filter_map(|((policy, _), caller)| Some((rank(caller)?, *policy, caller)));
    let mut ranked: Vec<_> = ranked.collect();
    ranked.sort_by(|(one, policy, caller), (other, other_policy, other_caller)| {
        let ties = (*policy, &caller.label).cmp(&(*other_policy, &other_caller.label));
        other.cmp(one).then(ties)
    });
    ranked.into_iter().map(|(_, policy, caller)| (policy, caller)).collect()
}

/// The most rejected callers.
fn most_rejected(tally: &Tally) -> Vec<(usize, &CallerTally)> {
    listed(tally, |caller| (caller.rejected > 0).then_some((caller.rejected, Reverse(caller.requests))))
}

/// The number of callers that were rejected at least once, by policy.
fn rejected_callers(tally: &Tally, policy: usize) -> u64 {
    let of_policy = tally.callers.iter().filter(|((own, _), _)| *own == policy);
    of_policy.filter(|(_, caller)| caller.rejected > 0).count() as u64
}
