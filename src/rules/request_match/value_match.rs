//! What must hold for the values that a request has under a name: in a header, in the query, in a cookie or
//! as a key.
//!
//! A client can repeat a name, encode it, or write it so that servers disagree about what they read. So a
//! condition has two meanings, see [`Purpose`]. Where a match adds limits, it holds if some server may read
//! the request so. Where a match takes limits away, it holds only if every server does.

mod fits;
mod presence;
mod readings;

use crate::config::{Kind, Reader};
use crate::http::credential::{self, Location};
use crate::http::{Pattern, Purpose, Request, RequestCache};
use presence::Presence;
use readings::Readings;

/// One kind of condition. By default it is about values.
trait ValueTest: Sized {
    /// How it is written in a policy.
    const KIND: Kind;

    /// The same in an error.
    const WRITTEN: &'static str;

    /// Reads it. `None`: it is not written so. `trims`: requests' values are compared without surrounding
    /// whitespace.
    fn read(value: &Reader<'_>, trims: bool) -> Option<Self>;

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

    /// Whether a value fits.
    fn fits(&self, value: &[u8]) -> bool;

    /// Whether it holds for what a request has.
    fn holds(&self, found: &Readings, purpose: Purpose) -> bool {
        match purpose {
            Purpose::Limits => found.fits,
            Purpose::Exempts => found.sure && found.fits,
        }
    }

    /// Whether it holds for values that the policy does not write out.
    fn is_open(&self) -> bool;

    /// The pattern that values must fit, if it is one.
    fn pattern(&self) -> Option<&Pattern> {
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
                None$(.or_else(|| <$type>::read(value, trims).map(ValueMatch::$Test)))+
            }

            /// Whether it depends on what the values are, and not only on whether there are any.
            pub(super) fn reads_values(&self) -> bool {
                match self { $(ValueMatch::$Test(test) => test.reads_values(),)+ }
            }

            fn requires_value(&self) -> bool {
                match self { $(ValueMatch::$Test(test) => test.requires_value(),)+ }
            }

            /// Whether a value fits.
            pub(super) fn fits(&self, value: &[u8]) -> bool {
                match self { $(ValueMatch::$Test(test) => ValueTest::fits(test, value),)+ }
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

            /// The pattern that values must fit, if it is one.
            pub(super) fn pattern(&self) -> Option<&Pattern> {
                match self { $(ValueMatch::$Test(test) => test.pattern(),)+ }
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
}

impl ValueMatch {
    /// Reads a condition, see [`ValueTest::read`].
    #[inline(never)] // one copy
    pub(super) fn read(entry: &Reader<'_>, trims: bool) -> Option<ValueMatch> {
        ValueMatch::read_any(entry, trims).or_else(|| ValueMatch::error(entry))
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

    /// Whether it holds only for the empty value.
    pub(super) fn is_empty_value(&self) -> bool {
        self.reads_values() && !self.is_open() && self.fits(b"")
    }

    /// Whether it holds for a header, by its lower-case name.
    #[inline(never)] // one copy
    pub(super) fn holds_in_header<R: Request>(
        &self,
        request: &RequestCache<'_, R>,
        name: &str,
        purpose: Purpose,
    ) -> bool {
        self.holds(&Readings::of_header(self, request, name, purpose), purpose)
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
        self.holds(&Readings::of(self, location, text, purpose), purpose)
    }

    /// Whether it holds for values that all servers read alike, of which one fits, or none. `None`: there are
    /// no values.
    pub(super) fn holds_for_all_servers(&self, fits: Option<bool>) -> bool {
        self.holds(&Readings::of_all_servers(fits), Purpose::Limits)
    }
}

#[cfg(test)]
mod tests;
