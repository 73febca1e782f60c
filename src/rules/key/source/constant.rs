//! A key that all callers share.

use super::{Beside, Facts, Presence, Source, SourceKind, Whose};
use crate::config::Reader;
use crate::rules::key::Key;
use crate::rules::key::texts::text;
use std::borrow::Cow;

/// This value for everybody.
#[derive(Clone, Debug, PartialEq)]
pub struct Constant(pub String);

impl Source for Constant {
    const KIND: SourceKind = SourceKind {
        vouched: true,
        presence: Presence::Always,
        whose: Whose::Everybodys,
        ..SourceKind::new("constant")
    };

    fn parse(field: &Reader<'_>, _beside: Beside<'_, '_>) -> Option<Self> {
        text(field).map(Constant)
    }

    fn value<'c>(&'c self, _key: &Key, _facts: &impl Facts<'c>) -> Option<Cow<'c, [u8]>> {
        Some(Cow::Borrowed(self.0.as_bytes()))
    }

    fn describe(&self, _keys: &[Key]) -> String {
        "all callers together".into()
    }
}
