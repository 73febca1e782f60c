//! Compiles which part of a key's value counts: `whole`, `separator` and `index`, then `after` and `before`.

use crate::config::Fields;
use crate::http::Cut;
use crate::rules::modifiers::{AFTER, BEFORE, INDEX, PREFIX, REPEATED, SAME_AS, SCHEME, SEPARATOR, WHOLE};
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

/// Which part of what that leaves counts.
pub(super) fn cut(fields: &Fields<'_>) -> Option<Option<Box<Cut>>> {
    let (after, before) = (fields.get_optional(&AFTER), fields.get_optional(&BEFORE));
    let cut = Cut { after: after?, before: before? };
    Some((cut != Cut::default()).then(|| Box::new(cut)))
}

/// Records fields that would have no effect, since the source has no values of its own, or since another part of
/// them counts.
pub(super) fn check_fields(fields: &Fields<'_>, source: &KeySource, part: &Part) {
    let not = |field: Option<&crate::config::Reader<'_>>, with: &str| {
        if let Some(field) = field {
            field.error::<()>(&["not with ", with].concat());
        }
    };
    // Whether a source takes it may depend on its word.
    let kind = source.kind();
    for field in [fields.present(&AFTER), fields.present(&BEFORE)].into_iter().flatten() {
        let some_word_does =
            KeySource::KINDS.iter().any(|one| one.field == kind.field && one.takes.contains(&field.name()));
        if some_word_does && !kind.takes.contains(&field.name()) {
            field.error_found::<()>(
                &[field.name(), " with another word of ", kind.field].concat(),
                "only with a word whose values have parts, such as request: path",
            );
        }
    }
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
