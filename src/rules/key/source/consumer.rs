//! What is known of a consumer as a key.

use super::{Beside, Facts, Source, SourceKind};
use crate::config::Reader;
use crate::config::name::name_of;
use crate::rules::key::Key;
use std::borrow::Cow;

/// An attribute of the consumer.
#[derive(Clone, Debug, PartialEq)]
pub struct Consumer(pub Attribute);

/// An attribute of a consumer.
#[derive(Clone, Debug, PartialEq)]
pub enum Attribute {
    /// The consumer's name.
    Name,
    /// The configured attribute of this name.
    Named(String),
}

impl Source for Consumer {
    const KIND: SourceKind =
        SourceKind { vouched: true, of_consumer: true, can_be_asked: true, ..SourceKind::new("consumer") };

    fn parse(field: &Reader<'_>, _beside: Beside<'_, '_>) -> Option<Self> {
        let name = name_of(field, field.text("name, or the name of an attribute")?)?;
        Some(Consumer(if name == "name" { Attribute::Name } else { Attribute::Named(name) }))
    }

    /// If nobody can tell who the consumer is, all such requests count as one caller, with an empty value.
    fn value<'c>(&'c self, _key: &Key, facts: &impl Facts<'c>) -> Option<Cow<'c, [u8]>> {
        facts.attribute(&self.0).map(Cow::Borrowed)
    }

    fn describe(&self, _keys: &[Key]) -> String {
        match &self.0 {
            Attribute::Name => "the consumer".into(),
            Attribute::Named(name) => format!("the consumer's {name}"),
        }
    }
}
