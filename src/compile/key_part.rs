//! Compiles which part of a key's value counts: `whole`, `separator` and `index`.

use crate::config::Fields;
use crate::rules::modifiers::{INDEX, PREFIX, REPEATED, SAME_AS, SCHEME, SEPARATOR, WHOLE};
use crate::rules::{KeySource, Part};

/// Which part of a value counts.
#[inline(never)]
pub(super) fn part(fields: &Fields<'_>) -> Option<Part> {
    let (whole, separator) = (fields.get(&WHOLE), fields.get_optional(&SEPARATOR));
    let index = fields.get_optional(&INDEX);
    match (whole?, separator?, index?) {
        (true, None, _) => Some(Part::Whole),
        (true, Some(_), _) => fields.about(&WHOLE).error_found("whole with separator", "only one of them"),
        (false, None, _) => Some(Part::Usual),
        (false, Some(separator), None) => Some(Part::List(separator)),
        (false, Some(separator), Some(index)) => Some(Part::Element { separator, index }),
    }
}

/// Records fields that would have no effect, since the source has no values of its own, or since another part of
/// them counts.
pub(super) fn check_fields(fields: &Fields<'_>, source: &KeySource, part: &Part) {
    let not = |field: Option<&crate::config::Reader<'_>>, with: &str| {
        if let Some(field) = field {
            field.error::<()>(&["not with ", with].concat());
        }
    };
    if !source.alternatives().is_empty() {
        not(fields.present(&SAME_AS), "first_of, which takes the values of its keys");
    }
    if source.joins_lines() && *part != Part::Usual {
        not(fields.present(&REPEATED), "whole or separator, which read all lines of a header as one value");
    }
    match part {
        Part::Whole => not(fields.present(&SCHEME), "whole"),
        Part::List(_) => not(fields.present(&PREFIX), "separator, except together with index"),
        Part::Usual | Part::Element { .. } => {}
    }
}
