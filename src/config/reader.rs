//! Walks a [`Value`] tree. A method that finds an error records it and returns `None`, and the caller goes on
//! reading, so that the operator sees all errors at once.
//!
//! `compile` calls these functions everywhere. Those that do some work are never inlined: the module would
//! contain them once per caller. The figures are in [`compile`](crate::compile).

use super::types::WordList;
use super::value::Excerpt;
use super::{ConfigError, ConfigErrors, Names, Value, Vocabulary, thousandths};
use std::cell::RefCell;
use std::ops::RangeInclusive;

/// The path of a field of an object. A name that is not a plain word is quoted, so that the path is
/// unambiguous and on one line.
pub fn field_path(object: &str, name: &str) -> String {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    match (plain, object.is_empty()) {
        (true, true) => name.to_string(),
        (true, false) => format!("{object}.{name}"),
        (false, _) => format!("{object}[{}]", Excerpt(name)),
    }
}

/// One value of a tree. A reader holds only references, since there is one for every value. The path of a
/// value is reconstructed when an error is reported.
#[derive(Clone)]
pub struct Reader<'a> {
    value: &'a Value,
    /// The name of this field; empty for the root and for the entries of a list.
    name: &'a str,
    /// The whole tree.
    root: &'a Value,
    /// The field of this value that errors are about, although it may be absent; empty if they are about the
    /// value.
    field: &'a str,
    errors: &'a RefCell<ConfigErrors>,
}

/// Up to so many names are compared one by one; more go into a set.
const FEW_NAMES: usize = 20;

/// One step of a path.
enum Step<'a> {
    Field(&'a str),
    Entry(usize),
}

impl<'a> Reader<'a> {
    /// A reader of the root. Errors are added to `errors`.
    pub fn root(value: &'a Value, errors: &'a RefCell<ConfigErrors>) -> Self {
        Reader { value, name: "", root: value, field: "", errors }
    }

    /// The path of this value, such as `policies[0].limits`.
    pub fn path(&self) -> String {
        let mut steps = Vec::new();
        if !self.field.is_empty() {
            steps.push(Step::Field(self.field));
        }
        steps_to(self.value, self.root, &mut steps);
        let mut path = String::new();
        steps.iter().rev().for_each(|step| step.write(&mut path));
        path
    }

    fn child(&self, name: &'a str, value: &'a Value) -> Reader<'a> {
        Reader { value, name, field: "", ..*self }
    }

    /// Records that this value is not `allowed`.
    pub fn error<T>(&self, allowed: &str) -> Option<T> {
        self.record_value(allowed);
        None
    }

    /// Like [`error`](Self::error), with another description of what was found.
    pub fn error_found<T>(&self, found: &str, allowed: &str) -> Option<T> {
        self.record(found, allowed);
        None
    }

    /// Records that `name`, the name of this field or its value, is not `allowed`.
    pub fn error_name<T>(&self, name: &str, allowed: &str) -> Option<T> {
        self.record(&Excerpt(name).to_string(), allowed);
        None
    }

    /// Records that this value is not `allowed`, with `similar` values as the suggestion.
    pub fn error_similar<T>(&self, allowed: &str, similar: &[&str]) -> Option<T> {
        if !self.is_full() {
            let error = ConfigError::new(&self.path(), &self.value.to_string(), allowed);
            self.push(error.with_suggestion(similar));
        }
        None
    }

    /// Records that a `word` in this value, described by `found`, is not one of the `allowed` ones. The most
    /// similar of them becomes the suggestion.
    pub fn error_word<T>(&self, found: &str, word: &str, allowed: &[&str]) -> Option<T> {
        self.record_word(found, word, allowed);
        None
    }

    /// Records that this value is none of the `allowed` ones. If it is text, the most similar of them becomes the
    /// suggestion.
    pub fn error_among<T>(&self, allowed: &[&str]) -> Option<T> {
        match self.value {
            Value::Text(text) => self.error_word(&self.value.to_string(), text, allowed),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Object(_) => {
                self.error(&allowed.join(", "))
            }
        }
    }

    /// Records that a field of this value is absent, and what is `allowed`.
    pub fn error_missing<T>(&self, name: &str, allowed: &str) -> Option<T> {
        self.record_missing(name, allowed);
        None
    }

    #[inline(never)]
    fn record_missing(&self, name: &str, allowed: &str) {
        if !self.is_full() {
            self.push(ConfigError::new(&field_path(&self.path(), name), "nothing", allowed));
        }
    }

    #[inline(never)]
    fn record(&self, found: &str, allowed: &str) {
        if !self.is_full() {
            self.push(ConfigError::new(&self.path(), found, allowed));
        }
    }

    fn record_value(&self, allowed: &str) {
        self.record(&self.value.to_string(), allowed);
    }

    fn record_word(&self, found: &str, word: &str, allowed: &[&str]) {
        if !self.is_full() {
            self.push(ConfigError::unknown_word(&self.path(), found, word, allowed));
        }
    }

    fn push(&self, error: ConfigError) {
        self.errors.borrow_mut().push(error);
    }

    fn is_full(&self) -> bool {
        self.errors.borrow_mut().is_full()
    }

    /// The entries of an object whose names the operator chooses.
    #[inline(never)]
    pub fn named_entries(&self, allowed: &str) -> Option<Vec<Reader<'a>>> {
        let Value::Object(fields) = self.value else { return self.error(allowed) };
        let mut entries: Vec<Reader<'a>> = Vec::with_capacity(fields.len());
        let mut names = Names::default();
        for (name, value) in fields {
            let entry = self.child(name, value);
            let again = match fields.len() {
                ..=FEW_NAMES => entries.iter().any(|earlier| earlier.name == entry.name),
                _ => names.add("", name.as_bytes()).is_some(),
            };
            if again {
                entry.error_found::<()>("the same name twice", "each name once");
            }
            entries.push(entry);
        }
        Some(entries)
    }

    /// A field, if this is an object that has it. Nothing is recorded if not.
    pub fn peek(&self, name: &str) -> Option<Reader<'a>> {
        let Value::Object(fields) = self.value else { return None };
        let (name, value) = fields.iter().find(|(field, value)| field == name && *value != Value::Null)?;
        Some(self.child(name, value))
    }

    /// The entries, if this is a list. Nothing is recorded if not.
    pub fn entries(&self) -> Vec<Reader<'a>> {
        let Value::List(list) = self.value else { return Vec::new() };
        list.iter().map(|value| self.child("", value)).collect()
    }

    /// The name of this field; empty for the root and for the entries of a list.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// This value, with errors recorded for one of its fields, which may be absent.
    pub fn field(&self, name: &'a str) -> Reader<'a> {
        Reader { field: name, ..*self }
    }

    /// The entries of a list.
    pub fn list(&self, allowed: &str) -> Option<Vec<Reader<'a>>> {
        if self.is_list() { Some(self.entries()) } else { self.error(allowed) }
    }

    /// The entries of a list that must not be empty.
    pub fn non_empty_list(&self, allowed: &str) -> Option<Vec<Reader<'a>>> {
        let list = self.list(allowed)?;
        if list.is_empty() { self.error(allowed) } else { Some(list) }
    }

    /// Whether this is `null`.
    pub fn is_null(&self) -> bool {
        *self.value == Value::Null
    }

    /// Whether this is a list.
    pub fn is_list(&self) -> bool {
        matches!(self.value, Value::List(_))
    }

    /// Whether this is text.
    pub fn is_text(&self) -> bool {
        matches!(self.value, Value::Text(_))
    }

    /// Whether this is `true` or `false`.
    pub fn is_flag(&self) -> bool {
        matches!(self.value, Value::Bool(_))
    }

    /// Whether this is an object with this field.
    pub fn has(&self, name: &str) -> bool {
        self.peek(name).is_some()
    }

    /// Whether this is an object.
    pub fn is_object(&self) -> bool {
        matches!(self.value, Value::Object(_))
    }

    /// Whether this is the text `word`.
    pub fn is_word(&self, word: &str) -> bool {
        matches!(self.value, Value::Text(text) if text == word)
    }

    /// Text.
    pub fn text(&self, allowed: &str) -> Option<&'a str> {
        let Value::Text(text) = self.value else { return self.error(allowed) };
        Some(text)
    }

    /// `true` or `false`.
    pub fn flag(&self) -> Option<bool> {
        let Value::Bool(flag) = self.value else { return self.error("true or false") };
        Some(*flag)
    }

    /// A whole number, which may be negative. Nothing is recorded if it is none.
    #[inline(never)]
    pub fn whole(&self) -> Option<i64> {
        match self.value {
            // The cast saturates, so a number past the range stays past it.
            Value::Number(number) if number.fract() == 0.0 => Some(*number as i64),
            // Envoy reads a whole number of its YAML that needs more than 32 bits as text.
            Value::Text(digits) => digits.parse().ok().filter(|number| *number > i64::from(i32::MAX)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Object(_) => None,
        }
    }

    /// A whole number within `range`, which may be negative.
    #[inline(never)]
    pub fn integer(&self, range: RangeInclusive<i64>) -> Option<i64> {
        self.whole()
            .filter(|number| range.contains(number))
            .or_else(|| self.error(&format!("a whole number from {} to {}", range.start(), range.end())))
    }

    /// A number from 0 to `max` with at most three places: its thousandths.
    #[inline(never)]
    pub fn thousandths(&self, max: i64) -> Option<u32> {
        let number = match self.value {
            Value::Number(number) => thousandths::of_number(*number),
            // Envoy reads a number of its YAML that is not whole as text.
            Value::Text(text) => thousandths::of_text(text),
            Value::Null | Value::Bool(_) | Value::List(_) | Value::Object(_) => None,
        };
        let valid = number.filter(|number| i64::from(*number) <= max.saturating_mul(1_000));
        valid.or_else(|| self.error(&thousandths::allowed(max)))
    }

    /// One of the `words`: the meaning that goes with it.
    pub fn word<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        words.get(self.position_of_word(&WordTable(words))?).map(|(_, meaning)| *meaning)
    }

    /// One of the declared `words`: its position.
    pub fn declared_word(&self, words: &dyn WordList) -> Option<usize> {
        self.position_of_word(&Declared(words))
    }

    /// One of many words: its position among them.
    pub fn word_in(&self, words: &Vocabulary<'_>) -> Option<usize> {
        let Value::Text(text) = self.value else { return self.error(&words.words().join(", ")) };
        self.position_in(words, text)
    }

    /// Which of many words the name of this field is: its position among them.
    pub fn name_in(&self, words: &Vocabulary<'_>) -> Option<usize> {
        self.position_in(words, self.name)
    }

    fn position_in(&self, words: &Vocabulary<'_>, word: &str) -> Option<usize> {
        words.find(word).or_else(|| self.error_word(&Excerpt(word).to_string(), word, words.words()))
    }

    #[inline(never)]
    fn position_of_word(&self, words: &dyn Words) -> Option<usize> {
        let words = words_of(words);
        let Value::Text(text) = self.value else { return self.error(&words.join(", ")) };
        let position = words.iter().position(|word| word == text);
        position.or_else(|| self.error_word(&self.value.to_string(), text, &words))
    }
}

/// Words with meanings of any type, so that reading a word is one function for all types.
trait Words {
    fn at(&self, position: usize) -> Option<&str>;
}

struct WordTable<'w, T>(&'w [(&'w str, T)]);

impl<T> Words for WordTable<'_, T> {
    fn at(&self, position: usize) -> Option<&str> {
        self.0.get(position).map(|(word, _)| *word)
    }
}

struct Declared<'w>(&'w dyn WordList);

impl Words for Declared<'_> {
    fn at(&self, position: usize) -> Option<&str> {
        self.0.at(position).map(|(word, _)| word)
    }
}

fn words_of(words: &dyn Words) -> Vec<&str> {
    (0..).map_while(|position| words.at(position)).collect()
}

impl Step<'_> {
    fn write(&self, path: &mut String) {
        match self {
            Step::Entry(i) => path.push_str(&format!("[{i}]")),
            Step::Field(name) => *path = field_path(path, name),
        }
    }
}

/// Adds the steps from `here` to a value, the last one first. The value is found by its address, since many
/// are equal.
fn steps_to<'a>(wanted: &Value, here: &'a Value, steps: &mut Vec<Step<'a>>) -> bool {
    let step = match here {
        _ if std::ptr::eq(wanted, here) => return true,
        Value::Object(fields) => {
            fields.iter().find(|(_, value)| steps_to(wanted, value, steps)).map(|(name, _)| Step::Field(name))
        }
        Value::List(list) => list.iter().position(|value| steps_to(wanted, value, steps)).map(Step::Entry),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => None,
    };
    let found = step.is_some();
    steps.extend(step);
    found
}

/// All items, or `None` if any is invalid. Every item is read, so that all errors are found.
pub fn all<T>(items: impl IntoIterator<Item = Option<T>>) -> Option<Vec<T>> {
    let mut all = Some(Vec::new());
    for item in items {
        match (&mut all, item) {
            (Some(list), Some(item)) => list.push(item),
            (None, _) | (_, None) => all = None,
        }
    }
    all
}
