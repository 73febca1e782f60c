//! Texts with variables, compiled at load and rendered in one pass.
//!
//! `{lowercase_word}` is a variable, and every other brace is literal, so JSON needs no escapes. A value
//! cannot change the text around it: in JSON it is escaped, and in a header only visible characters pass.

use super::decimal::{Zeros, push_decimal, push_fraction};
use super::variable::{Rendered, Variable};
use std::borrow::Cow;

const MILLION: u64 = 1_000_000;

/// Supplies the values of variables. Only those that the template uses are requested.
pub trait VariableSource {
    /// The value of one variable.
    fn render(&self, variable: Variable) -> Rendered<'_>;
}

/// Where a template's text is used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TextKind {
    /// As plain text.
    Text,
    /// In a JSON document.
    Json,
    /// In a header's value.
    Header,
}

/// Why a text is not a valid template.
#[derive(Clone, Debug, PartialEq)]
pub enum TemplateError {
    /// This variable is not known here.
    Unknown(String),
    /// This variable is not a number, and stands outside quotes in JSON.
    Bare(String),
}

/// A compiled template.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// The literal text, without the variables.
    text: String,
    /// The variables, in the order of their positions.
    slots: Vec<Slot>,
}

#[derive(Clone, Debug, PartialEq)]
struct Slot {
    /// The position in the literal text, in bytes.
    at: usize,
    variable: Variable,
    form: Form,
}

/// How a value is escaped.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Plain,
    /// Inside the quotes of a JSON string (RFC 8259, 7).
    JsonString,
    /// Only visible ASCII and spaces, because anything else may end the header or the connection.
    Header,
}

impl Template {
    /// Compiles a text in which the variables `known` may be used.
    ///
    /// # Errors
    /// All errors, in the order of the text.
    pub fn compile(text: &str, kind: TextKind, known: &[Variable]) -> Result<Template, Vec<TemplateError>> {
        let mut template = Template { text: String::with_capacity(text.len()), slots: Vec::new() };
        let (mut json, mut errors, mut rest) = (JsonText::default(), Vec::new(), text);
        while let Some((literal, tail)) = rest.find('{').and_then(|brace| rest.split_at_checked(brace)) {
            template.literal(literal, &mut json);
            let Some((word, after)) = variable(tail) else {
                let (brace, after) = tail.split_at_checked(1).unwrap_or_default();
                template.literal(brace, &mut json);
                rest = after;
                continue;
            };
            rest = after;
            let form = match kind {
                TextKind::Json if json.inside => Form::JsonString,
                TextKind::Text | TextKind::Json => Form::Plain,
                TextKind::Header => Form::Header,
            };
            match known.iter().find(|known| known.word() == word) {
                None => errors.push(TemplateError::Unknown(word.into())),
                Some(variable) if kind == TextKind::Json && !variable.may_stand(json.inside) => {
                    errors.push(TemplateError::Bare(word.into()));
                }
                Some(variable) => {
                    template.slots.push(Slot { at: template.text.len(), variable: *variable, form });
                }
            }
        }
        template.literal(rest, &mut json);
        if errors.is_empty() { Ok(template) } else { Err(errors) }
    }

    fn literal(&mut self, text: &str, json: &mut JsonText) {
        self.text.push_str(text);
        json.read(text);
    }

    /// The text as it was written.
    pub fn as_written(&self) -> String {
        let (mut text, mut rest) = (String::new(), 0);
        for slot in &self.slots {
            text.push_str(self.text.get(rest..slot.at).unwrap_or_default());
            text.extend(["{", slot.variable.word(), "}"]);
            rest = slot.at;
        }
        text + self.text.get(rest..).unwrap_or_default()
    }

    /// Whether the template uses this variable.
    pub fn mentions(&self, variable: Variable) -> bool {
        self.variables().any(|used| used == variable)
    }

    /// The variables that the template uses, in the order of its text.
    pub fn variables(&self) -> impl Iterator<Item = Variable> {
        self.slots.iter().map(|slot| slot.variable)
    }

    /// The variable that is the whole template, if it is only one.
    pub(super) fn only_variable(&self) -> Option<Variable> {
        match self.slots.as_slice() {
            [only] if self.text.is_empty() => Some(only.variable),
            [] | [_, ..] => None,
        }
    }

    /// The text with the values of its variables.
    pub fn render(&self, source: &dyn VariableSource) -> Cow<'_, str> {
        const USUAL_VALUE_LEN: usize = 24;
        if self.slots.is_empty() {
            return Cow::Borrowed(&self.text);
        }
        let mut rendered = String::with_capacity(self.text.len() + self.slots.len() * USUAL_VALUE_LEN);
        let mut rest = 0;
        for slot in &self.slots {
            rendered.push_str(self.text.get(rest..slot.at).unwrap_or_default());
            rest = slot.at;
            match source.render(slot.variable) {
                Rendered::Number(number) => push_decimal(&mut rendered, number),
                Rendered::Millionths(number) => push_fraction(&mut rendered, number, MILLION, Zeros::Drop),
                Rendered::Text(text) => slot.form.push(&mut rendered, text),
                Rendered::Json(text) => rendered.push_str(text),
            }
        }
        rendered.push_str(self.text.get(rest..).unwrap_or_default());
        Cow::Owned(rendered)
    }
}

impl Form {
    fn push(self, out: &mut String, text: &str) {
        match self {
            Form::Plain => out.push_str(text),
            Form::JsonString => push_json(out, text),
            Form::Header => out.extend(text.chars().filter(|c| matches!(c, ' '..='~'))),
        }
    }
}

/// Appends a text as it stands between the quotes of a JSON string.
pub(super) fn push_json(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\0'..='\x1F' => {
                out.push_str("\\u00");
                push_hex(out, c as u8);
            }
            c => out.push(c),
        }
    }
}

/// Appends two hexadecimal digits.
pub(super) fn push_hex(out: &mut String, byte: u8) {
    let digits = [byte >> 4, byte & 0xF];
    out.extend(digits.iter().filter_map(|digit| char::from_digit(u32::from(*digit), 16)));
}

/// If the text begins with a variable: its name, and the text after it.
fn variable(text: &str) -> Option<(&str, &str)> {
    let (word, rest) = text.strip_prefix('{')?.split_once('}')?;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let is_valid = word.starts_with(|first: char| first.is_ascii_lowercase()) && word.bytes().all(plain);
    is_valid.then_some((word, rest))
}

/// A scanner of JSON that only distinguishes strings from the rest.
#[derive(Default)]
struct JsonText {
    /// Whether the scanner is inside a string.
    inside: bool,
    /// Whether the last byte was a backslash that escapes the next one.
    escaped: bool,
}

impl JsonText {
    fn read(&mut self, text: &str) {
        for byte in text.bytes() {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = self.inside,
                b'"' => self.inside = !self.inside,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
