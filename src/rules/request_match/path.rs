//! The path of a request.

use super::{Condition, Description, Key, KnownKeys, RequestCondition};
use crate::config::{Field, Form, Reader, forms};
use crate::http::{PathTemplate, Purpose, Request, RequestCache};

const PATH: Field<&Form<PathTemplate>> = Field::optional(
    "path",
    &forms::PATH,
    "any",
    "the whole path without the query, as Envoy passes it on. The `match` of a policy also covers [other spellings](#paths)",
);

impl Condition for Option<PathTemplate> {
    const FIELD: Field = PATH.erased();

    fn read(field: &Reader<'_>, _: KnownKeys<'_>) -> Option<Self> {
        field.read(PATH.kind).map(Some)
    }

    fn covers(&self, other: &Self) -> bool {
        let Some(path) = self else { return true };
        other.as_ref().is_some_and(|other| path.covers(other))
    }

    fn describe(&self, _: &[Key], words: &mut Description) {
        words.path = self.as_ref().map(ToString::to_string);
    }
}

impl RequestCondition for Option<PathTemplate> {
    /// The template itself knows the purpose.
    fn holds<R: Request>(&self, request: &RequestCache<'_, R>, _: Purpose) -> bool {
        self.as_ref().is_none_or(|path| path.matches_request(request))
    }

    fn holds_as_written<R: Request>(&self, request: &RequestCache<'_, R>) -> bool {
        let decoded = |path: &PathTemplate| request.decoded_path(path.strips_parameters());
        let both = |path: &PathTemplate| {
            path.matches(request.path()) && decoded(path).is_none_or(|decoded| path.matches_decoded(decoded))
        };
        self.as_ref().is_none_or(both)
    }

    fn headers<'a>(&'a self, show: &mut dyn FnMut(&'a str)) {
        if self.is_some() {
            show(":path");
        }
    }

    fn mismatch(&self) -> Option<String> {
        self.as_ref().map(|path| format!("the path is not {path}"))
    }

    #[cfg(test)]
    fn fulfil(&self, request: &mut crate::testing::FakeRequest) {
        if let Some(path) = self {
            request.set(":path", path.to_string().replace("/**", "").replace("v*", "v1"));
        }
    }
}
