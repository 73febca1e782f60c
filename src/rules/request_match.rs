//! Which requests a rule is for. Each condition is one file below, and one line of `conditions!`.

mod client_ip;
mod host;
mod keys;
mod method;
mod negatable;
mod path;
mod route;
mod value_match;
mod values;

pub use keys::{CallerKeys, KnownKeys};

use super::Key;
use crate::config::{Field, Fields, Reader};
use crate::http::{PathTemplate, Pattern, Purpose, Request, RequestCache, Spellings};
use client_ip::ClientIp;
use host::Hosts;
use keys::Keys;
use method::Methods;
use route::RouteNames;
use value_match::ValueMatch;
use values::{Cookie, Header, Parameter, Values};

/// One condition of a match. Its default holds for every request.
trait Condition: Default + PartialEq {
    /// Its field in a match.
    const FIELD: Field;

    /// Reads its field.
    fn read(field: &Reader<'_>, keys: KnownKeys<'_>) -> Option<Self>;

    /// Whether it holds whenever `other` does, as far as that can be decided.
    fn covers(&self, other: &Self) -> bool;

    /// Adds what it says to the description of its match.
    fn describe(&self, keys: &[Key], words: &mut Description);

    /// The patterns that values must fit.
    fn patterns<'a>(&'a self, _: &'a [Key]) -> Vec<NamedPattern<'a>> {
        Vec::new()
    }
}

/// A condition that the request itself fulfils.
trait RequestCondition: Condition {
    /// Whether it holds for a request.
    fn holds<R: Request>(&self, request: &RequestCache<'_, R>, purpose: Purpose) -> bool;

    /// Whether it holds for every server, if it holds for a request that is limited.
    fn holds_as_written<R: Request>(&self, _: &RequestCache<'_, R>) -> bool {
        true
    }

    /// Shows the request headers that it reads, in lower case.
    fn headers<'a>(&'a self, _show: &mut dyn FnMut(&'a str)) {}

    /// Why a request does not fulfil it, in words of its own.
    fn mismatch(&self) -> Option<String> {
        None
    }

    /// Changes a request so that it holds.
    #[cfg(test)]
    fn fulfil(&self, request: &mut crate::testing::FakeRequest);
}

/// A condition on the request's caller.
trait CallerCondition: Condition {
    /// Whether it holds for a caller.
    fn holds<K: CallerKeys>(&self, caller: &K, purpose: Purpose) -> bool;

    /// The keys, by index, that it asks for.
    fn keys(&self) -> impl Iterator<Item = usize>;

    /// The keys, by index, for whose values it holds although the policy does not write them out.
    fn open_keys(&self) -> impl Iterator<Item = usize>;
}

macro_rules! conditions {
    (
        request { $($(#[$request_doc:meta])* $request:ident: $RequestCondition:ty,)+ }
        caller { $($(#[$caller_doc:meta])* $caller:ident: $CallerCondition:ty,)+ }
    ) => {
        /// Matches the requests that meet all of its conditions; without any condition it matches every
        /// request.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct RequestMatch {
            $($(#[$request_doc])* $request: $RequestCondition,)+
            $($(#[$caller_doc])* $caller: $CallerCondition,)+
            /// Whether requests that match are limited, or exempt from limits.
            purpose: Purpose,
            /// Its name, if it has one.
            name: Option<Box<str>>,
        }

        impl RequestMatch {
            /// The fields of a match, which are its conditions, in the order in which they are evaluated.
            pub const FIELDS: &'static [Field] =
                &[$(<$RequestCondition>::FIELD,)+ $(<$CallerCondition>::FIELD,)+];

            /// Reads its fields.
            #[inline(never)]
            pub fn read(fields: &Fields<'_>, keys: KnownKeys<'_>) -> Option<RequestMatch> {
                $(let $request = read::<$RequestCondition>(fields, keys);)+
                $(let $caller = read::<$CallerCondition>(fields, keys);)+
                Some(RequestMatch {
                    $($request: $request?,)+
                    $($caller: $caller?,)+
                    purpose: Purpose::default(),
                    name: None,
                })
            }

            /// Whether a request matches, apart from its caller.
            pub fn matches<R: Request>(&self, request: &RequestCache<'_, R>) -> bool {
                $(self.$request.holds(request, self.purpose))&&+
            }

            /// Whether the caller of a request matches.
            pub fn matches_caller<K: CallerKeys>(&self, caller: &K) -> bool {
                $(self.$caller.holds(caller, self.purpose))&&+
            }

            /// Whether a request that matches does so for every server, and not only in another spelling of
            /// its path or by one of several values.
            pub fn matches_as_written<R: Request>(&self, request: &RequestCache<'_, R>) -> bool {
                $(self.$request.holds_as_written(request))&&+
            }

            /// Shows the request headers that its conditions read, in lower case.
            #[inline(never)] // once for each configuration
            pub fn headers<'a>(&'a self, show: &mut dyn FnMut(&'a str)) {
                $(self.$request.headers(show);)+
            }

            /// Whether it depends on the caller of a request.
            pub fn asks_for_caller(&self) -> bool {
                $(self.$caller != Default::default())||+
            }

            /// The keys, by index, that it asks for.
            pub fn keys(&self) -> impl Iterator<Item = usize> {
                std::iter::empty()$(.chain(self.$caller.keys()))+
            }

            /// The keys, by index, with which it matches for values that the policy does not write out.
            pub fn open_keys(&self) -> impl Iterator<Item = usize> {
                std::iter::empty()$(.chain(self.$caller.open_keys()))+
            }

            /// Whether it matches every request that `other` matches, as far as that can be decided.
            pub fn covers(&self, other: &RequestMatch) -> bool {
                $(self.$request.covers(&other.$request))&&+ && $(self.$caller.covers(&other.$caller))&&+
            }

            /// In words, such as `POST api.example.com/v1/**`.
            pub fn describe(&self, keys: &[Key]) -> String {
                let mut words = Description::default();
                $(self.$request.describe(keys, &mut words);)+
                $(self.$caller.describe(keys, &mut words);)+
                words.join()
            }

            /// The patterns that values must fit.
            pub fn patterns<'a>(&'a self, keys: &'a [Key]) -> Vec<NamedPattern<'a>> {
                [$(self.$request.patterns(keys),)+ $(self.$caller.patterns(keys),)+].concat()
            }

            /// Why a request does not match, in words.
            pub fn why_not<R: Request>(&self, request: &RequestCache<'_, R>, keys: &[Key]) -> String {
                $(if !self.$request.holds(request, self.purpose) && let Some(why) = self.$request.mismatch() {
                    return why;
                })+
                format!("the request is not {}", self.describe(keys))
            }

            /// A request that matches, if its caller does.
            #[cfg(test)]
            fn sample(&self) -> crate::testing::FakeRequest {
                let mut request = crate::testing::FakeRequest::default();
                $(self.$request.fulfil(&mut request);)+
                request
            }
        }
    };
}

conditions! {
    request {
        /// The methods, in capitals.
        method: Methods,
        /// The template of the path, without the query.
        path: Option<PathTemplate>,
        /// The hosts.
        host: Hosts,
        /// The client's address.
        client_ip: ClientIp,
        /// The routes of Envoy.
        route: RouteNames,
        /// What must hold for headers, by lower-case name.
        headers: Values<Header>,
        /// What must hold for query parameters, by name.
        query: Values<Parameter>,
        /// What must hold for cookies, by name.
        cookies: Values<Cookie>,
    }
    caller {
        /// What must hold for keys.
        keys: Keys,
    }
}

/// Reads one condition.
fn read<C: Condition>(fields: &Fields<'_>, keys: KnownKeys<'_>) -> Option<C> {
    fields.get_optional_with(&C::FIELD, |field| C::read(field, keys)).map(Option::unwrap_or_default)
}

impl RequestMatch {
    /// The template of the path, if it must match one.
    pub fn path(&self) -> Option<&PathTemplate> {
        self.path.as_ref()
    }

    /// Its name, by which a key can count.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Sets its name.
    pub fn set_name(&mut self, name: Option<String>) {
        self.name = name.map(String::into_boxed_str);
    }

    /// Whether the keys of a caller leave open whether a request that matches does so for every server: it has
    /// conflicting values, or one that some servers may read as another number.
    pub fn is_unclear<K: CallerKeys>(&self, caller: &K) -> bool {
        !self.keys.holds(caller, Purpose::Exempts)
    }

    /// Sets what the match is for, and which spellings of a path it covers.
    pub fn set_purpose(&mut self, purpose: Purpose, spellings: Spellings) {
        self.purpose = purpose;
        if let Some(path) = &mut self.path {
            path.set_spellings(spellings, purpose);
        }
    }
}

/// A match of all requests for a path.
impl From<PathTemplate> for RequestMatch {
    fn from(path: PathTemplate) -> RequestMatch {
        RequestMatch { path: Some(path), ..RequestMatch::default() }
    }
}

/// A pattern, and where the match has it.
#[derive(Clone, Copy, Debug)]
pub struct NamedPattern<'a> {
    /// The field of the match.
    pub field: &'static str,
    /// The name in this field; empty if the field itself has the pattern.
    pub name: &'a str,
    /// The pattern.
    pub pattern: &'a Pattern,
    /// Whether values are decoded before they are matched.
    pub is_decoded: bool,
    /// Whether values must not fit it.
    pub is_negated: bool,
}

/// What the conditions of a match say, in words.
#[derive(Default)]
struct Description {
    /// The methods; empty for any.
    methods: String,
    host: Option<String>,
    path: Option<String>,
    /// What is said after these.
    further: Vec<String>,
}

impl Description {
    fn join(self) -> String {
        let is_empty = self.methods.is_empty() && self.further.is_empty();
        let target = match (self.host, self.path) {
            (Some(host), Some(path)) => host + &path,
            (Some(host), None) => host + "/**",
            (None, Some(path)) => path,
            (None, None) if is_empty => "every request".into(),
            (None, None) => "any path".into(),
        };
        let words = [self.methods, target].into_iter().chain(self.further);
        words.filter(|words| !words.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests;
