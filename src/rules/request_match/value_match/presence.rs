//! Whether a name is there at all.

use super::{Readings, ValueMatch, ValueTest};
use crate::config::{Kind, Reader};
use crate::http::Purpose;

/// Whether the name is there, with any value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::rules) enum Presence {
    Present,
    Absent,
}

impl ValueTest for Presence {
    const KIND: Kind = Kind::Flag;
    const WRITTEN: &'static str = "true (present), false (absent)";

    fn read(value: &Reader<'_>, _: bool) -> Option<Option<Presence>> {
        let is_present = if value.is_flag() { value.flag()? } else { return None };
        Some(Some(if is_present { Presence::Present } else { Presence::Absent }))
    }

    fn describe(&self, name: &str, _: &str) -> String {
        match self {
            Presence::Present => ["with ", name].concat(),
            Presence::Absent => ["without ", name].concat(),
        }
    }

    fn covers(&self, other: &ValueMatch) -> bool {
        match self {
            Presence::Present => other.requires_value(),
            Presence::Absent => !other.requires_value() && !other.reads_values(),
        }
    }

    fn reads_values(&self) -> bool {
        false
    }

    fn requires_value(&self) -> bool {
        *self == Presence::Present
    }

    fn fits(&self, _: &[u8], _: Purpose) -> bool {
        self.requires_value()
    }

    fn holds(&self, found: &Readings, purpose: Purpose) -> bool {
        match (self, purpose) {
            (Presence::Present, Purpose::Limits) => found.any,
            (Presence::Present, Purpose::Exempts) => found.sure,
            // Most servers take an empty value for none.
            (Presence::Absent, Purpose::Limits) => !found.filled,
            (Presence::Absent, Purpose::Exempts) => !found.any,
        }
    }

    fn is_open(&self) -> bool {
        self.requires_value()
    }

    #[cfg(test)]
    fn sample(&self) -> Option<String> {
        self.requires_value().then(|| "any".into())
    }
}
