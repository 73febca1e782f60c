//! What is made from the registry in [`super`]: the two enums, and how a call finds its algorithm.

/// Calls a method of an [`Algorithm`]'s parameters or of a [`Counter`]'s state, whichever algorithm it is.
macro_rules! each {
    ($($with:tt)*) => { algorithms!(dispatch!($($with)*)) };
}

macro_rules! dispatch {
    (($enum:ident, $value:expr, $it:ident => $call:expr) $($file:ident::$name:ident,)*) => {
        match $value {
            $($enum::$name($it) => $call,)*
        }
    };
}

/// Calls a function of the algorithm whose states have this tag. `None`: this version does not know it.
macro_rules! of_kind {
    ($($with:tt)*) => { algorithms!(dispatch_kind!($($with)*)) };
}

macro_rules! dispatch_kind {
    (($kind:expr, $type:ident => $call:expr) $($file:ident::$name:ident,)*) => {
        match $kind {
            $(crate::limiter::$name::KIND => {
                type $type = crate::limiter::$name;
                $call
            })*
            _ => None,
        }
    };
}

/// Makes the enums of all algorithms.
macro_rules! make_enums {
    (() $($file:ident::$name:ident,)*) => {
        /// How units are counted: an algorithm with its parameters.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub enum Algorithm {
            $(#[doc = concat!("See [`", stringify!($file), "`].")] $name($file::$name),)*
        }

        /// One limit's state, parsed for one request.
        pub enum Counter<'a> {
            $(#[doc = concat!("See [`", stringify!($file), "`].")] $name(<$file::$name as Formula>::State<'a>),)*
        }

        $(pub use $file::$name;

        impl From<$file::$name> for Algorithm {
            fn from(parameters: $file::$name) -> Algorithm {
                Algorithm::$name(parameters)
            }
        })*

        impl Algorithm {
            /// All algorithms, with parameters that stand for any.
            pub const ALL: &[Algorithm] = &[$(Algorithm::$name($file::$name::PLAIN),)*];

            const ALL_WORDS: &[Word<Algorithm>] = &[
                $(Word::new(stringify!($file), Algorithm::$name($file::$name::PLAIN), $file::$name::ABOUT),)*
            ];

            /// The words that policies have for them.
            pub const WORDS: &Words<Algorithm> = &Words(match Algorithm::ALL_WORDS {
                [words @ .., _at_once, _penalty] => words,
                [] | [_] => &[],
            });

            /// The word that policies have for it.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Algorithm::$name(_) => stringify!($file),)*
                }
            }

            /// The tag of this algorithm's states in a record.
            pub const fn kind(self) -> u8 {
                match self {
                    $(Algorithm::$name(_) => $file::$name::KIND,)*
                }
            }
        }

        impl<'a> Counter<'a> {
            /// The counter of an unused limit.
            pub fn unused(limit: &Limit, opening: Opening) -> Counter<'a> {
                match limit.algorithm {
                    $(Algorithm::$name(parameters) => Counter::$name(parameters.unused(limit, opening)),)*
                }
            }

            /// Parses a state. Empty bytes are the state of an unused limit. `None` if the bytes are damaged.
            pub fn open_with(limit: &Limit, state: &'a [u8], opening: Opening) -> Option<Counter<'a>> {
                if state.is_empty() {
                    return Some(Counter::unused(limit, opening));
                }
                Some(match limit.algorithm {
                    $(Algorithm::$name(parameters) => Counter::$name(parameters.open(limit, state, opening)?),)*
                })
            }
        }
    };
}
