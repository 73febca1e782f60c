//! Texts with variables, compiled at load: a fill is one pass over what is there already.
//!
//! `text ──compile──▶ Template ──fill──▶ what is sent`
//!
//! `{lowercase_word}` is a variable and every other brace is itself, so JSON needs no escapes of its own. What a
//! variable stands for is written so that it can't change what is around it: in JSON it is escaped, in a header only
//! visible characters pass.

use super::decimal::Decimal;
use std::borrow::Cow;

/// What a template can tell of a rejection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Variable {
    /// The wait that `retry-after` tells, in seconds.
    RetryAfter,
    /// The quota of the limit that rejects.
    Limit,
    /// What is left of it.
    Remaining,
    /// When it is worth to try again, in seconds since the UNIX epoch.
    Reset,
    /// The length that the quota is for, in seconds; 0 for a limit without a window.
    Window,
    /// The name of the policy that rejects.
    Policy,
    /// The name of its limit that does.
    LimitName,
    /// The request's id.
    RequestId,
    /// The message, in the caller's language.
    Message,
    /// The configured code.
    Code,
    /// The known caller's name; empty without one.
    Consumer,
    /// The caller's tier; empty without one.
    Tier,
    /// The names of all limits that reject, as a JSON list. Only for `format: problem`.
    Violated,
}

/// LimitDescription and what they stand for.
pub type VariableNames = [(&'static str, Variable)];

impl Variable {
    /// All that a configuration may use.
    pub const WORDS: &'static VariableNames = &[
        ("retry_after", Variable::RetryAfter),
        ("limit", Variable::Limit),
        ("remaining", Variable::Remaining),
        ("reset", Variable::Reset),
        ("window", Variable::Window),
        ("policy", Variable::Policy),
        ("limit_name", Variable::LimitName),
        ("request_id", Variable::RequestId),
        ("message", Variable::Message),
        ("code", Variable::Code),
        ("consumer", Variable::Consumer),
        ("tier", Variable::Tier),
    ];

    /// What `format: problem` is made of.
    pub const OF_PROBLEMS: &'static VariableNames = &[
        ("message", Variable::Message),
        ("code", Variable::Code),
        ("violated_policies", Variable::Violated),
    ];

    /// Whether it stands for a number, and may stand in JSON without quotes.
    pub fn is_number(self) -> bool {
        self == Variable::RetryAfter || self.reveals_limits()
    }

    /// Whether it tells what is not to be told where limits are secret (FP-8).
    pub fn reveals_limits(self) -> bool {
        [Variable::Limit, Variable::Remaining, Variable::Reset, Variable::Window].contains(&self)
    }
}

/// What a variable stands for in one reply.
#[derive(Clone, Copy, Debug)]
pub enum Rendered<'a> {
    /// Written in decimal.
    Number(u64),
    /// Any text, also a client's.
    Text(&'a str),
    /// JSON already.
    Json(&'a str),
}

/// What variables stand for. RequestCache only for those that a template has.
pub trait VariableSource {
    /// What this one stands for.
    fn render(&self, variable: Variable) -> Rendered<'_>;
}

/// Where a template's text is sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TextKind {
    /// As it stands.
    Text,
    /// In a JSON document.
    Json,
    /// In a header's value.
    Header,
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq)]
pub enum TemplateError {
    /// A word that is no variable here.
    Unknown(String),
    /// A text outside quotes in JSON.
    Bare(String),
}

/// A text with its variables found.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// All that stays as it is, without the variables.
    text: String,
    /// In the order of their places.
    slots: Vec<Slot>,
}

#[derive(Clone, Debug, PartialEq)]
struct Slot {
    /// Where in the text, as an index of bytes.
    at: usize,
    variable: Variable,
    form: Form,
}

/// How a value is written so that it stays a value.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Plain,
    /// Inside the quotes of a JSON string (RFC 8259, 7).
    JsonString,
    /// Visible ASCII and spaces, since anything else may end a header or the connection.
    Header,
}

impl Template {
    /// Finds the variables, which are the `known` ones.
    ///
    /// # Errors
    /// All flaws, in the order of the text.
    pub fn compile(
        text: &str,
        kind: TextKind,
        known: &VariableNames,
    ) -> Result<Template, Vec<TemplateError>> {
        let mut template = Template { text: String::with_capacity(text.len()), slots: Vec::new() };
        let (mut json, mut flaws, mut rest) = (JsonText::default(), Vec::new(), text);
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
            match known.iter().find(|(name, _)| *name == word) {
                None => flaws.push(TemplateError::Unknown(word.into())),
                Some((_, variable)) if kind == TextKind::Json && !variable.may_stand(json.inside) => {
                    flaws.push(TemplateError::Bare(word.into()));
                }
                Some((_, variable)) => {
                    template.slots.push(Slot { at: template.text.len(), variable: *variable, form });
                }
            }
        }
        template.literal(rest, &mut json);
        if flaws.is_empty() { Ok(template) } else { Err(flaws) }
    }

    fn literal(&mut self, text: &str, json: &mut JsonText) {
        self.text.push_str(text);
        json.read(text);
    }

    /// As it was written.
    pub fn as_written(&self) -> String {
        let (mut text, mut rest) = (String::new(), 0);
        let words = Variable::WORDS.iter().chain(Variable::OF_PROBLEMS);
        for slot in &self.slots {
            let word =
                words.clone().find(|(_, variable)| *variable == slot.variable).map_or("", |(word, _)| word);
            text.push_str(self.text.get(rest..slot.at).unwrap_or_default());
            text.extend(["{", word, "}"]);
            rest = slot.at;
        }
        text + self.text.get(rest..).unwrap_or_default()
    }

    /// Whether it has this variable.
    pub fn mentions(&self, variable: Variable) -> bool {
        self.slots.iter().any(|slot| slot.variable == variable)
    }

    /// The text with what its variables stand for.
    pub fn render(&self, facts: &dyn VariableSource) -> Cow<'_, str> {
        const USUAL_VALUE: usize = 24;
        if self.slots.is_empty() {
            return Cow::Borrowed(&self.text);
        }
        let mut filled = String::with_capacity(self.text.len() + self.slots.len() * USUAL_VALUE);
        let mut rest = 0;
        for slot in &self.slots {
            filled.push_str(self.text.get(rest..slot.at).unwrap_or_default());
            rest = slot.at;
            match facts.render(slot.variable) {
                Rendered::Number(number) => filled.push_str(&Decimal::new(number)),
                Rendered::Text(text) => slot.form.push(&mut filled, text),
                Rendered::Json(text) => filled.push_str(text),
            }
        }
        filled.push_str(self.text.get(rest..).unwrap_or_default());
        Cow::Owned(filled)
    }
}

impl Variable {
    /// Whether JSON stays JSON with it inside or outside quotes.
    fn may_stand(self, inside: bool) -> bool {
        if inside { self != Variable::Violated } else { self.is_number() || self == Variable::Violated }
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

fn push_json(out: &mut String, text: &str) {
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

/// The word of a variable that the text begins with, and what is behind it.
fn variable(text: &str) -> Option<(&str, &str)> {
    let (word, rest) = text.strip_prefix('{')?.split_once('}')?;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let sound = word.starts_with(|first: char| first.is_ascii_lowercase()) && word.bytes().all(plain);
    sound.then_some((word, rest))
}

/// How far JSON has been read: only what tells strings from the rest.
#[derive(Default)]
struct JsonText {
    /// Inside the quotes of a string.
    inside: bool,
    /// Behind a backslash.
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
