//! Compiles which part of a key's value counts: `whole`, `separator` and `index`.

use crate::config::{Fields, Reader};
use crate::rules::{KeySource, Part};

/// Which part of a value counts.
#[inline(never)]
pub(super) fn part(fields: &Fields<'_>) -> Option<Part> {
    const SEPARATOR: &str = "text of 1 to 16 characters, such as \",\"";
    let whole = fields.read_or("whole", false, Reader::flag);
    let separator = fields.read("separator", |reader| {
        let text = reader.text(SEPARATOR)?;
        if (1..=16).contains(&text.chars().count()) {
            Some(text.to_string())
        } else {
            reader.error(SEPARATOR)
        }
    });
    let index = fields.read("index", |n| n.integer(-64..=63)).map(|n| n.map(|n| n as i32));
    match (whole?, separator?, index?) {
        (true, None, None) => Some(Part::Whole),
        (true, _, _) => fields.at().field("whole").error_found("whole with separator", "only one of them"),
        (false, None, None) => Some(Part::Usual),
        (false, None, Some(_)) => {
            fields.at().field("index").error_found("index without separator", "only with separator")
        }
        (false, Some(separator), None) => Some(Part::List(separator)),
        (false, Some(separator), Some(index)) => Some(Part::Element { separator, index }),
    }
}

/// What would have no effect, since another part of the value counts.
pub(super) fn reject_fields_of_other_parts(
    fields: &Fields<'_>,
    source: &KeySource,
    part: &Part,
) -> Option<()> {
    let scheme = fields.optional("scheme");
    let all_lines = source.joins_lines() && *part != Part::Usual;
    if let Some(repeated) = fields.optional("repeated").filter(|_| all_lines) {
        return repeated.error("not with whole or separator, which read all lines of a header as one value");
    }
    match part {
        Part::Whole => scheme.map_or(Some(()), |scheme| scheme.error("not with whole")),
        Part::List(_) => match fields.optional("prefix") {
            Some(prefix) => prefix.error("not with separator, except together with index"),
            None => Some(()),
        },
        Part::Usual | Part::Element { .. } => Some(()),
    }
}
