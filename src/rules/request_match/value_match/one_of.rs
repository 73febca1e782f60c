//! Lists of patterns as conditions.

use super::{ValueMatch, ValueTest};
use crate::config::{Kind, Reader, all, forms};
use crate::http::{AnyOf, Pattern, Purpose};

impl ValueTest for Box<AnyOf<Pattern>> {
    const KIND: Kind = Kind::List(&Kind::Text(&forms::PATTERN.text));
    const WRITTEN: &'static str = "a list of such values";

    fn read(value: &Reader<'_>, trims: bool) -> Option<Option<Self>> {
        if !value.is_list() {
            return None;
        }
        let allowed = forms::PATTERN.text.allowed;
        let pattern = |entry: &Reader<'_>| {
            let one = <Pattern as ValueTest>::read(entry, trims).flatten();
            one.or_else(|| entry.error(allowed))
        };
        let entries = value.non_empty_list("a list of at least one pattern");
        Some(
            entries.and_then(|entries| all(entries.iter().map(pattern))).map(|all| Box::new(AnyOf::new(all))),
        )
    }

    fn describe(&self, name: &str, is: &str) -> String {
        let written: Vec<String> = self.iter().map(ToString::to_string).collect();
        format!("with {name}{is}{}", written.join(" or "))
    }

    fn covers(&self, other: &ValueMatch) -> bool {
        other.needs_one_of(|other| self.iter().any(|one| one.covers(other)))
    }

    fn fits(&self, value: &[u8], _: Purpose) -> bool {
        self.fit(value)
    }

    fn is_open(&self) -> bool {
        self.iter().any(|one| !one.is_exact())
    }

    fn patterns(&self) -> Vec<&Pattern> {
        self.iter().collect()
    }

    #[cfg(test)]
    fn sample(&self) -> Option<String> {
        self.iter().next().and_then(ValueTest::sample)
    }
}
