//! The path of a request.

use super::{Condition, Description, Key, KnownKeys, RequestCondition};
use crate::config::Reader;
use crate::http::{PathTemplate, Purpose, Request, RequestCache};

const TEMPLATE: &str = "a path such as /v1/invoices/{id}: it starts with /, \
                        {name} or * is one whole segment and no part of one, each name occurs once, ** stands only at the end";

impl Condition for Option<PathTemplate> {
    fn read(field: &Reader<'_>, _: KnownKeys<'_>) -> Option<Self> {
        PathTemplate::parse(field.text(TEMPLATE)?).map(Some).or_else(|| field.error(TEMPLATE))
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
        self.as_ref().is_none_or(|path| path.matches(request.path()))
    }

    fn mismatch(&self) -> Option<String> {
        self.as_ref().map(|path| format!("the path is not {path}"))
    }

    #[cfg(test)]
    fn fulfil(&self, request: &mut crate::testing::FakeRequest) {
        if let Some(path) = self {
            request.set(":path", path.to_string().replace("/**", ""));
        }
    }
}
