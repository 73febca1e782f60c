//! Costs in words.

use super::meaning::meaning;
use tollgate::compile::Configuration;
use tollgate::config::Words;
use tollgate::language::cost_header;
use tollgate::rules::{CostFrom, CostHeader, Place, Policy, ReportHeader, UnknownCost};

/// What a cost of 0 means.
pub(super) const FREE: &str = "costs nothing and only looks at what is left";

/// A cost that the request states.
pub(super) fn stated_cost(set: &Configuration, from: &CostFrom, otherwise: u32) -> String {
    let CostFrom { key, divide_by, rounds_up, min, max, is_clients } = *from;
    let key = set.rules.callers.keys.get(key).map_or("", |key| &key.name);
    let rounded = match (divide_by.get(), rounds_up) {
        (1, _) => String::new(),
        (divide_by, true) => format!(" / {divide_by}, rounded up"),
        (divide_by, false) => format!(" / {divide_by}, rounded down"),
    };
    let unreadable = if is_clients { format!("; {max} if that is no whole number") } else { String::new() };
    let otherwise = if otherwise == 0 { "nothing".into() } else { units(otherwise) };
    format!(
        "a request costs the number in {key}{rounded}, from {min} to {max}; without it {otherwise}{unreadable}"
    )
}

/// What a request holds: the cost of its match, if that has one.
pub(super) fn hold_words(policy: &Policy, hold: u32) -> String {
    let own = policy.matches.iter().filter(|(_, cost)| cost.is_some()).count();
    match own {
        0 => units(hold),
        _ if own == policy.matches.len() => "the cost of its match".into(),
        _ => format!("the cost of its match, else {},", units(hold)),
    }
}

/// A cost that the response reports.
pub(super) fn real_cost(CostHeader { header, place, without }: &CostHeader, hold: &str) -> String {
    let without = unknown_cost(cost_header::WITHOUT_WORDS, *without);
    let (until, at) = match place {
        Place::Headers => ("its response", "header"),
        Place::Trailers => ("the end of its response", "trailer"),
        Place::Either => ("its response or the end of it", "header or trailer"),
    };
    format!(
        "a request holds {hold} until {until}, and then costs the number in the response {at} {}, else {without}",
        reported(header),
    )
}

/// A cost that nobody has reported.
pub(super) fn unknown_cost(words: &'static Words<UnknownCost>, cost: UnknownCost) -> String {
    if let UnknownCost::Costs(cost) = cost { units(cost) } else { meaning(words, &cost) }
}

/// The name of a header, and whether clients get it.
pub(super) fn reported(ReportHeader { name, remove }: &ReportHeader) -> String {
    if *remove { format!("{name} (removed)") } else { name.clone() }
}

fn units(units: u32) -> String {
    if units == 1 { "1 unit".into() } else { format!("{units} units") }
}
