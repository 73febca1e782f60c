//! A request header as a key.

use super::{Beside, Source, SourceKind, field};
use crate::config::{Field, Form, Reader, forms};
use crate::http::credential::{Location, Repeated, in_header};
use crate::http::{Request, RequestCache};
use crate::rules::key::modifiers::{AFTER, BEFORE, PREFIX, REPEATED, SCHEME, SEPARATOR, VALID, WHOLE};
use crate::rules::key::{Key, KeyValue, Part};
use std::borrow::Cow;

/// A request header.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// The header's name, in lower case.
    pub name: String,
    /// The authentication scheme that must precede the value, such as `Bearer`. It is not part of the value.
    pub scheme: Option<String>,
}

impl Header {
    pub(super) const FIELD: Field<&'static Form<String>> = field(
        "header",
        &forms::HEADER,
        "a request header, up to its first comma; `whole` and `separator` read it otherwise",
    );
}

impl Source for Header {
    /// By default the first line of a repeated header counts: reading all lines of a header that Envoy does not
    /// know costs more.
    const KIND: SourceKind = SourceKind {
        takes: &[
            SCHEME.name,
            PREFIX.name,
            VALID.name,
            REPEATED.name,
            WHOLE.name,
            SEPARATOR.name,
            AFTER.name,
            BEFORE.name,
        ],
        repeated: Repeated::First,
        ..SourceKind::credential(Self::FIELD.name)
    };

    fn parse(field: &Reader<'_>, beside: Beside<'_, '_>) -> Option<Self> {
        let (name, scheme) = (field.read(Self::FIELD.kind), beside.fields.get_optional(&SCHEME));
        Some(Header { name: name?, scheme: scheme? })
    }

    fn presented<'a, R: Request>(&self, request: &'a RequestCache<'a, R>, key: &Key) -> Option<KeyValue<'a>> {
        let (name, scheme) = (&self.name, self.scheme.as_deref());
        if self.joins_lines() && key.part != Part::Usual {
            let lines = request.uncached().lines(name)?;
            let value = lines.trim_ascii();
            return (!value.is_empty()).then(|| KeyValue::One(Cow::Owned(value.to_vec())));
        }
        if key.reading.repeated == Repeated::First {
            let value = match request.header(name)? {
                Cow::Borrowed(value) => Cow::Borrowed(in_header(value, scheme)?),
                Cow::Owned(value) => Cow::Owned(in_header(&value, scheme)?.to_vec()),
            };
            return Some(KeyValue::One(value));
        }
        KeyValue::found(Location::HeaderLines(scheme), &request.uncached().lines(name)?, key.reading)
    }

    /// Headers that browsers send on their own do not count.
    fn is_shown<R: Request>(&self, request: &RequestCache<'_, R>, _key: &Key) -> bool {
        const OF_BROWSERS: [&str; 6] =
            ["accept", "accept-encoding", "accept-language", "origin", "referer", "user-agent"];
        !OF_BROWSERS.contains(&self.name.as_str()) && request.header(&self.name).is_some()
    }

    fn can_be_ambiguous(&self, key: &Key) -> bool {
        match key.part {
            Part::List(_) => true,
            // All lines are one value here.
            Part::Whole | Part::Element { .. } if self.joins_lines() => false,
            Part::Usual | Part::Whole | Part::Element { .. } => key.reading.repeated == Repeated::Reject,
        }
    }

    fn joins_lines(&self) -> bool {
        self.scheme.is_none()
    }

    fn header(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn describe(&self, _keys: &[Key]) -> String {
        let scheme = self.scheme.as_ref().map_or(String::new(), |scheme| format!(" with scheme {scheme}"));
        format!("header {}{scheme}", self.name)
    }
}
