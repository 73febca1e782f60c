//! What changes besides policies and callers.

use super::{Changes, Severity, Side, fields};
use tollgate::language::{configuration, table};

/// What is told elsewhere or here.
const TOLD: [&str; 6] = [
    configuration::KEYS.name,
    configuration::CONSUMERS.name,
    configuration::TIERS.name,
    configuration::POLICIES.name,
    configuration::TABLE.name,
    configuration::EXEMPT.name,
];

pub(super) fn compare(old: Side<'_>, new: Side<'_>, changes: &mut Changes) {
    table(old, new, changes);
    exempt(old, new, changes);
    let severity = |field: &str| match field {
        _ if [configuration::REJECT.name, configuration::RETRY_AFTER.name, configuration::HEADERS.name]
            .contains(&field) =>
        {
            Severity::Clients
        }
        _ if [
            configuration::ACCESS_LOG.name,
            configuration::SHADOW_HEADER.name,
            configuration::CONSUMER_NAME.name,
        ]
        .contains(&field) =>
        {
            Severity::Operators
        }
        _ => Severity::Other,
    };
    fields::compare(
        &configuration::OBJECT,
        (Some(old.value), Some(new.value)),
        ("the whole policy", ""),
        &TOLD,
        &severity,
        changes,
    );
}

/// The size of the table, which only a restart can change.
fn table(old: Side<'_>, new: Side<'_>, changes: &mut Changes) {
    let (from, to) = (old.set.rules.table_size, new.set.rules.table_size);
    if from.pages != to.pages {
        changes.add(
            Severity::Restart,
            "table.pages",
            format!("is {}; before: {}", to.pages, from.pages),
            "Tollgate rejects it as a live update. It needs a restart or another vm_id, and either begins at zero",
        );
    }
    if from.page_bytes != to.page_bytes {
        changes.add(
            Severity::Other,
            &format!("table.{}", table::PAGE_BYTES.name),
            format!("is {}; before: {}", to.page_bytes, from.page_bytes),
            "",
        );
    }
}

fn exempt(old: Side<'_>, new: Side<'_>, changes: &mut Changes) {
    let of = |side| super::entries(super::field(side, configuration::EXEMPT.name));
    let (before, after) = (of(old), of(new));
    for one in after.iter().filter(|one| !before.contains(one)) {
        changes.add(
            Severity::Looser,
            "exempt",
            format!("also {}", fields::shown(one)),
            "no policy applies to these requests, and none counts them",
        );
    }
    for one in before.iter().filter(|one| !after.contains(one)) {
        changes.add(
            Severity::Stricter,
            "exempt",
            format!("no longer {}", fields::shown(one)),
            "policies apply to these requests now",
        );
    }
}
