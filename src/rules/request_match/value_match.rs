//! What must hold for the values that a request has under a name: in a header, in the query, in a cookie or
//! as a key.
//!
//! A client can repeat a name, encode it, or write it so that servers disagree about what they read. So a
//! condition has two meanings, see [`Purpose`]. Where a match adds limits, it holds if some server may read
//! the request so. Where a match takes limits away, it holds only if every server does.

mod fits;
mod negation;
mod one_of;
mod presence;
mod range;
mod readings;

use crate::config::{Kind, Object, Reader, Rule, object};
use crate::http::credential::{self, Location};
use crate::http::{AnyOf, Pattern, Purpose, Request, RequestCache};
use negation::{NOT, Negation};
use presence::Presence;
use range::{MAX, MIN, NumberRange};
use readings::Readings;

/// One kind of condition. By default it is about values.
trait ValueTest: Sized {
    /// How it is written in a policy.
    const KIND: Kind;

    /// The same in an error.
    const WRITTEN: &'static str;

    /// Reads it. `None`: it is not written so; `Some(None)`: it is, but has errors. `trims`: requests' values
    /// are compared without surrounding whitespace.
    fn read(value: &Reader<'_>, trims: bool) -> Option<Option<Self>>;

    /// In words. `name` is what it is about, and `is` stands between a name and its value.
    fn describe(&self, name: &str, is: &str) -> String;

    /// Whether it holds whenever `other` does, as far as that can be decided.
    fn covers(&self, other: &ValueMatch) -> bool;

    /// Whether it depends on what the values are, and not only on whether there are any.
    fn reads_values(&self) -> bool {
        true
    }

    /// Whether it never holds without a value.
    fn requires_value(&self) -> bool {
        true
    }

    /// Whether a value fits. Where servers may read it in several ways, it does for the purpose to limit if one
    /// of them may, and for the other purpose only if all do.
    fn fits(&self, value: &[u8], purpose: Purpose) -> bool;

    /// The condition whose opposite it is.
    fn negates(&self) -> Option<&ValueMatch> {
        None
    }

    /// Whether it holds for what a request has.
    fn holds(&self, found: &Readings, purpose: Purpose) -> bool {
        match purpose {
            Purpose::Limits => found.fits,
            Purpose::Exempts => found.sure && found.fits,
        }
    }

    /// Whether it holds for values that the policy does not write out.
    fn is_open(&self) -> bool;

    /// The patterns that are compared with values.
    fn patterns(&self) -> Vec<&Pattern> {
        Vec::new()
    }

    /// The numbers that values must be among.
    fn range(&self) -> Option<&NumberRange> {
        None
    }

    /// A value for which it holds. `None`: it holds without one.
    #[cfg(test)]
    fn sample(&self) -> Option<String>;
}

macro_rules! value_tests {
    ($($(#[$doc:meta])* $Test:ident($type:ty),)+) => {
        /// What must hold for the values of one name.
        #[derive(Clone, Debug, PartialEq)]
        pub enum ValueMatch {
            $($(#[$doc])* $Test($type),)+
        }

        /// How the conditions are written, in an error.
        const WRITTEN: &[&str] = &[$(<$type>::WRITTEN),+];

        impl ValueMatch {
            /// How they are written in a policy.
            pub(super) const KIND: Kind = Kind::Either(&[$(<$type>::KIND),+]);

            fn read_any(value: &Reader<'_>, trims: bool) -> Option<ValueMatch> {
                $(if let Some(read) = <$type>::read(value, trims) {
                    return read.map(ValueMatch::$Test);
                })+
                ValueMatch::error(value)
            }

            /// Whether it depends on what the values are, and not only on whether there are any.
            pub(super) fn reads_values(&self) -> bool {
                match self { $(ValueMatch::$Test(test) => test.reads_values(),)+ }
            }

            /// Whether it never holds without a value.
            pub(super) fn requires_value(&self) -> bool {
                match self { $(ValueMatch::$Test(test) => test.requires_value(),)+ }
            }

            /// Whether a value fits, for a purpose.
            fn fits(&self, value: &[u8], purpose: Purpose) -> bool {
                match self { $(ValueMatch::$Test(test) => ValueTest::fits(test, value, purpose),)+ }
            }

            /// The condition whose opposite it is.
            fn negates(&self) -> Option<&ValueMatch> {
                match self { $(ValueMatch::$Test(test) => test.negates(),)+ }
            }

            fn holds(&self, found: &Readings, purpose: Purpose) -> bool {
                match self { $(ValueMatch::$Test(test) => test.holds(found, purpose),)+ }
            }

            /// Whether it holds whenever `other` does, as far as that can be decided.
            pub(super) fn covers(&self, other: &ValueMatch) -> bool {
                match self { $(ValueMatch::$Test(test) => ValueTest::covers(test, other),)+ }
            }

            /// In words. `name` is what it is about, and `is` stands between a name and its value.
            pub(super) fn describe(&self, name: &str, is: &str) -> String {
                match self { $(ValueMatch::$Test(test) => test.describe(name, is),)+ }
            }

            /// Whether it holds for values that the policy does not write out.
            pub(super) fn is_open(&self) -> bool {
                match self { $(ValueMatch::$Test(test) => test.is_open(),)+ }
            }

            /// The patterns that are compared with values.
            pub(super) fn patterns(&self) -> Vec<&Pattern> {
                match self { $(ValueMatch::$Test(test) => test.patterns(),)+ }
            }

            fn range(&self) -> Option<&NumberRange> {
                match self { $(ValueMatch::$Test(test) => test.range(),)+ }
            }

            /// A value for which it holds. `None`: it holds without one.
            #[cfg(test)]
            pub(super) fn sample(&self) -> Option<String> {
                match self { $(ValueMatch::$Test(test) => test.sample(),)+ }
            }
        }
    };
}

value_tests! {
    /// Whether the name is present, with any value.
    Presence(Presence),
    /// It has a value that fits.
    Fits(Pattern),
    /// It has a value that fits one of several patterns.
    OneOf(Box<AnyOf<Pattern>>),
    /// It has no value that fits.
    Not(Negation),
    /// It has a number within a range.
    Within(Box<NumberRange>),
}

/// A condition with fields of its own.
const CONDITION: Object = object!("condition" at "policies[].match[].headers.*, query.*, cookies.*, keys.*":
"What must hold for a value: either `not`, or `min` and `max` or one of them."; NOT, MIN, MAX; rules [
    Rule::NotBoth(NOT.name, MIN.name),
    Rule::NotBoth(NOT.name, MAX.name),
]);

/// What is allowed where a pattern, or a list of them, is.
const PATTERNS: &str = "a pattern, or a list of at least one pattern";

impl ValueMatch {
    /// Reads a condition, see [`ValueTest::read`].
    #[inline(never)] // one copy
    pub(super) fn read(entry: &Reader<'_>, trims: bool) -> Option<ValueMatch> {
        ValueMatch::read_any(entry, trims)
    }

    /// Reads one pattern or a list of them.
    fn read_patterns(value: &Reader<'_>, trims: bool) -> Option<ValueMatch> {
        let one = <Pattern as ValueTest>::read(value, trims).map(|one| one.map(ValueMatch::Fits));
        let list = || <Box<AnyOf<Pattern>> as ValueTest>::read(value, trims);
        one.or_else(|| list().map(|list| list.map(ValueMatch::OneOf)))
            .unwrap_or_else(|| value.error(PATTERNS))
    }

    /// Records that `entry` is no condition.
    pub(super) fn error<T>(entry: &Reader<'_>) -> Option<T> {
        let (last, others) = WRITTEN.split_last()?;
        entry.error(&[&others.join(", "), ", or ", last].concat())
    }

    /// Whether it holds for every value of a name that is present.
    pub(super) fn is_presence(&self) -> bool {
        self.requires_value() && !self.reads_values()
    }

    /// Whether it is about the empty value.
    pub(super) fn is_empty_value(&self) -> bool {
        self.patterns().iter().any(|pattern| pattern.is_exact() && pattern.text().is_empty())
    }

    /// Whether it only holds for values that fit a pattern, each of which `covers`.
    fn needs_one_of(&self, covers: impl Fn(&Pattern) -> bool) -> bool {
        let patterns = self.patterns();
        self.negates().is_none() && !patterns.is_empty() && patterns.into_iter().all(covers)
    }

    /// What is to be found out and for which purpose, and whether the opposite of that holds. That some server
    /// may find no value that fits is the opposite of that all find only such values.
    fn asked(&self, purpose: Purpose) -> (&ValueMatch, Purpose, bool) {
        match self.negates() {
            None => (self, purpose, false),
            Some(test) => (test, purpose.opposite(), true),
        }
    }

    /// Whether it holds for a header, by its lower-case name.
    #[inline(never)] // one copy
    pub(super) fn holds_in_header<R: Request>(
        &self,
        request: &RequestCache<'_, R>,
        name: &str,
        purpose: Purpose,
    ) -> bool {
        let (test, purpose, negated) = self.asked(purpose);
        test.holds(&Readings::of_header(test, request, name, purpose), purpose) != negated
    }

    /// Whether it holds for a query parameter.
    pub(super) fn holds_in_query<R: Request>(
        &self,
        request: &RequestCache<'_, R>,
        name: &str,
        purpose: Purpose,
    ) -> bool {
        self.holds_in(Location::Query(name), credential::query(request.target()), purpose)
    }

    /// Whether it holds for a cookie.
    pub(super) fn holds_in_cookies<R: Request>(
        &self,
        request: &RequestCache<'_, R>,
        name: &str,
        purpose: Purpose,
    ) -> bool {
        self.holds_in(Location::Cookies(name), request.cookies().unwrap_or_default(), purpose)
    }

    #[inline(never)] // one copy for both
    fn holds_in(&self, location: Location<'_>, text: &[u8], purpose: Purpose) -> bool {
        let (test, purpose, negated) = self.asked(purpose);
        test.holds(&Readings::of(test, location, text, purpose), purpose) != negated
    }

    /// Whether it holds for values that all servers find alike. `any_fits`: whether one of them passes a test;
    /// `None`: there are no values.
    pub(super) fn holds_for_all_servers(
        &self,
        purpose: Purpose,
        any_fits: impl FnOnce(&dyn Fn(&[u8]) -> bool) -> Option<bool>,
    ) -> bool {
        let (test, purpose, negated) = self.asked(purpose);
        let fits = any_fits(&|value| test.fits(value, purpose));
        test.holds(&Readings::of_all_servers(fits), purpose) != negated
    }
}

#[cfg(test)]
mod tests;
