//! A parameter of the path as a key.

use super::{Beside, Facts, MatchPart, Presence, Source, SourceKind, Whose, field};
use crate::config::{Field, Form, Reader, forms};
use crate::http::spelling;
use crate::rules::key::Key;
use crate::rules::key::modifiers::{AFTER, BEFORE, CASE, SUFFIX};
use std::borrow::Cow;

/// The parameter of this name in the path template that the request has matched.
#[derive(Clone, Debug, PartialEq)]
pub struct PathParameter(pub String);

impl PathParameter {
    pub(super) const FIELD: Field<&'static Form<String>> = field(
        "path",
        &forms::PARAMETER,
        "the `{parameter}` of the matched path; every `match` of a policy with such a key must have it",
    );
}

impl Source for PathParameter {
    const KIND: SourceKind = SourceKind {
        takes: &[CASE.name, SUFFIX.name, AFTER.name, BEFORE.name],
        presence: Presence::WithMatch,
        whose: Whose::Targets,
        decoded: true,
        ..SourceKind::new(Self::FIELD.name)
    };

    fn parse(field: &Reader<'_>, _beside: Beside<'_, '_>) -> Option<Self> {
        field.read(Self::FIELD.kind).map(PathParameter)
    }

    /// `None`: the parameter is empty, or the template has no such parameter.
    fn value<'c>(&'c self, key: &Key, facts: &impl Facts<'c>) -> Option<Cow<'c, [u8]>> {
        let (request, template) = (facts.request(), facts.template()?);
        let strips = template.strips_parameters();
        let decoded = request.decoded_path(strips).filter(|path| template.matches_decoded(path));
        let mut rest = decoded.unwrap_or(request.path());
        for _ in 0..=template.index_of(&self.0)? {
            let slash = rest.iter().position(|byte| *byte == b'/')?;
            rest = rest.get(slash + 1..)?;
        }
        let segment = rest.split(|byte| *byte == b'/').next()?;
        let mut value = if decoded.is_some() { segment.to_vec() } else { spelling::segment(segment, strips) };
        if key.reading.ignore_suffix {
            value.truncate(spelling::without_suffix(&value).len());
        }
        if key.reading.ignore_case {
            value.make_ascii_lowercase();
        }
        if value.is_empty() {
            return None;
        }
        let value = Cow::Owned(value);
        Some(match &key.cut {
            Some(cut) => cut.of_cow(value),
            None => value,
        })
    }

    fn folds_case(&self, key: &Key) -> bool {
        key.reading.ignore_case
    }

    fn match_part(&self) -> Option<MatchPart<'_>> {
        Some(MatchPart::Parameter(&self.0))
    }

    fn describe(&self, _keys: &[Key]) -> String {
        format!("{{{}}} of the path", self.0)
    }
}
