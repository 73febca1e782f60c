//! A query parameter as a key.

use super::{Beside, Source, SourceKind};
use crate::config::Reader;
use crate::http::credential::{Location, query};
use crate::http::{Request, RequestCache};
use crate::rules::key::texts::text;
use crate::rules::key::{Key, KeyValue, Modifier};

/// The query parameter of this name.
#[derive(Clone, Debug, PartialEq)]
pub struct Query(pub String);

impl Source for Query {
    const KIND: SourceKind = SourceKind {
        takes: &[
            Modifier::Prefix,
            Modifier::Valid,
            Modifier::Repeated,
            Modifier::Names,
            Modifier::Separator,
            Modifier::Index,
        ],
        client_supplied: true,
        secret: true,
        identifies_consumers: true,
        can_be_asked: true,
        decoded: true,
        ..SourceKind::new("query")
    };

    fn parse(field: &Reader<'_>, _beside: Beside<'_, '_>) -> Option<Self> {
        text(field).map(Query)
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

    fn describe(&self, _keys: &[Key]) -> String {
        format!("query parameter {}", self.0)
    }
}
