//! What is known of a consumer as a key.

use super::{Beside, Facts, Source, SourceKind, field};
use crate::config::{Field, Form, Reader, Text, forms};
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

/// A name that may also be that of an attribute.
const ATTRIBUTE: Form<String> = Form {
    text: Text {
        allowed: "name, or the name of an attribute: at most 64 letters, digits, _ and -",
        ..forms::NAME.text
    },
    parse: forms::NAME.parse,
};

impl Consumer {
    pub(super) const FIELD: Field<&'static Form<String>> =
        field("consumer", &ATTRIBUTE, "`name` for the consumer itself, or the name of one of its attributes");
}

impl Source for Consumer {
    const KIND: SourceKind = SourceKind {
        vouched: true,
        of_consumer: true,
        can_be_asked: true,
        ..SourceKind::new(Self::FIELD.name)
    };

    fn parse(field: &Reader<'_>, _beside: Beside<'_, '_>) -> Option<Self> {
        let name = field.read(Self::FIELD.kind)?;
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
