//! The method of a request.

use super::negatable::{Sign, one_or_list, signed};
use super::{Condition, Description, Key, KnownKeys, RequestCondition};
use crate::config::{Composite, Field, Kind, Object, Reader, all, forms, object};
use crate::http::{Purpose, Request, RequestCache};

const METHOD: Field<Composite> = Field::optional(
    "method",
    Composite::new(Kind::Either(&[METHODS, Kind::Object(&OTHERS)]), forms::METHOD.text.allowed),
    "any",
    "one of these methods",
);

const METHODS: Kind = Kind::OneOrList(&Kind::Text(&forms::METHOD.text));

const NOT: Field<Composite> = Field::required(
    "not",
    Composite::new(METHODS, forms::METHOD.text.allowed),
    "none of these methods. For a rule that frees requests, case does not matter",
);

const OTHERS: Object = object!("method-negation" at "policies[].match[].method":
    "All methods but some."; NOT);

/// The methods that match, or that do not, in capitals; all match if the list is empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Methods {
    sign: Sign,
    names: Vec<String>,
}

impl Condition for Methods {
    const FIELD: Field = METHOD.erased();

    fn read(field: &Reader<'_>, _: KnownKeys<'_>) -> Option<Methods> {
        let (sign, methods) = signed(field, &OTHERS, &NOT)?;
        let entries = one_or_list(&methods, METHOD.kind.allowed)?;
        let names = all(entries.iter().map(|entry| entry.read(&forms::METHOD)))?;
        Some(Methods { sign, names })
    }

    fn covers(&self, other: &Methods) -> bool {
        let names = |one: &Methods, other: &Methods| other.names.iter().all(|name| one.names.contains(name));
        match (self.sign, other.sign) {
            (Sign::Is, _) if self.names.is_empty() => true,
            (Sign::IsNot, Sign::IsNot) => names(other, self),
            (_, Sign::Is) if other.names.is_empty() => false,
            (Sign::Is, Sign::Is) => names(self, other),
            (Sign::IsNot, Sign::Is) => !other.names.iter().any(|name| self.names.contains(name)),
            (Sign::Is, Sign::IsNot) => false,
        }
    }

    fn describe(&self, _: &[Key], words: &mut Description) {
        words.methods = self.in_words("/");
    }
}

impl Methods {
    fn in_words(&self, or: &str) -> String {
        [self.sign.word(), &self.names.join(or)].concat()
    }
}

impl RequestCondition for Methods {
    fn holds<R: Request>(&self, request: &RequestCache<'_, R>, purpose: Purpose) -> bool {
        if self.names.is_empty() {
            return true;
        }
        let method = request.method();
        let is = |name: &String| match (self.sign, purpose) {
            (Sign::Is, _) | (Sign::IsNot, Purpose::Limits) => name.as_bytes() == method,
            // Some servers take a method in small letters for the same one.
            (Sign::IsNot, Purpose::Exempts) => name.as_bytes().eq_ignore_ascii_case(method),
        };
        self.sign.holds(Some(self.names.iter().any(is)), purpose)
    }

    fn holds_as_written<R: Request>(&self, request: &RequestCache<'_, R>) -> bool {
        match self.sign {
            Sign::Is => true,
            Sign::IsNot => self.holds(request, Purpose::Exempts),
        }
    }

    fn headers<'a>(&'a self, show: &mut dyn FnMut(&'a str)) {
        if !self.names.is_empty() {
            show(":method");
        }
    }

    fn mismatch(&self) -> Option<String> {
        Some(match self.sign {
            Sign::Is => format!("the method is not {}", self.in_words(" or ")),
            Sign::IsNot => format!("the method is {}", self.names.join(" or ")),
        })
    }

    #[cfg(test)]
    fn fulfil(&self, request: &mut crate::testing::FakeRequest) {
        match (self.sign, self.names.last()) {
            (Sign::Is, Some(method)) => request.set(":method", method),
            (Sign::IsNot, _) => request.set(":method", "OTHER"),
            (Sign::Is, None) => {}
        }
    }
}
