//! The method of a request.

use super::{Condition, Description, Key, KnownKeys, RequestCondition};
use crate::config::{Composite, Field, Kind, Reader, all, forms};
use crate::http::{Purpose, Request, RequestCache};

const METHOD: Field<Composite> = Field::optional(
    "method",
    Composite::new(Kind::OneOrList(&Kind::Text(&forms::METHOD.text)), forms::METHOD.text.allowed),
    "any",
    "one of these methods",
);

/// The methods that match, in capitals; all do if the list is empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Methods(Vec<String>);

impl Condition for Methods {
    const FIELD: Field = METHOD.erased();

    fn read(field: &Reader<'_>, _: KnownKeys<'_>) -> Option<Methods> {
        let allowed = METHOD.kind.allowed;
        let entries = if field.is_list() { field.non_empty_list(allowed)? } else { vec![field.clone()] };
        all(entries.iter().map(|entry| entry.read(&forms::METHOD))).map(Methods)
    }

    fn covers(&self, other: &Methods) -> bool {
        self.0.is_empty() || !other.0.is_empty() && other.0.iter().all(|method| self.0.contains(method))
    }

    fn describe(&self, _: &[Key], words: &mut Description) {
        words.methods = self.0.join("/");
    }
}

impl RequestCondition for Methods {
    fn holds<R: Request>(&self, request: &RequestCache<'_, R>, _: Purpose) -> bool {
        let method = || request.method();
        self.0.is_empty() || self.0.iter().any(|name| name.as_bytes() == method())
    }

    fn mismatch(&self) -> Option<String> {
        Some(format!("the method is not {}", self.0.join(" or ")))
    }

    #[cfg(test)]
    fn fulfil(&self, request: &mut crate::testing::FakeRequest) {
        self.0.iter().for_each(|method| request.set(":method", method));
    }
}
