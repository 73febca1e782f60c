//! A key that all callers share.

use super::{Beside, Facts, Presence, Source, SourceKind, Whose, field};
use crate::config::{Field, Form, Reader, forms};
use crate::rules::key::Key;
use std::borrow::Cow;

/// This value for everybody.
#[derive(Clone, Debug, PartialEq)]
pub struct Constant(pub String);

impl Constant {
    pub(super) const FIELD: Field<&'static Form<String>> =
        field("constant", &forms::TEXT, "one value for all callers, who then share the limit");
}

impl Source for Constant {
    const KIND: SourceKind = SourceKind {
        vouched: true,
        presence: Presence::Always,
        whose: Whose::Everybodys,
        ..SourceKind::new(Self::FIELD.name)
    };

    fn parse(field: &Reader<'_>, _beside: Beside<'_, '_>) -> Option<Self> {
        field.read(Self::FIELD.kind).map(Constant)
    }

    fn value<'c>(&'c self, _key: &Key, _facts: &impl Facts<'c>) -> Option<Cow<'c, [u8]>> {
        Some(Cow::Borrowed(self.0.as_bytes()))
    }

    fn describe(&self, _keys: &[Key]) -> String {
        "all callers together".into()
    }
}
