//! A key that has the value of another one.

use super::{Beside, Source, SourceKind, field};
use crate::config::{Composite, Field, Kind, Reader, all, forms};
use crate::rules::key::Key;

/// The first of these keys, by index, that the request has a value for.
#[derive(Clone, Debug, PartialEq)]
pub struct FirstOf(pub Vec<usize>);

impl FirstOf {
    pub(super) const FIELD: Field<Composite> = field(
        "first_of",
        Composite::new(Kind::List(&Kind::Text(&forms::KEY_NAME)), "a list of two to eight key names"),
        "two to eight keys, none of them with `first_of`. The first one that the request has is used, as if it stood alone",
    );
}

impl Source for FirstOf {
    const KIND: SourceKind = SourceKind::new(Self::FIELD.name);

    /// A key that has alternatives itself would hide which of them was meant.
    fn parse(field: &Reader<'_>, beside: Beside<'_, '_>) -> Option<Self> {
        let list = field.list(Self::FIELD.kind.allowed)?;
        let one = |entry: &Reader<'_>| {
            let (index, other) = beside.keys.named(entry)?;
            if other.has(Self::FIELD.name) { entry.error("a key without first_of") } else { Some(index) }
        };
        let keys = all(list.iter().map(one));
        if (2..=8).contains(&list.len()) { keys.map(FirstOf) } else { field.error(Self::FIELD.kind.allowed) }
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
