//! The route that Envoy has chosen.

use super::negatable::{Sign, one_or_list, signed};
use super::{Condition, Description, Key, KnownKeys, NamedPattern, RequestCondition};
use crate::config::{Composite, Field, Kind, Object, Reader, all, forms, object};
use crate::http::{AnyOf, Pattern, Purpose, Request, RequestCache};

const ROUTE: Field<Composite> = Field::optional(
    "route",
    Composite::new(Kind::Either(&[NAME, NAMES, Kind::Object(&OTHERS)]), ALLOWED),
    "any",
    "the `name` of the route in Envoy's configuration that the request takes; a request without a route, or whose route has no name, \
     does not match. A filter behind Tollgate that has Envoy choose the route anew comes too late",
);

const NAME: Kind = Kind::Text(&forms::PATTERN.text);
const NAMES: Kind = Kind::List(&NAME);
const ALLOWED: &str = "the name of a route, in which * stands for any text, or a list of them";

const NOT: Field<Composite> = Field::required(
    "not",
    Composite::new(Kind::Either(&[NAME, NAMES]), ALLOWED),
    "none of these routes. A request without a named route is such a request for a `match` of a policy, and not for a rule that frees \
     requests",
);

const OTHERS: Object = object!("route-negation" at "policies[].match[].route": "All routes but some."; NOT);

/// The routes that match, or that do not. `None`: all match.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct RouteNames(Option<Box<(Sign, AnyOf<Pattern>)>>);

impl Condition for RouteNames {
    const FIELD: Field = ROUTE.erased();

    fn read(field: &Reader<'_>, _: KnownKeys<'_>) -> Option<RouteNames> {
        let (sign, names) = signed(field, &OTHERS, &NOT)?;
        let name = |entry: &Reader<'_>| {
            let pattern = (forms::PATTERN.parse)(entry.text(ALLOWED)?);
            pattern
                .filter(|name| !name.is_exact() || !name.text().is_empty())
                .or_else(|| entry.error(ALLOWED))
        };
        let names = all(one_or_list(&names, ALLOWED)?.iter().map(name))?;
        Some(RouteNames(Some(Box::new((sign, AnyOf::new(names))))))
    }

    fn covers(&self, other: &RouteNames) -> bool {
        let Some((sign, names)) = self.0.as_deref() else { return true };
        let Some((other_sign, others)) = other.0.as_deref() else { return false };
        match (sign, other_sign) {
            (Sign::Is, Sign::Is) => names.covers(others),
            (Sign::IsNot, Sign::IsNot) => others.covers(names),
            (Sign::IsNot, Sign::Is) => names.excludes(others),
            (Sign::Is, Sign::IsNot) => false,
        }
    }

    fn describe(&self, _: &[Key], words: &mut Description) {
        if let Some((sign, names)) = self.0.as_deref() {
            let route = match sign {
                Sign::Is => "on route ",
                Sign::IsNot => "unless on route ",
            };
            words.further.push([route, &in_words(names)].concat());
        }
    }

    fn patterns<'a>(&'a self, _: &'a [Key]) -> Vec<NamedPattern<'a>> {
        let Some((sign, names)) = self.0.as_deref() else { return Vec::new() };
        let is_negated = *sign == Sign::IsNot;
        let named =
            |pattern| NamedPattern { field: ROUTE.name, name: "", pattern, is_decoded: false, is_negated };
        names.iter().map(named).collect()
    }
}

fn in_words(names: &AnyOf<Pattern>) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}

impl RequestCondition for RouteNames {
    #[inline]
    fn holds<R: Request>(&self, request: &RequestCache<'_, R>, purpose: Purpose) -> bool {
        let Some((sign, names)) = self.0.as_deref() else { return true };
        sign.holds(request.route_name().map(|name| names.fit(name)), purpose)
    }

    fn mismatch(&self) -> Option<String> {
        let (sign, names) = self.0.as_deref()?;
        Some(match sign {
            Sign::Is => format!("the route is not {}", in_words(names)),
            Sign::IsNot => format!("the route is {}, or has no name", in_words(names)),
        })
    }

    #[cfg(test)]
    fn fulfil(&self, request: &mut crate::testing::FakeRequest) {
        match self.0.as_deref() {
            None => {}
            Some((Sign::Is, names)) => {
                let name = names.iter().next().unwrap();
                request.route = Some(name.to_string().replace('*', "any"));
            }
            Some((Sign::IsNot, _)) => request.route = Some("other".into()),
        }
    }
}
