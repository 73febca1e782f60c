//! `block_for`, `count: rejected`, `count_on` and `reset_on`: what rejects callers for their rejections, and what
//! forgives them.

use super::Warning;
use super::made_up::counts_by_address;
use tollgate::compile::Configuration;
use tollgate::http::StatusSet;
use tollgate::limiter::Limit;
use tollgate::rules::{Key, Mode, Policy, Whose};
use tollgate::table::Count;
use tollgate::time::{Micros, SECOND};

pub(super) fn warn_bans(
    set: &Configuration,
    index: usize,
    policy: &Policy,
    path: &str,
    warnings: &mut Vec<Warning>,
) {
    if let Some(message) = short_block(policy) {
        warnings.push(Warning::new(format!("{path}.block_for"), message));
    }
    if policy.response.count.as_ref().is_some_and(is_only_429) {
        warnings.push(Warning::new(
            format!("{path}.count_on"),
            "it counts only 429s of the upstream's own; to count what Tollgate rejects, use count: rejected",
        ));
    }
    if policy.response.reset.is_some() && counts_by_address(set, policy) {
        warnings.push(Warning::new(
            format!("{path}.reset_on"),
            "whoever has one valid account sets the count of its address to zero with it, and goes on guessing at others; \
             count by account and address, with a list of both keys",
        ));
    }
    if policy.count == Count::Rejected {
        warn_rejections(set, index, policy, path, warnings);
    }
}

fn is_only_429(statuses: &StatusSet) -> bool {
    let (ranges, inverted) = statuses.ranges();
    !inverted && ranges.iter().all(|range| *range == (429..=429))
}

/// A block that ends before the limits would admit again.
fn short_block(policy: &Policy) -> Option<String> {
    let penalty = policy.limits().iter().find(|limit| limit.algorithm.blocks())?;
    // A short one that grows does add something in the end.
    let block = penalty.algorithm.parameters().growth.lengths().last().unwrap_or(penalty.window);
    let limits = policy.limits().iter().filter(|limit| !limit.is_penalty());
    // Whoever has used up a window of one unit a second waits for as long as the window.
    let shortest = limits.map(window).min().flatten().filter(|(window, _)| block < *window)?;
    let (shortest, slides) = shortest;
    Some(if slides {
        format!(
            "a caller that has used up a limit at once is rejected for {} s anyway, and this adds nothing; use a longer time",
            shortest / SECOND
        )
    } else {
        format!(
            "a caller that has used up a limit is rejected until the window ends anyway, and this adds something only in its last {} s; use a longer time",
            block / SECOND
        )
    })
}

/// How long a limit may reject by itself, and whether its window slides, so that it does whenever the units
/// are used up at once. `None`: it is not known, or a unit comes back much earlier.
fn window(limit: &Limit) -> Option<(Micros, bool)> {
    limit.algorithm.counts_windows().then_some((limit.window, limit.algorithm.slides()))
}

fn warn_rejections(
    set: &Configuration,
    index: usize,
    policy: &Policy,
    path: &str,
    warnings: &mut Vec<Warning>,
) {
    let others = set.rules.policies.iter().enumerate().filter(|(other, _)| *other != index);
    let rejects = |other: &Policy| other.mode != Mode::Shadow && other.count != Count::Rejected;
    if !others.into_iter().any(|(_, other)| rejects(other)) {
        warnings.push(Warning::new(
            format!("{path}.count"),
            "no other policy ever rejects a request, so nothing is counted here",
        ));
    }
    if let Some((name, why)) = policy.key.iter().find_map(|key| forgeable(set, *key)) {
        warnings.push(Warning::new(format!("{path}.key"), format!("{name} {why}")));
    }
}

/// A key, or one of its alternatives, whose value a client can choose, so that another caller is rejected for
/// what this client does. With several keys, one that cannot be chosen is enough.
fn forgeable(set: &Configuration, key: usize) -> Option<(&str, &'static str)> {
    let why = |key: &Key| {
        match key.source.kind().whose {
        Whose::Targets => Some(
            "is chosen by the client: anybody can have any value of it rejected for everybody; count by who asks, such as client_ip",
        ),
        Whose::Everyones => Some("is the same for all callers: one of them can have all of them rejected"),
        Whose::Callers => key.can_be_made_up().then_some(
            "can be made up: a rejected client takes another value, and whoever knows the value of another caller can have \
             that one rejected; set valid for it, or count by client_ip",
        ),
    }
    };
    set.rules.callers.origins(key).find_map(|key| Some((key.name.as_str(), why(key)?)))
}
