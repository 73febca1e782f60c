//! A cookie as a key.

use super::{Beside, Source, SourceKind, field};
use crate::config::{Field, Form, Reader, forms};
use crate::http::credential::Location;
use crate::http::{Request, RequestCache};
use crate::rules::key::modifiers::{AFTER, BEFORE, NAMES, PREFIX, REPEATED, SEPARATOR, VALID};
use crate::rules::key::{Key, KeyValue};

/// The cookie of this name.
#[derive(Clone, Debug, PartialEq)]
pub struct Cookie(pub String);

impl Cookie {
    pub(super) const FIELD: Field<&'static Form<String>> = field(
        "cookie",
        &forms::COOKIE,
        "a cookie, decoded and without quotes. It ends at `;`; a comma is part of it. An empty value counts as absent",
    );
}

impl Source for Cookie {
    const KIND: SourceKind = SourceKind {
        takes: &[PREFIX.name, VALID.name, REPEATED.name, NAMES.name, SEPARATOR.name, AFTER.name, BEFORE.name],
        decoded: true,
        ..SourceKind::credential(Self::FIELD.name)
    };

    fn parse(field: &Reader<'_>, _beside: Beside<'_, '_>) -> Option<Self> {
        field.read(Self::FIELD.kind).map(Cookie)
    }

    fn presented<'a, R: Request>(&self, request: &'a RequestCache<'a, R>, key: &Key) -> Option<KeyValue<'a>> {
        KeyValue::found(Location::Cookies(&self.0), request.cookies()?, key.reading)
    }

    fn is_shown<R: Request>(&self, request: &RequestCache<'_, R>, key: &Key) -> bool {
        key.read(request).is_some()
    }

    fn can_be_ambiguous(&self, _key: &Key) -> bool {
        true
    }

    fn describe(&self, _keys: &[Key]) -> String {
        format!("cookie {}", self.0)
    }
}
