//! A key that has the value of another one.

use super::{Beside, Source, SourceKind};
use crate::config::{Reader, all};
use crate::rules::key::Key;

/// The first of these keys, by index, that the request has a value for.
#[derive(Clone, Debug, PartialEq)]
pub struct FirstOf(pub Vec<usize>);

impl Source for FirstOf {
    const KIND: SourceKind = SourceKind::new("first_of");

    /// A key that has alternatives itself would hide which of them was meant.
    fn parse(field: &Reader<'_>, beside: Beside<'_, '_>) -> Option<Self> {
        const KEYS: &str = "a list of two to eight key names";
        let list = field.list(KEYS)?;
        let one = |entry: &Reader<'_>| {
            let (index, other) = beside.keys.named(entry)?;
            if other.has(Self::KIND.field) { entry.error("a key without first_of") } else { Some(index) }
        };
        let keys = all(list.iter().map(one));
        if (2..=8).contains(&list.len()) { keys.map(FirstOf) } else { field.error(KEYS) }
    }

    fn alternatives(&self) -> &[usize] {
        &self.0
    }

    fn describe(&self, keys: &[Key]) -> String {
        let names = self.0.iter().filter_map(|index| keys.get(*index));
        let names: Vec<&str> = names.map(|key| key.name.as_str()).collect();
        names.join(", else ")
    }
}
