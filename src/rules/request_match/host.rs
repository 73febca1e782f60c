//! The host of a request.

use super::negatable::{Sign, one_or_list, signed};
use super::{Condition, Description, Key, KnownKeys, RequestCondition};
use crate::config::{Composite, Field, Kind, Object, Reader, all, forms, object};
use crate::http::{AnyOf, Host, Purpose, Request, RequestCache};

const HOST: Field<Composite> = Field::optional(
    "host",
    Composite::new(Kind::Either(&[HOSTS, Kind::Object(&OTHERS)]), forms::HOST.text.allowed),
    "any",
    "the host of the request is one of these",
);

const HOSTS: Kind = Kind::OneOrList(&Kind::Text(&forms::HOST.text));

const NOT: Field<Composite> = Field::required(
    "not",
    Composite::new(HOSTS, forms::HOST.text.allowed),
    "none of these hosts. A request without a host is such a request for a `match` of a policy, and not for a rule that frees requests",
);

const OTHERS: Object = object!("host-negation" at "policies[].match[].host": "All hosts but some."; NOT);

/// The hosts that match, or that do not. `None`: all match.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Hosts(Option<(Sign, AnyOf<Host>)>);

impl Condition for Hosts {
    const FIELD: Field = HOST.erased();

    fn read(field: &Reader<'_>, _: KnownKeys<'_>) -> Option<Hosts> {
        let (sign, hosts) = signed(field, &OTHERS, &NOT)?;
        let entries = one_or_list(&hosts, HOST.kind.allowed)?;
        let hosts = all(entries.iter().map(|entry| entry.read(&forms::HOST)))?;
        Some(Hosts(Some((sign, AnyOf::new(hosts)))))
    }

    fn covers(&self, other: &Hosts) -> bool {
        let Some((sign, hosts)) = &self.0 else { return true };
        let Some((other_sign, others)) = &other.0 else { return false };
        match (sign, other_sign) {
            (Sign::Is, Sign::Is) => hosts.covers(others),
            (Sign::IsNot, Sign::IsNot) => others.covers(hosts),
            (Sign::IsNot, Sign::Is) => hosts.excludes(others),
            (Sign::Is, Sign::IsNot) => false,
        }
    }

    fn describe(&self, _: &[Key], words: &mut Description) {
        match &self.0 {
            None => {}
            Some((Sign::Is, hosts)) if hosts.iter().count() == 1 => words.host = Some(in_words(hosts)),
            Some((Sign::Is, hosts)) => words.further.push(["with host ", &in_words(hosts)].concat()),
            Some((Sign::IsNot, hosts)) => words.further.push(["unless host ", &in_words(hosts)].concat()),
        }
    }
}

fn in_words(hosts: &AnyOf<Host>) -> String {
    hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}

impl RequestCondition for Hosts {
    fn holds<R: Request>(&self, request: &RequestCache<'_, R>, purpose: Purpose) -> bool {
        let Some((sign, hosts)) = &self.0 else { return true };
        let host = request.host();
        sign.holds((!host.is_empty()).then(|| hosts.fit(host)), purpose)
    }

    fn holds_as_written<R: Request>(&self, request: &RequestCache<'_, R>) -> bool {
        match &self.0 {
            None | Some((Sign::Is, _)) => true,
            Some((Sign::IsNot, _)) => !request.host().is_empty(),
        }
    }

    fn headers<'a>(&'a self, show: &mut dyn FnMut(&'a str)) {
        if self.0.is_some() {
            show(":authority");
        }
    }

    fn mismatch(&self) -> Option<String> {
        let (sign, hosts) = self.0.as_ref()?;
        Some(match sign {
            Sign::Is => format!("the host is not {}", in_words(hosts)),
            Sign::IsNot => format!("the host is {}", in_words(hosts)),
        })
    }

    #[cfg(test)]
    fn fulfil(&self, request: &mut crate::testing::FakeRequest) {
        match &self.0 {
            None => {}
            Some((Sign::Is, hosts)) => {
                let host = hosts.iter().next().unwrap();
                request.set(":authority", host.to_string().replace('*', "any"));
            }
            Some((Sign::IsNot, _)) => request.set(":authority", "other.example"),
        }
    }
}
