//! What changes between two policies, in words: for whom, how, and what becomes of the counts.
//!
//! Nothing can be forgotten: every field that is written differently is told, with its declaration's own words
//! where nothing better is known ([`fields`]). What is written differently and means the same is no difference:
//! both are compiled, and what the engine would evaluate is compared first.

mod callers;
mod counts;
mod fields;
mod limits;
mod policies;
mod sections;
#[cfg(test)]
mod tests;

pub use counts::{Fate, LimitCounts};

use std::fmt::{self, Write};
use std::hash::{DefaultHasher, Hasher};
use tollgate::compile::Configuration;
use tollgate::config::Value;

/// A policy file: as it is written, and compiled.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// The tree of values.
    pub value: &'a Value,
    /// What the engine evaluates.
    pub set: &'a Configuration,
}

/// How much a change matters to an operator; what matters most comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// A live update is refused.
    Restart,
    /// Counts begin anew.
    Anew,
    /// More requests are rejected.
    Stricter,
    /// Other requests, or other callers.
    Other,
    /// Fewer requests are rejected.
    Looser,
    /// Clients see something else.
    Clients,
    /// Only operators see something else.
    Operators,
}

/// All of them, in order.
pub const SEVERITIES: [Severity; 7] = [
    Severity::Restart,
    Severity::Anew,
    Severity::Stricter,
    Severity::Other,
    Severity::Looser,
    Severity::Clients,
    Severity::Operators,
];

impl Severity {
    /// A heading.
    pub fn words(self) -> &'static str {
        match self {
            Severity::Restart => "needs a restart",
            Severity::Anew => "counts begin anew",
            Severity::Stricter => "rejects more",
            Severity::Other => "limits differently",
            Severity::Looser => "rejects less",
            Severity::Clients => "clients see",
            Severity::Operators => "operators see",
        }
    }

    /// A word, for programs.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Restart => "restart",
            Severity::Anew => "anew",
            Severity::Stricter => "stricter",
            Severity::Other => "other",
            Severity::Looser => "looser",
            Severity::Clients => "clients",
            Severity::Operators => "operators",
        }
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// How much it matters.
    pub severity: Severity,
    /// What it is about, such as `api/minute`.
    pub subject: String,
    /// What changes.
    pub what: String,
    /// What follows from it; may be empty.
    pub follows: String,
}

/// All changes, in order of severity, and what becomes of the counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diff {
    /// The changes.
    pub changes: Vec<Change>,
    /// For each limit of the new policy, what becomes of its counts.
    pub counts: Vec<LimitCounts>,
}

impl Diff {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// The changes while they are gathered.
#[derive(Default)]
struct Changes(Vec<Change>);

impl Changes {
    fn add(
        &mut self,
        severity: Severity,
        subject: &str,
        what: impl Into<String>,
        follows: impl Into<String>,
    ) {
        let (what, follows) = (what.into(), follows.into());
        self.0.push(Change { severity, subject: subject.into(), what, follows });
    }
}

/// What changes from one policy to another.
pub fn diff(old: Side<'_>, new: Side<'_>) -> Diff {
    let counts = counts::counts(old, new);
    if old.value == new.value || meaning(old.set) == meaning(new.set) {
        return Diff { changes: Vec::new(), counts };
    }
    let mut changes = Changes::default();
    policies::compare(old, new, &mut changes);
    callers::compare(old, new, &mut changes);
    sections::compare(old, new, &mut changes);
    let mut changes = changes.0;
    changes.sort_by_key(|change| change.severity);
    Diff { changes, counts }
}

/// Equal for configurations that mean the same. (It may differ for some, whose parts have no order.)
fn meaning(set: &Configuration) -> u64 {
    struct Into(DefaultHasher);
    impl Write for Into {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0.write(text.as_bytes());
            Ok(())
        }
    }
    let mut hasher = Into(DefaultHasher::new());
    // It is always written.
    let _ = write!(hasher, "{set:?}");
    hasher.0.finish()
}

/// A field of the whole configuration.
fn field<'a>(side: Side<'a>, name: &str) -> Option<&'a Value> {
    side.value.get(name).filter(|value| **value != Value::Null)
}

/// The entries of a list; of one that is written without a list, itself.
fn entries(value: Option<&Value>) -> Vec<&Value> {
    match value {
        Some(Value::List(list)) => list.iter().collect(),
        Some(one) if *one != Value::Null => vec![one],
        Some(_) | None => Vec::new(),
    }
}

/// Entries with their names.
fn named(value: Option<&Value>) -> Vec<(&str, &Value)> {
    match value {
        Some(Value::Object(fields)) => fields.iter().map(|(name, value)| (name.as_str(), value)).collect(),
        Some(_) | None => {
            let name = |one: &&Value| one.get("name").and_then(Value::text).is_some();
            let all = entries(value).into_iter().filter(name);
            all.map(|one| (one.get("name").and_then(Value::text).unwrap_or_default(), one)).collect()
        }
    }
}
