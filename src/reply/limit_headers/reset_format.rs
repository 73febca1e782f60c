//! The formats of a reset. Each is one entry of `reset_formats!`, at the end.

use super::super::decimal::{Zeros, push_decimal, push_fraction};
use super::reset::ResetTime;
use crate::config::{Word, Words};
use crate::time::push_instant;

const MILLISECONDS: u64 = 1_000;

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
            /// The format where neither a policy nor a preset says one.
            pub const DEFAULT: ResetFormat = ResetFormat::Epoch;

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
    /// Milliseconds since the UNIX epoch.
    EpochMs {
        word: "epoch_ms",
        about: "milliseconds since 1970",
        counts_from_now: false,
        write: |reset, out| push_decimal(out, reset.epoch_milliseconds()),
    }
    /// Milliseconds from now.
    DeltaMs {
        word: "delta_ms",
        about: "milliseconds from now",
        counts_from_now: true,
        write: |reset, out| push_decimal(out, reset.milliseconds_from_now()),
    }
    /// Seconds since the UNIX epoch, with three places.
    EpochDecimal {
        word: "epoch_decimal",
        about: "seconds since 1970 with three decimal places, such as `1470173023.120`",
        counts_from_now: false,
        write: |reset, out| push_fraction(out, reset.epoch_milliseconds(), MILLISECONDS, Zeros::Keep),
    }
    /// Seconds from now, with up to three places.
    DeltaDecimal {
        word: "delta_decimal",
        about: "seconds from now with up to three decimal places, such as `1.2`",
        counts_from_now: true,
        write: |reset, out| push_fraction(out, reset.milliseconds_from_now(), MILLISECONDS, Zeros::Drop),
    }
    /// An instant as RFC 3339 writes it.
    Rfc3339 {
        word: "rfc3339",
        about: "an instant in UTC such as `2026-05-19T06:00:00Z`",
        counts_from_now: false,
        write: |reset, out| push_instant(out, reset.epoch_seconds()),
    }
    /// The time from now as Go writes lengths of time.
    Duration {
        word: "duration",
        about: "the time from now as `6m0s`, `1s` or `1h0m0s`, and below a second as `250ms`",
        counts_from_now: true,
        write: |reset, out| push_duration(out, reset.milliseconds_from_now()),
    }
}

/// Appends a length of time in milliseconds, rounded up to a second unless it is shorter than one.
fn push_duration(out: &mut String, milliseconds: u64) {
    if (1..MILLISECONDS).contains(&milliseconds) {
        push_decimal(out, milliseconds);
        return out.push_str("ms");
    }
    let seconds = milliseconds.div_ceil(MILLISECONDS);
    let units = [(seconds / 3_600, 'h'), (seconds / 60 % 60, 'm'), (seconds % 60, 's')];
    let mut is_first = true;
    for (number, unit) in units {
        if number > 0 || !is_first || unit == 's' {
            push_decimal(out, number);
            out.push(unit);
            is_first = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test(unsupported = test)]
    fn a_duration_is_written_as_go_writes_it_and_rounded_up() {
        for (milliseconds, expected) in [
            (0, "0s"),
            (1, "1ms"),
            (250, "250ms"),
            (999, "999ms"),
            (1_000, "1s"),
            (1_001, "2s"),
            (59_001, "1m0s"),
            (360_000, "6m0s"),
            (3_600_000, "1h0m0s"),
            (2_592_061_000, "720h1m1s"),
        ] {
            let mut out = String::new();
            push_duration(&mut out, milliseconds);
            assert_eq!(out, expected);
        }
    }
}
