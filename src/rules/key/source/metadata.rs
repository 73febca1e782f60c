//! Metadata of an earlier filter as a key.

use super::{Beside, Source, SourceKind, field};
use crate::config::{Composite, Field, Reader};
use crate::http::{MetadataPath, MetadataValue, Request, RequestCache, decimal};
use crate::rules::key::modifiers::{AFTER, BEFORE, SEPARATOR};
use crate::rules::key::texts::{METADATA, metadata_path};
use crate::rules::key::{Key, KeyValue};
use std::borrow::Cow;

/// Metadata that an earlier filter has left, such as a claim of a verified token.
#[derive(Clone, Debug, PartialEq)]
pub struct Metadata(pub MetadataPath);

impl Metadata {
    pub(super) const FIELD: Field<Composite> = field(
        "metadata",
        METADATA,
        "dynamic metadata of an earlier filter: the filter's name, then one or more names down to the value. Every kind of \
         value has [one reading](#values-of-earlier-filters)",
    );
}

impl Source for Metadata {
    const KIND: SourceKind = SourceKind {
        takes: &[SEPARATOR.name, AFTER.name, BEFORE.name],
        vouched: true,
        identifies_consumers: true,
        can_be_asked: true,
        has_flags: true,
        ..SourceKind::new(Self::FIELD.name)
    };

    fn parse(field: &Reader<'_>, _beside: Beside<'_, '_>) -> Option<Self> {
        metadata_path(field, false).map(Metadata)
    }

    fn presented<'a, R: Request>(
        &self,
        request: &'a RequestCache<'a, R>,
        _key: &Key,
    ) -> Option<KeyValue<'a>> {
        read(request.uncached().metadata(&self.0)?)
    }

    fn describe(&self, _keys: &[Key]) -> String {
        format!("metadata {}", self.0)
    }

    fn show(&self, value: &[u8]) -> String {
        show_value(value)
    }
}

/// A value in words. A list has a mark before each element.
pub(super) fn show_value(value: &[u8]) -> String {
    let list = String::from_utf8_lossy(value).replace(char::REPLACEMENT_CHARACTER, ", ");
    list.trim_start_matches(", ").escape_debug().to_string()
}

/// The one reading that each kind of value has.
pub(super) fn read(value: MetadataValue) -> Option<KeyValue<'static>> {
    // No text is UTF-8 that begins like this.
    const NO_TEXT: u8 = 0xFF;
    let text = match value {
        MetadataValue::Text(mut text) => {
            // Nor may one that is not UTF-8 pass for a list or for bits.
            text.iter_mut().take(1).filter(|first| **first == NO_TEXT).for_each(|first| *first -= 1);
            text
        }
        MetadataValue::Flag(flag) => MetadataValue::word(flag).into(),
        MetadataValue::Number(number) if !number.is_finite() => return Some(KeyValue::Unreadable),
        MetadataValue::Number(number) => match decimal(number) {
            Some(digits) => digits.into_bytes(),
            // It is told from others by its bits, and equals no text.
            None => {
                let mut bits = vec![NO_TEXT];
                bits.extend_from_slice(&number.to_le_bytes());
                bits
            }
        },
        MetadataValue::List(list) => return (!list.is_empty()).then_some(KeyValue::List(list)),
        MetadataValue::Object { is_empty } => return (!is_empty).then_some(KeyValue::Unreadable),
    };
    (!text.is_empty()).then_some(KeyValue::One(Cow::Owned(text)))
}
