//! Conditions on whether a name is there at all.

use super::{Readings, ValueMatch, ValueTest};
use crate::config::Reader;
use crate::http::Purpose;

/// The name is there, with any value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Present;

/// The name is not there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Absent;

impl ValueTest for Present {
    const WRITTEN: &'static str = "true (present)";

    fn read(value: &Reader<'_>, _: bool) -> Option<Present> {
        (value.is_flag() && value.flag()?).then_some(Present)
    }

    fn describe(&self, name: &str, _: &str) -> String {
        ["with ", name].concat()
    }

    fn covers(&self, other: &ValueMatch) -> bool {
        other.requires_value()
    }

    fn reads_values(&self) -> bool {
        false
    }

    fn fits(&self, _: &[u8]) -> bool {
        true
    }

    fn holds(&self, found: &Readings, purpose: Purpose) -> bool {
        match purpose {
            Purpose::Limits => found.any,
            Purpose::Exempts => found.sure,
        }
    }

    fn is_open(&self) -> bool {
        true
    }

    #[cfg(test)]
    fn sample(&self) -> Option<String> {
        Some("any".into())
    }
}

impl ValueTest for Absent {
    const WRITTEN: &'static str = "false (absent)";

    fn read(value: &Reader<'_>, _: bool) -> Option<Absent> {
        (value.is_flag() && !value.flag()?).then_some(Absent)
    }

    fn describe(&self, name: &str, _: &str) -> String {
        ["without ", name].concat()
    }

    fn covers(&self, other: &ValueMatch) -> bool {
        !other.requires_value()
    }

    fn reads_values(&self) -> bool {
        false
    }

    fn requires_value(&self) -> bool {
        false
    }

    fn fits(&self, _: &[u8]) -> bool {
        false
    }

    fn holds(&self, found: &Readings, purpose: Purpose) -> bool {
        match purpose {
            // Most servers take an empty value for none.
            Purpose::Limits => !found.filled,
            Purpose::Exempts => !found.any,
        }
    }

    fn is_open(&self) -> bool {
        false
    }

    #[cfg(test)]
    fn sample(&self) -> Option<String> {
        None
    }
}
