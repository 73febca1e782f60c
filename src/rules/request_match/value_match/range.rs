//! Numbers within a range.
//!
//! Servers read a number in many ways: some skip spaces and signs, some take `010` for 8, `0x5` for 5, `5.7` for 5
//! or 6 and `5x` for 5, and others reject them. Some cut off all but 32 bits, and some take a negative number for a
//! huge one. So only a plain number that all servers read alike is compared with the range; nobody knows what any
//! other text is.

use super::{CONDITION, ValueMatch, ValueTest};
use crate::config::{Field, Kind, Number, Reader};
use crate::http::{Pattern, Purpose};

/// Bounds that Envoy and this code read alike; servers that keep numbers as doubles read numbers of so many
/// digits, too.
const NUMBERS: Number<i64> = Number::new(i32::MIN as i64, 999_999_999_999_999, "");

const MAX_I32: i64 = i32::MAX as i64;

pub(super) const MIN: Field<Number<i64>> = Field::optional(
    "min",
    NUMBERS,
    "any up to `max`",
    "the value is a whole number and at least this. Servers may read anything but a plain number, such as `+5`, `5.0`, `0x5` or text, in \
     several ways, and also a negative number or one above 2147483647, unless `min` or `max` is such a number: a `match` of a policy covers \
     them, and a rule that frees requests does not",
);

pub(super) const MAX: Field<Number<i64>> =
    Field::optional("max", NUMBERS, "any from `min` on", "the same, and at most this");

/// The whole numbers from one to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::rules) struct NumberRange {
    min: Option<i64>,
    max: Option<i64>,
}

impl NumberRange {
    fn contains(&self, number: i64) -> bool {
        self.min.is_none_or(|min| min <= number) && self.max.is_none_or(|max| number <= max)
    }

    /// Whether a bound is negative, and whether one needs more than 32 bits.
    fn unusual(&self) -> (bool, bool) {
        let any = |is: fn(i64) -> bool| [self.min, self.max].into_iter().flatten().any(is);
        (any(|bound| bound < 0), any(|bound| bound > MAX_I32))
    }

    /// Whether all servers read this number as itself: those with a use for such bounds do.
    fn is_plain(&self, number: i64) -> bool {
        let (negative, large) = self.unusual();
        (negative || number >= 0) && (large || number <= MAX_I32)
    }

    fn contains_range(&self, other: &NumberRange) -> bool {
        let min = self.min.is_none_or(|min| other.min.is_some_and(|other| min <= other));
        min && self.max.is_none_or(|max| other.max.is_some_and(|other| other <= max))
            && self.unusual() == other.unusual()
    }
}

/// A number without a plus sign, leading zeros or anything else that servers may read in different ways.
fn plain(value: &[u8]) -> Option<i64> {
    let (is_negative, digits) = match value {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let is_written_plainly = match digits {
        [b'0'] => !is_negative,
        [b'1'..=b'9', others @ ..] => others.len() < 15 && others.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    let add = |number: i64, digit: &u8| number * 10 + i64::from(digit - b'0');
    let number = is_written_plainly.then(|| digits.iter().fold(0, add))?;
    Some(if is_negative { -number } else { number })
}

impl ValueTest for Box<NumberRange> {
    const KIND: Kind = Kind::Object(&CONDITION);
    const WRITTEN: &'static str = "{ min: 1, max: 9 }";

    fn read(value: &Reader<'_>, _: bool) -> Option<Option<Self>> {
        if !value.is_object() {
            return None;
        }
        let fields = value.fields(&CONDITION);
        Some(fields.and_then(|fields| {
            let (min, max) = (fields.get_optional(&MIN)?, fields.get_optional(&MAX)?);
            match (min, max) {
                (None, None) => fields.at().error_found("nothing", "not, min or max"),
                (Some(min), Some(max)) if min > max => {
                    fields.about(&MIN).error_found("a min above max", "a number that is at most max")
                }
                (_, _) => Some(Box::new(NumberRange { min, max })),
            }
        }))
    }

    fn describe(&self, name: &str, is: &str) -> String {
        let range = match (self.min, self.max) {
            (Some(min), Some(max)) => format!("{min} to {max}"),
            (Some(min), None) => format!("at least {min}"),
            (None, Some(max)) => format!("at most {max}"),
            (None, None) => "any number".into(),
        };
        format!("with {name}{is}{range}")
    }

    fn covers(&self, other: &ValueMatch) -> bool {
        let is_within = |pattern: &Pattern| {
            pattern.is_exact() && ValueTest::fits(self, pattern.text().as_bytes(), Purpose::Exempts)
        };
        match other.range() {
            Some(other) => self.contains_range(other),
            None => other.needs_one_of(is_within),
        }
    }

    fn fits(&self, value: &[u8], purpose: Purpose) -> bool {
        match plain(value).filter(|number| self.is_plain(*number)) {
            Some(number) => self.contains(number),
            // Where a server takes an empty value for a number, that is zero.
            None if value.is_empty() => purpose == Purpose::Limits && self.contains(0),
            None => purpose == Purpose::Limits,
        }
    }

    fn is_open(&self) -> bool {
        true
    }

    fn range(&self) -> Option<&NumberRange> {
        Some(self)
    }

    #[cfg(test)]
    fn sample(&self) -> Option<String> {
        self.min.or(self.max).map(|number| number.to_string())
    }
}
