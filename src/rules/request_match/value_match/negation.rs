//! Values that must not be there.

use super::{CONDITION, PATTERNS, ValueMatch, ValueTest};
use crate::config::{Composite, Field, Kind, Reader, forms};
use crate::http::{Pattern, Purpose};

pub(super) const NOT: Field<Composite> = Field::optional(
    "not",
    Composite::new(Kind::Either(&[PATTERN, Kind::List(&PATTERN)]), PATTERNS),
    "any",
    "no value fits one of these patterns, or there is no value. If servers may read different values, one that fits none is enough for a \
     `match` of a policy; a rule that frees requests takes none that fits",
);

const PATTERN: Kind = Kind::Text(&forms::PATTERN.text);

/// The opposite of a condition on patterns.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::rules) struct Negation(Box<ValueMatch>);

impl ValueTest for Negation {
    const KIND: Kind = Kind::Object(&CONDITION);
    const WRITTEN: &'static str = "{ not: value }";

    fn read(value: &Reader<'_>, trims: bool) -> Option<Option<Negation>> {
        if !value.has(NOT.name) {
            return None;
        }
        let fields = value.fields(&CONDITION);
        let of = fields.and_then(|fields| ValueMatch::read_patterns(fields.present(&NOT)?, trims));
        Some(of.map(|of| Negation(Box::new(of))))
    }

    fn describe(&self, name: &str, is: &str) -> String {
        let written: Vec<String> = self.0.patterns().iter().map(ToString::to_string).collect();
        format!("unless {name}{is}{}", written.join(" or "))
    }

    /// What may not be here may not be there, either. An absent value is none that fits.
    fn covers(&self, other: &ValueMatch) -> bool {
        match other.negates() {
            Some(negated) => negated.covers(&self.0),
            None => !other.requires_value() && !self.0.fits(b"", Purpose::Limits),
        }
    }

    fn requires_value(&self) -> bool {
        false
    }

    fn fits(&self, value: &[u8], purpose: Purpose) -> bool {
        !self.0.fits(value, purpose.opposite())
    }

    fn negates(&self) -> Option<&ValueMatch> {
        Some(&self.0)
    }

    fn is_open(&self) -> bool {
        true
    }

    fn patterns(&self) -> Vec<&Pattern> {
        self.0.patterns()
    }

    #[cfg(test)]
    fn sample(&self) -> Option<String> {
        None
    }
}
