//! The host of a request.

use super::{Condition, Description, Key, KnownKeys, RequestCondition};
use crate::config::{Field, Form, Reader, forms};
use crate::http::{Host, Purpose, Request, RequestCache};

const HOST: Field<&Form<Host>> = Field::optional("host", &forms::HOST, "any", "the host of the request");

impl Condition for Option<Host> {
    const FIELD: Field = HOST.erased();

    fn read(field: &Reader<'_>, _: KnownKeys<'_>) -> Option<Self> {
        field.read(HOST.kind).map(Some)
    }

    fn covers(&self, other: &Self) -> bool {
        let Some(host) = self else { return true };
        other.as_ref().is_some_and(|other| host.covers(other))
    }

    fn describe(&self, _: &[Key], words: &mut Description) {
        words.host = self.as_ref().map(ToString::to_string);
    }
}

impl RequestCondition for Option<Host> {
    fn holds<R: Request>(&self, request: &RequestCache<'_, R>, _: Purpose) -> bool {
        self.as_ref().is_none_or(|host| host.matches(request.host()))
    }

    fn mismatch(&self) -> Option<String> {
        self.as_ref().map(|host| format!("the host is not {host}"))
    }

    #[cfg(test)]
    fn fulfil(&self, request: &mut crate::testing::FakeRequest) {
        if let Some(host) = self {
            request.set(":authority", host.to_string().replace('*', "any"));
        }
    }
}
