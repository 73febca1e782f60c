//! Compiles templates, with errors for what they can't tell or would break.

use crate::config::{Reader, Value, parse_json};
use crate::reply::{Rendered, Template, TemplateError, TextKind, Variable, VariableSource};

/// What the templates of one place may tell.
pub(super) struct TemplateScope {
    words: Vec<(&'static str, Variable)>,
    secret: bool,
}

impl TemplateScope {
    /// All words; those that tell limits not where limits are `secret` (FP-8).
    pub fn new(secret: bool) -> TemplateScope {
        let words = Variable::WORDS.iter().filter(|(_, variable)| !(secret && variable.reveals_limits()));
        TemplateScope { words: words.copied().collect(), secret }
    }

    /// The same inside a message, which can't contain itself.
    pub fn of_messages(&self) -> TemplateScope {
        let words = self.words.iter().filter(|(_, variable)| *variable != Variable::Message);
        TemplateScope { words: words.copied().collect(), secret: self.secret }
    }

    /// A text of our own.
    pub fn plain(&self, text: &str) -> Option<Template> {
        Template::compile(text, TextKind::Text, &self.words).ok()
    }

    /// Compiles a text that stands in the configuration at `at`.
    pub fn template(&self, at: &Reader<'_>, text: &str, kind: TextKind) -> Option<Template> {
        match Template::compile(text, kind, &self.words) {
            Ok(template) => Some(template),
            Err(flaws) => {
                flaws.iter().for_each(|flaw| self.tell(at, flaw));
                None
            }
        }
    }

    /// A template that is a JSON document, whatever its variables stand for; and what it is.
    pub fn json(&self, at: &Reader<'_>, text: &str) -> Option<Template> {
        let template = self.template(at, text, TextKind::Json)?;
        match filled_json(&template) {
            Ok(_) => Some(template),
            Err(found) => at.error_found(&found, "JSON, also when it is filled in; or another content_type"),
        }
    }

    /// A template that is a JSON object or list, if this text is one. What is wrong with it as such is no error.
    pub fn json_at_sight(&self, text: &str) -> Option<Template> {
        let template = Template::compile(text, TextKind::Json, &self.words).ok()?;
        match filled_json(&template).ok()? {
            Value::Object(_) | Value::List(_) => Some(template),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => None,
        }
    }

    fn tell(&self, at: &Reader<'_>, flaw: &TemplateError) {
        match flaw {
            TemplateError::Bare(word) => at.error_found::<()>(
                &["{", word, "} outside quotes"].concat(),
                "outside quotes only numbers: retry_after, limit, remaining, reset, window",
            ),
            TemplateError::Unknown(word) => {
                let withheld = self.secret
                    && Variable::WORDS
                        .iter()
                        .any(|(known, variable)| known == word && variable.reveals_limits());
                let withheld = if withheld { " beside headers.preset secret" } else { "" };
                let found = ["{", word, "}", withheld].concat();
                let words: Vec<&str> = self.words.iter().map(|(word, _)| *word).collect();
                at.error_word(&found, word, &words)
            }
        };
    }
}

/// What a template is as JSON, with least and with most in the place of its variables.
fn filled_json(template: &Template) -> Result<Value, String> {
    parse_json(template.render(&Dummy(u64::MAX, "\"")).as_bytes())?;
    parse_json(template.render(&Dummy(0, "")).as_bytes())
}

/// The same for all variables.
struct Dummy(u64, &'static str);

impl VariableSource for Dummy {
    fn render(&self, variable: Variable) -> Rendered<'_> {
        if variable.is_number() { Rendered::Number(self.0) } else { Rendered::Text(self.1) }
    }
}
