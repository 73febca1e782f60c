//! What changes besides policies and callers.

use super::{Changes, Severity, Side, fields};
use crate::applicability::masked;
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

/// Which table it is, and its size, which only a restart can change while it is the same one.
fn table(old: Side<'_>, new: Side<'_>, changes: &mut Changes) {
    let (from, to) = (old.set.rules.table_size, new.set.rules.table_size);
    let name =
        |side: Side<'_>| side.set.rules.table_name.as_deref().unwrap_or("the one without a name").to_owned();
    if old.set.rules.table_name != new.set.rules.table_name {
        changes.add(
            Severity::Anew,
            &format!("table.{}", table::NAME.name),
            format!("is {}; before: {}", name(new), name(old)),
            "the counts of this proxy are in another table, and begin at zero",
        );
        if from.pages != to.pages {
            let what = format!("is {}; before: {}", to.pages, from.pages);
            changes.add(Severity::Other, &format!("table.{}", table::PAGES.name), what, "");
        }
    } else if from.pages != to.pages {
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

/// Entries that give callers a fresh start.
fn forgiven(old: Side<'_>, new: Side<'_>, changes: &mut Changes) {
    let of = |side| super::entries(super::field(side, configuration::FORGIVE.name));
    let (before, after) = (of(old), of(new));
    for one in after.iter().filter(|one| !before.contains(one)) {
        changes.add(
            Severity::Looser,
            "forgive",
            format!("also {}", forgiven_caller(new, one)),
            "what this caller has used does not count, and its block ends, once",
        );
    }
    for one in before.iter().filter(|one| !after.contains(one)) {
        changes.add(
            Severity::Operators,
            "forgive",
            format!("no longer {}", forgiven_caller(old, one)),
            "what was forgiven stays so",
        );
    }
}

/// An entry in words. Its value may be a credential, unless it is an address.
fn forgiven_caller(side: Side<'_>, entry: &Value) -> String {
    let text = |name: &str| entry.get(name).and_then(Value::text);
    let key = text(forgive::KEY.name).unwrap_or_default();
    let declared = side.set.rules.callers.keys.iter().find(|own| own.name == key);
    let is_address = declared.is_some_and(|key| key.source.kind().identifies_by_range);
    let caller = match (text(forgive::VALUE.name), text(forgive::SHA256.name)) {
        (Some(value), _) if is_address => value.to_owned(),
        (Some(value), _) => masked(value.as_bytes()),
        (None, digest) => format!("sha256 {}", digest.unwrap_or_default()),
    };
    let of = |field: &str| text(field).map_or_else(String::new, |name| format!(", {field} {name}"));
    let before = text(forgive::BEFORE.name).unwrap_or_default();
    let (policy, limit) = (of(forgive::POLICY.name), of(forgive::LIMIT.name));
    format!("{key} {caller}{policy}{limit}, before {before}")
}
