//! A key: how callers are told apart. Each source declares its own field.

use crate::config::{Object, Rule, object};
use crate::rules::source::SourceNames;
use crate::rules::{KeySource, modifiers};

/// What a modifier needs: a source that takes it.
macro_rules! only_with_its_sources {
    ($modifier:ident) => {{
        const SOURCES: &SourceNames = &KeySource::that_take(modifiers::$modifier.name);
        Rule::OnlyWith(modifiers::$modifier.name, SOURCES.0.split_at(SOURCES.1).0)
    }};
}

/// The object.
pub const OBJECT: Object = object!("key" at "keys.NAME":
"A way to tell callers apart. A policy does not apply to a request without its key.";
lists [KeySource::FIELDS, modifiers::ALL];
rules &[
    Rule::ExactlyOne(KeySource::NAMES),
    only_with_its_sources!(SCHEME),
    only_with_its_sources!(PREFIX),
    only_with_its_sources!(VALID),
    only_with_its_sources!(REPEATED),
    only_with_its_sources!(NAMES),
    only_with_its_sources!(CASE),
    only_with_its_sources!(SUFFIX),
    only_with_its_sources!(WHOLE),
    only_with_its_sources!(SEPARATOR),
    only_with_its_sources!(AFTER),
    only_with_its_sources!(BEFORE),
    Rule::OnlyWith(modifiers::INDEX.name, &[modifiers::SEPARATOR.name]),
]);
