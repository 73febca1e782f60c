//! Compiles templates, with errors for unknown variables and for what would not be valid JSON.

use crate::config::{Reader, Value, parse_json};
use crate::reply::{Preset, Rendered, Template, TemplateError, TextKind, Variable, VariableSource};

/// The variables that templates may use in one place of the configuration.
pub(super) struct TemplateScope {
    variables: Vec<Variable>,
    /// The preset that keeps limits secret, so that variables that reveal them are left out.
    secret: Option<&'static Preset>,
}

impl TemplateScope {
    /// All variables, or all that do not reveal limits if they are `secret` (FP-8).
    pub fn new(secret: Option<&'static Preset>) -> TemplateScope {
        TemplateScope { variables: Variable::usable(secret.is_some(), false).collect(), secret }
    }

    /// The variables that the fields of limit headers may use.
    pub fn of_limit_headers() -> TemplateScope {
        TemplateScope { variables: Variable::of_limit_headers().collect(), secret: None }
    }

    /// The same inside a message, which cannot contain itself.
    pub fn of_messages(&self) -> TemplateScope {
        TemplateScope { variables: Variable::usable(self.is_secret(), true).collect(), secret: self.secret }
    }

    /// Whether limits are secret.
    pub fn is_secret(&self) -> bool {
        self.secret.is_some()
    }

    /// Compiles a text of the filter's own.
    pub fn plain(&self, text: &str) -> Option<Template> {
        Template::compile(text, TextKind::Text, &self.variables).ok()
    }

    /// Compiles a text of the configuration, which stands at `at`.
    pub fn template(&self, at: &Reader<'_>, text: &str, kind: TextKind) -> Option<Template> {
        match Template::compile(text, kind, &self.variables) {
            Ok(template) => Some(template),
            Err(errors) => {
                errors.iter().for_each(|error| self.report(at, error));
                None
            }
        }
    }

    /// Compiles the value of a header.
    pub fn header_value(&self, at: &Reader<'_>) -> Option<Template> {
        const VALUE: &str = "visible ASCII text without spaces around it";
        let text = at.text(VALUE)?;
        let visible = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if !visible || text.is_empty() || text.trim_ascii() != text {
            return at.error(VALUE);
        }
        self.template(at, text, TextKind::Header)
    }

    /// Compiles a template that must be a JSON document, whatever its variables stand for.
    pub fn json(&self, at: &Reader<'_>, text: &str) -> Option<Template> {
        let template = self.template(at, text, TextKind::Json)?;
        match filled_json(&template) {
            Ok(_) => Some(template),
            Err(found) => at
                .error_found(&found, "a template that is JSON once it is filled in, or another content_type"),
        }
    }

    /// Compiles a template if it is a JSON object or list. If it is not, that is no error.
    pub fn json_if_it_is(&self, text: &str) -> Option<Template> {
        let template = Template::compile(text, TextKind::Json, &self.variables).ok()?;
        match filled_json(&template).ok()? {
            Value::Object(_) | Value::List(_) => Some(template),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => None,
        }
    }

    fn report(&self, at: &Reader<'_>, error: &TemplateError) {
        match error {
            TemplateError::Bare(word) => {
                let numbers = Variable::ALL.iter().filter(|variable| variable.is_number());
                let numbers: Vec<&str> = numbers.map(|variable| variable.word()).collect();
                at.error_found::<()>(
                    &["{", word, "} outside quotes"].concat(),
                    &["only numbers outside quotes: ", &numbers.join(", ")].concat(),
                )
            }
            TemplateError::Unknown(word) => {
                let is_withheld = |variable: &Variable| variable.word() == word && variable.reveals_limits();
                let secret = self.secret.filter(|_| Variable::ALL.iter().any(is_withheld));
                let found = match secret {
                    Some(preset) => ["{", word, "} with headers.preset ", preset.word].concat(),
                    None => ["{", word, "}"].concat(),
                };
                let variables: Vec<&str> = self.variables.iter().map(|variable| variable.word()).collect();
                at.error_word(&found, word, &variables)
            }
        };
    }
}

/// A template as JSON, with the shortest values for its variables; with the longest ones it must be JSON too.
fn filled_json(template: &Template) -> Result<Value, String> {
    parse_json(template.render(&SameValue(u64::MAX, "\"")).as_bytes())?;
    parse_json(template.render(&SameValue(0, "")).as_bytes())
}

/// One number for all numeric variables, and one text for all others.
struct SameValue(u64, &'static str);

impl VariableSource for SameValue {
    fn render(&self, variable: Variable) -> Rendered<'_> {
        if variable.is_number() { Rendered::Number(self.0) } else { Rendered::Text(self.1) }
    }
}
