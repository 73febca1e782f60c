//! What changes besides policies and callers.

use super::{Changes, Severity, Side, fields};
use tollgate::config::Value;
use tollgate::language::{configuration, forgive, table};

/// What is told elsewhere or here.
const TOLD: [&str; 7] = [
    configuration::KEYS.name,
    configuration::CONSUMERS.name,
    configuration::TIERS.name,
    configuration::POLICIES.name,
    configuration::TABLE.name,
    configuration::EXEMPT.name,
    configuration::FORGIVE.name,
];

pub(super) fn compare(old: Side<'_>, new: Side<'_>, changes: &mut Changes) {
    table(old, new, changes);
    exempt(old, new, changes);
    forgiven(old, new, changes);
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

/// Entries that give callers a fresh start. The caller's value may be a credential, so it is not shown.
fn forgiven(old: Side<'_>, new: Side<'_>, changes: &mut Changes) {
    let of = |side| super::entries(super::field(side, configuration::FORGIVE.name));
    let (before, after) = (of(old), of(new));
    let text = |one: &Value, name: &str| one.get(name).and_then(Value::text).map(str::to_owned);
    let words = |one: &Value| {
        let key = text(one, forgive::KEY.name).unwrap_or_default();
        let counts = match (text(one, forgive::POLICY.name), text(one, forgive::LIMIT.name)) {
            (Some(policy), Some(limit)) => format!(" in {policy}/{limit}"),
            (Some(policy), None) => format!(" in {policy}"),
            (None, _) => String::new(),
        };
        let instant = text(one, forgive::BEFORE.name).unwrap_or_default();
        format!("one caller, by {key}: what was counted before {instant}{counts}")
    };
    for one in after.iter().filter(|one| !before.contains(one)) {
        let follows = "its counts begin at zero, once, and a block ends; nothing changes for others";
        changes.add(Severity::Looser, configuration::FORGIVE.name, words(one), follows);
    }
    for one in before.iter().filter(|one| !after.contains(one)) {
        let follows = "what was forgiven stays forgiven";
        changes.add(
            Severity::Operators,
            configuration::FORGIVE.name,
            format!("no longer {}", words(one)),
            follows,
        );
    }
}
