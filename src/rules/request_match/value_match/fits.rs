//! Patterns as conditions.

use super::{ValueMatch, ValueTest};
use crate::config::{Kind, Reader, forms};
use crate::http::Pattern;

impl ValueTest for Pattern {
    const KIND: Kind = Kind::Text(&forms::PATTERN.text);
    const WRITTEN: &'static str = forms::PATTERN.text.allowed;

    fn read(value: &Reader<'_>, trims: bool) -> Option<Pattern> {
        let text = if value.is_text() { value.text("")? } else { return None };
        (forms::PATTERN.parse)(if trims { text.trim() } else { text })
    }

    fn describe(&self, name: &str, is: &str) -> String {
        format!("with {name}{is}{self}")
    }

    fn covers(&self, other: &ValueMatch) -> bool {
        other.pattern().is_some_and(|other| Pattern::covers(self, other))
    }

    fn fits(&self, value: &[u8]) -> bool {
        Pattern::fits(self, value)
    }

    fn is_open(&self) -> bool {
        !self.is_exact()
    }

    fn pattern(&self) -> Option<&Pattern> {
        Some(self)
    }

    #[cfg(test)]
    fn sample(&self) -> Option<String> {
        let text = if self.text().is_empty() && !self.is_exact() { "any" } else { self.text() };
        Some(text.into())
    }
}
