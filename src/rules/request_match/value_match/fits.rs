//! Patterns as conditions.

use super::{ValueMatch, ValueTest};
use crate::config::{Kind, Reader, forms};
use crate::http::{Pattern, Purpose};

impl ValueTest for Pattern {
    const KIND: Kind = Kind::Text(&forms::PATTERN.text);
    const WRITTEN: &'static str = forms::PATTERN.text.allowed;

    fn read(value: &Reader<'_>, trims: bool) -> Option<Option<Pattern>> {
        let text = if value.is_text() { value.text("")? } else { return None };
        (forms::PATTERN.parse)(if trims { text.trim() } else { text }).map(Some)
    }

    fn describe(&self, name: &str, is: &str) -> String {
        format!("with {name}{is}{self}")
    }

    fn covers(&self, other: &ValueMatch) -> bool {
        other.needs_one_of(|other| Pattern::covers(self, other))
    }

    fn fits(&self, value: &[u8], _: Purpose) -> bool {
        Pattern::fits(self, value)
    }

    fn is_open(&self) -> bool {
        !self.is_exact()
    }

    fn patterns(&self) -> Vec<&Pattern> {
        vec![self]
    }

    #[cfg(test)]
    fn sample(&self) -> Option<String> {
        let text = if self.text().is_empty() && !self.is_exact() { "any" } else { self.text() };
        assert!(Pattern::fits(self, text.as_bytes()));
        Some(text.into())
    }
}
