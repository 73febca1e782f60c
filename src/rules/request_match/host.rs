//! The host of a request.

use super::{Condition, Description, Key, KnownKeys, RequestCondition};
use crate::config::Reader;
use crate::http::{Host, Purpose, Request, RequestCache};

const HOST: &str = "a host such as api.example.com, *.example.com for its subdomains, api-* or *-test.example.com, without a port: \
                    * stands for any text at the start, the end or both; without host, every host matches";

impl Condition for Option<Host> {
    fn read(field: &Reader<'_>, _: KnownKeys<'_>) -> Option<Self> {
        Host::parse(field.text(HOST)?).map(Some).or_else(|| field.error(HOST))
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
