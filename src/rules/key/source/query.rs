//! A query parameter as a key.

use super::{Beside, Source, SourceKind, field};
use crate::config::{Field, Form, Reader, forms};
use crate::http::credential::{Location, query};
use crate::http::{Request, RequestCache};
use crate::rules::key::modifiers::{AFTER, BEFORE, NAMES, PREFIX, REPEATED, SEPARATOR, VALID};
use crate::rules::key::{Key, KeyValue};

/// The query parameter of this name.
#[derive(Clone, Debug, PartialEq)]
pub struct Query(pub String);

impl Query {
    pub(super) const FIELD: Field<&'static Form<String>> = field(
        "query",
        &forms::TEXT,
        "a query parameter, decoded. It ends at `&` or `;`. An empty value counts as absent",
    );
}

impl Source for Query {
    const KIND: SourceKind = SourceKind {
        takes: &[PREFIX.name, VALID.name, REPEATED.name, NAMES.name, SEPARATOR.name, AFTER.name, BEFORE.name],
        decoded: true,
        ..SourceKind::credential(Self::FIELD.name)
    };

    fn parse(field: &Reader<'_>, _beside: Beside<'_, '_>) -> Option<Self> {
        field.read(Self::FIELD.kind).map(Query)
    }

    fn presented<'a, R: Request>(&self, request: &'a RequestCache<'a, R>, key: &Key) -> Option<KeyValue<'a>> {
        KeyValue::found(Location::Query(&self.0), query(request.target()), key.reading)
    }

    fn is_shown<R: Request>(&self, request: &RequestCache<'_, R>, key: &Key) -> bool {
        key.read(request).is_some()
    }

    fn can_be_ambiguous(&self, _key: &Key) -> bool {
        true
    }

    fn reads(&self) -> Option<&str> {
        Some(":path")
    }

    fn describe(&self, _keys: &[Key]) -> String {
        format!("query parameter {}", self.0)
    }
}
