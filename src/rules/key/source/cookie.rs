//! A cookie as a key.

use super::{Beside, Source, SourceKind};
use crate::config::Reader;
use crate::config::name::token;
use crate::http::credential::Location;
use crate::http::{Request, RequestCache};
use crate::rules::key::{Key, KeyValue, Modifier};

/// The cookie of this name.
#[derive(Clone, Debug, PartialEq)]
pub struct Cookie(pub String);

impl Source for Cookie {
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
        ..SourceKind::new("cookie")
    };

    fn parse(field: &Reader<'_>, _beside: Beside<'_, '_>) -> Option<Self> {
        token(field, "a cookie name").map(Cookie)
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
