//! Compiles messages: one text, or a text for each language.

use super::template::TemplateScope;
use crate::config::{Reader, all};
use crate::language::{forms, limit};
use crate::reply::{Message, Template, TextKind};

/// What a message may be.
const MESSAGE: &str = limit::MESSAGE.kind.allowed;
const DEFAULT: &str = "default";

/// Reads a message.
pub(super) fn message(reader: &Reader<'_>, scope: &TemplateScope) -> Option<Message> {
    if reader.is_text() {
        return text(reader, scope).map(Message::one);
    }
    let mut entries = reader.named_entries(MESSAGE)?;
    entries.retain(|entry| entry.name() != DEFAULT);
    let texts = all(entries.iter().map(|entry| {
        let (tag, text) = (entry.read_name(&forms::LANGUAGE), text(entry, scope));
        Some((tag?, text?))
    }));
    let first = default(reader, &entries);
    let texts = texts?;
    for (i, entry) in entries.iter().enumerate() {
        let twin = |other: &Reader<'_>| other.name().eq_ignore_ascii_case(entry.name());
        if entries.iter().take(i).any(twin) {
            entry.error_found::<()>("the same language twice", "each language once")?;
        }
    }
    Some(Message::by_language(texts, first?))
}

fn text(reader: &Reader<'_>, scope: &TemplateScope) -> Option<Template> {
    scope.template(reader, reader.text(forms::TEMPLATE.allowed)?, TextKind::Text)
}

/// The language for callers who ask for none of the others. If there are several, `default` must name it: the
/// fields of an object have no order in a `google.protobuf.Struct`.
fn default<'a>(reader: &Reader<'a>, languages: &[Reader<'a>]) -> Option<&'a str> {
    let tags: Vec<(&str, &'a str)> = languages.iter().map(|entry| (entry.name(), entry.name())).collect();
    let names: Vec<&str> = languages.iter().map(Reader::name).collect();
    match (reader.peek(DEFAULT), names.as_slice()) {
        (_, []) => reader.error(MESSAGE),
        (Some(default), _) => default.word(&tags),
        (None, [only]) => Some(only),
        (None, _) => reader.field(DEFAULT).error_found("nothing", &names.join(", ")),
    }
}
