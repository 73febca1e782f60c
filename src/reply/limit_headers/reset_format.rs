//! The formats of a reset. Each is one entry of `reset_formats!`, at the end.

use super::super::push_decimal;
use super::reset::ResetTime;
use crate::config::{Word, Words};

macro_rules! reset_formats {
    ($(
        $(#[$doc:meta])*
        $Format:ident {
            word: $word:literal,
            about: $about:literal,
            counts_from_now: $counts_from_now:literal,
            write: |$reset:ident, $out:ident| $write:expr $(,)?
        }
    )+) => {
        /// How the reset is written, rounded up.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub enum ResetFormat {
            $($(#[$doc])* $Format,)+
        }

        impl ResetFormat {
            /// Its words in a policy.
            pub const WORDS: &'static Words<ResetFormat> =
                &Words(&[$(Word::new($word, ResetFormat::$Format, $about)),+]);

            /// Its word in a policy.
            pub const fn word(self) -> &'static str {
                match self { $(ResetFormat::$Format => $word,)+ }
            }

            /// Whether it is the time from now. It is an instant otherwise.
            pub fn counts_from_now(self) -> bool {
                match self { $(ResetFormat::$Format => $counts_from_now,)+ }
            }

            /// Appends a reset.
            #[inline]
            pub(super) fn push(self, reset: &ResetTime, out: &mut String) {
                match self { $(ResetFormat::$Format => { let ($reset, $out) = (reset, out); $write })+ }
            }
        }
    };
}

reset_formats! {
    /// Seconds since the UNIX epoch.
    Epoch {
        word: "epoch",
        about: "seconds since 1970",
        counts_from_now: false,
        write: |reset, out| push_decimal(out, reset.epoch_seconds()),
    }
    /// Seconds from now.
    Delta {
        word: "delta",
        about: "seconds from now",
        counts_from_now: true,
        write: |reset, out| push_decimal(out, reset.seconds_from_now()),
    }
}
