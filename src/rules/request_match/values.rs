//! Values by name: in headers, in the query and in cookies.

use super::{Condition, Description, Key, KnownKeys, NamedPattern, RequestCondition, ValueMatch};
use crate::config::{Composite, Field, Form, Kind, Reader, all, forms};
use crate::http::{Purpose, Request, RequestCache};
use std::marker::PhantomData;

/// What must hold for the values in one place of a request, by name.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Values<P> {
    rules: Vec<(String, ValueMatch)>,
    place: PhantomData<P>,
}

impl<P> Default for Values<P> {
    fn default() -> Self {
        Values { rules: Vec::new(), place: PhantomData }
    }
}

/// A place of a request that has values by name.
pub(super) trait Place: PartialEq {
    const NAMES: PlaceNames;

    fn holds<R: Request>(
        rule: &ValueMatch,
        request: &RequestCache<'_, R>,
        name: &str,
        purpose: Purpose,
    ) -> bool;

    /// The header, in lower case, that has the value of this name. `None`: none has it alone.
    fn header(name: &str) -> Option<&str>;

    #[cfg(test)]
    fn add(request: &mut crate::testing::FakeRequest, name: &str, value: &str);
}

/// How a place has its values.
pub(super) struct PlaceNames {
    /// The field of a match.
    field: Field<Composite>,
    /// What names are.
    name: &'static Form<String>,
    /// Whether requests' values are compared without surrounding whitespace.
    trims: bool,
    /// Whether values are decoded before they are matched.
    is_decoded: bool,
    /// What stands before a name in a description.
    kind: &'static str,
}

/// Request headers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Header;

/// Query parameters.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Parameter;

/// Cookies.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cookie;

impl Place for Header {
    const NAMES: PlaceNames = PlaceNames {
        field: Field::optional(
            "headers",
            Composite::new(
                Kind::Map { names: &forms::HEADER.text, values: &ValueMatch::KIND },
                "an object of headers",
            ),
            "any",
            "by name: `true` if it must be present, `false` if it must be absent, or what its value must be: a pattern, a list of patterns of which \
             one fits, `not` with patterns of which none fits, or a whole number from `min` to `max`. Case matters in values",
        ),
        name: &forms::HEADER,
        trims: true,
        is_decoded: false,
        kind: "",
    };

    fn holds<R: Request>(
        rule: &ValueMatch,
        request: &RequestCache<'_, R>,
        name: &str,
        purpose: Purpose,
    ) -> bool {
        rule.holds_in_header(request, name, purpose)
    }

    fn header(name: &str) -> Option<&str> {
        Some(name)
    }

    #[cfg(test)]
    fn add(request: &mut crate::testing::FakeRequest, name: &str, value: &str) {
        request.set(name, value);
    }
}

impl Place for Parameter {
    const NAMES: PlaceNames = PlaceNames {
        field: Field::optional(
            "query",
            Composite::new(
                Kind::Map { names: &forms::PARAMETER_NAME.text, values: &ValueMatch::KIND },
                "an object of query parameters",
            ),
            "any",
            "query parameters by name, in the same form as `headers`. Names and values are matched [decoded](spellings.md#matches)",
        ),
        name: &forms::PARAMETER_NAME,
        trims: false,
        is_decoded: true,
        kind: "parameter ",
    };

    fn holds<R: Request>(
        rule: &ValueMatch,
        request: &RequestCache<'_, R>,
        name: &str,
        purpose: Purpose,
    ) -> bool {
        rule.holds_in_query(request, name, purpose)
    }

    fn header(_: &str) -> Option<&str> {
        Some(":path")
    }

    #[cfg(test)]
    fn add(request: &mut crate::testing::FakeRequest, name: &str, value: &str) {
        let path = String::from_utf8(request.header(":path").unwrap_or_else(|| b"/".into())).unwrap();
        let separator = if path.contains('?') { '&' } else { '?' };
        request.set(":path", format!("{path}{separator}{name}={value}"));
    }
}

impl Place for Cookie {
    const NAMES: PlaceNames = PlaceNames {
        field: Field::optional(
            "cookies",
            Composite::new(
                Kind::Map { names: &forms::COOKIE.text, values: &ValueMatch::KIND },
                "an object of cookies",
            ),
            "any",
            "cookies by name, in the same form as `headers`. Values are matched [decoded and without quotes](spellings.md#matches)",
        ),
        name: &forms::COOKIE,
        trims: true,
        is_decoded: true,
        kind: "cookie ",
    };

    fn holds<R: Request>(
        rule: &ValueMatch,
        request: &RequestCache<'_, R>,
        name: &str,
        purpose: Purpose,
    ) -> bool {
        rule.holds_in_cookies(request, name, purpose)
    }

    fn header(_: &str) -> Option<&str> {
        None
    }

    #[cfg(test)]
    fn add(request: &mut crate::testing::FakeRequest, name: &str, value: &str) {
        let others = String::from_utf8(request.header("cookie").unwrap_or_default()).unwrap();
        request.set("cookie", format!("{others}{name}={value};"));
    }
}

impl<P: Place> Condition for Values<P> {
    const FIELD: Field = P::NAMES.field.erased();

    fn read(field: &Reader<'_>, _: KnownKeys<'_>) -> Option<Self> {
        Some(Values { rules: rules(field, &P::NAMES)?, place: PhantomData })
    }

    fn covers(&self, other: &Self) -> bool {
        let is_covered = |(name, rule): &(String, ValueMatch)| {
            other.rules.iter().any(|(of, other)| of == name && rule.covers(other))
        };
        self.rules.iter().all(is_covered)
    }

    fn describe(&self, _: &[Key], words: &mut Description) {
        let name = |name: &str| [P::NAMES.kind, name].concat();
        words.further.extend(self.rules.iter().map(|(own, rule)| rule.describe(&name(own), ": ")));
    }

    fn patterns<'a>(&'a self, _: &'a [Key]) -> Vec<NamedPattern<'a>> {
        let of_rule = |(name, rule): &'a (String, ValueMatch)| {
            let PlaceNames { field, is_decoded, .. } = P::NAMES;
            let is_negated = !rule.requires_value();
            let named =
                move |pattern| NamedPattern { field: field.name, name, pattern, is_decoded, is_negated };
            rule.patterns().into_iter().map(named)
        };
        self.rules.iter().flat_map(of_rule).collect()
    }
}

impl<P: Place> RequestCondition for Values<P> {
    #[inline(never)] // one copy for all callers
    fn holds<R: Request>(&self, request: &RequestCache<'_, R>, purpose: Purpose) -> bool {
        self.rules.iter().all(|(name, rule)| P::holds(rule, request, name, purpose))
    }

    fn holds_as_written<R: Request>(&self, request: &RequestCache<'_, R>) -> bool {
        self.holds(request, Purpose::Exempts)
    }

    fn headers<'a>(&'a self, show: &mut dyn FnMut(&'a str)) {
        self.rules.iter().filter_map(|(name, _)| P::header(name)).for_each(show);
    }

    #[cfg(test)]
    fn fulfil(&self, request: &mut crate::testing::FakeRequest) {
        for (name, rule) in &self.rules {
            if let Some(value) = rule.sample() {
                P::add(request, name, &value);
            }
        }
    }
}

/// What must hold for values, by name.
#[inline(never)] // one copy for all places
fn rules(object: &Reader<'_>, of: &PlaceNames) -> Option<Vec<(String, ValueMatch)>> {
    let entries = object.named_entries(of.field.kind.allowed)?;
    all(entries.iter().map(|entry| {
        let name = entry.read_name(of.name)?;
        ValueMatch::read(entry, of.trims).map(|value| (name, value))
    }))
}
