//! Whether policies apply to a request, and why.

use crate::describe::{key, request_match};
use tollgate::compile::Configuration;
use tollgate::decision::{AppliedPolicy, Role};
use tollgate::engine::caller::{Caller, ConsumerCache};
use tollgate::engine::{applying, exempts, exempts_caller, role};
use tollgate::http::{Request, RequestCache};
use tollgate::identity::{Seed, Seeds};
use tollgate::rules::{Key, Part, Policy, RequestMatch};
use tollgate::time::Micros;

/// Whether a policy applies to a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Applicability {
    /// It limits the request. For each of its keys, the caller that is counted.
    Counts(Vec<String>),
    /// The same in shadow: it never rejects.
    Shadows(Vec<String>),
    /// The request may return a unit. For each of its keys, the caller that gets it.
    Returns(Vec<String>),
    /// It applies, and all its limits are unlimited for this caller. For each of its keys, the caller.
    Unlimited(Vec<String>),
    /// It rejects every request of this caller, since a quota is 0. For each of its keys, the caller.
    Excludes(Vec<String>),
    /// It does not apply, for this reason.
    Not(String),
}

/// Whether each policy applies to a request at a time since the UNIX epoch, in the order of the
/// configuration.
pub fn applicability_of<R: Request>(
    set: &Configuration,
    asked: &RequestCache<'_, R>,
    wall: Micros,
) -> Vec<Applicability> {
    // Identities are not shown, so any seed will do.
    let seeds = Seeds { table: Seed::new([0; Seed::LEN]), fleet: None };
    let cache = ConsumerCache::default();
    let caller = Caller::new(asked, &set.rules.callers, &cache, &seeds, &[]);
    if let Some(reason) = exemption(set, &caller) {
        return set.rules.policies.iter().map(|_| Applicability::Not(reason.clone())).collect();
    }
    let applied = applying(&set.rules, asked, &caller, wall, &mut Vec::new());
    let applicability = |(index, policy)| match applied.iter().find(|one| one.policy == index) {
        Some(one) => counted(set, policy, one, &caller),
        None if !policy.is_open(wall) => Applicability::Not("it is outside its schedule".into()),
        None => Applicability::Not(why_not(set, policy, &caller, &applied)),
    };
    set.rules.policies.iter().enumerate().map(applicability).collect()
}

fn exemption<R: Request>(set: &Configuration, caller: &Caller<'_, R>) -> Option<String> {
    let asked = caller.request();
    if let Some(rule) = set.rules.exempt.iter().find(|rule| caller.matches(rule)) {
        return Some(format!("{} is exempt", request_match(rule, &set.rules.callers)));
    }
    let exempt = exempts(&set.rules, asked) || exempts_caller(&set.rules, caller);
    exempt.then(|| "a CORS preflight is exempt".into())
}

fn counted<R: Request>(
    set: &Configuration,
    policy: &Policy,
    applied: &AppliedPolicy,
    caller: &Caller<'_, R>,
) -> Applicability {
    let rule = role(policy, caller).and_then(|(_, rule)| rule);
    let caller_of = |key: &usize| {
        if caller.is_ambiguous(&[*key], rule) {
            let key = set.rules.callers.keys.get(*key)?;
            let why = match &key.part {
                Part::List(_) => "which the request has several times, or with too many elements",
                Part::Usual | Part::Whole | Part::Element { .. } => "which the request has several times",
            };
            return Some(format!("{}, {why}, so it is rejected", key.name));
        }
        let (_, value) = caller.value(*key, rule)?;
        Some(shown(set.rules.callers.keys.get(caller.source_of(*key, rule)?)?, &value))
    };
    let callers = policy.key.iter().filter_map(caller_of).collect();
    match applied.role {
        Role::Returns(_) => Applicability::Returns(callers),
        Role::Unlimited => Applicability::Unlimited(callers),
        Role::Judges(_) | Role::Excluded if applied.shadow => Applicability::Shadows(callers),
        Role::Judges(_) => Applicability::Counts(callers),
        Role::Excluded => Applicability::Excludes(callers),
    }
}

fn why_not<R: Request>(
    set: &Configuration,
    policy: &Policy,
    caller: &Caller<'_, R>,
    applied: &[AppliedPolicy],
) -> String {
    let Some((_, rule)) = role(policy, caller) else { return mismatches(set, policy, caller) };
    let lacks = |index: &&usize| caller.value(**index, rule).is_none();
    if let Some(lacking) = policy.key.iter().find(lacks).and_then(|index| set.rules.callers.keys.get(*index))
    {
        return format!("the request has no {} ({})", lacking.name, key(lacking, &set.rules.callers));
    }
    let rivals = applied.iter().filter_map(|one| set.rules.policies.get(one.policy));
    let rival =
        rivals.filter(|other| other.class & policy.class != 0).map(|policy| policy.name.as_str()).next();
    format!("{} of the same class applies", rival.unwrap_or("another"))
}

/// Why none of the matches fits the request.
fn mismatches<R: Request>(set: &Configuration, policy: &Policy, caller: &Caller<'_, R>) -> String {
    let (asked, callers) = (caller.request(), &set.rules.callers);
    if let Some(rule) = policy.except.iter().find(|rule| caller.matches(rule)) {
        return format!("{} is excluded", request_match(rule, callers));
    }
    let mismatch = |rule: &RequestMatch| rule.why_not(asked, &callers.keys);
    let mut reasons: Vec<String> = policy.judged().map(mismatch).collect();
    reasons.dedup();
    reasons.join(", ")
}

/// The value of a key, masked if it may be a secret.
pub(crate) fn shown(key: &Key, value: &[u8]) -> String {
    let value = if key.source.kind().secret { masked(value) } else { key.source.show(value) };
    format!("{} {value}", key.name)
}

/// The first four characters, or fewer of a short value, and the length.
pub(crate) fn masked(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    let most = (text.chars().count() / 2).min(4);
    let start: String = text.chars().take(most).collect();
    format!("\"{}…\" ({} bytes)", start.escape_debug(), value.len())
}
