//! Walks a [`Value`] tree. Every method that finds a error records it and answers `None`, so that a
//! caller goes on reading and the operator sees all errors at once.

use super::value::Glimpse;
use super::{ConfigError, ConfigErrors, Names, Value, Vocabulary};
use std::cell::RefCell;
use std::ops::RangeInclusive;

/// The path of a field. A name that is no plain word is quoted, so that a path stays on one line and unambiguous.
pub fn field_path(object: &str, name: &str) -> String {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    match (plain, object.is_empty()) {
        (true, true) => name.to_string(),
        (true, false) => format!("{object}.{name}"),
        (false, _) => format!("{object}[{}]", Glimpse(name)),
    }
}

/// One value of a tree. Where it stands is found out when a error has to tell it: a reader is only references, and
/// readers are made for every value.
#[derive(Clone)]
pub struct Reader<'a> {
    value: &'a Value,
    /// The name of this field; empty at the root and in a list.
    name: &'a str,
    /// The whole tree.
    root: &'a Value,
    /// The field of the value that is spoken of although it may be absent; empty without one.
    field: &'a str,
    errors: &'a RefCell<ConfigErrors>,
}

/// So few names are compared one by one.
const FEW: usize = 20;

/// One step of a path.
enum Step<'a> {
    Field(&'a str),
    Entry(usize),
}

impl<'a> Reader<'a> {
    /// A reader at the root; errors go to `errors`.
    pub fn root(value: &'a Value, errors: &'a RefCell<ConfigErrors>) -> Self {
        Reader { value, name: "", root: value, field: "", errors }
    }

    /// Where this value stands, such as `policies[0].limits`.
    #[inline(never)]
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

    fn of(&self, name: &'a str, value: &'a Value) -> Reader<'a> {
        Reader { value, name, field: "", ..*self }
    }

    /// Records that this value is none of what is `allowed`.
    pub fn error<T>(&self, allowed: &str) -> Option<T> {
        self.tell_unlike(allowed);
        None
    }

    /// Like [`error`](Self::error), with its own words for what was found.
    pub fn error_found<T>(&self, found: &str, allowed: &str) -> Option<T> {
        self.tell(found, allowed);
        None
    }

    /// Records that this name, the field's or the value's own, is none of what is `allowed`.
    pub fn error_name<T>(&self, name: &str, allowed: &str) -> Option<T> {
        self.tell(&Glimpse(name).to_string(), allowed);
        None
    }

    /// Records that this text is none of what is `allowed`, and which allowed ones are `near`.
    pub fn error_near<T>(&self, allowed: &str, near: &[&str]) -> Option<T> {
        if !self.has_many() {
            self.push(ConfigError::new(&self.path(), &self.value.to_string(), allowed).near(near));
        }
        None
    }

    /// Records that a word in this text is none of the `allowed` ones, and which of them is near.
    pub fn error_word<T>(&self, found: &str, word: &str, allowed: &[&str]) -> Option<T> {
        self.tell_unknown(found, word, allowed);
        None
    }

    // A policy is read once, by many readings: what they have in common is not to be in the module many times, as
    // it would be if it were inlined.

    #[inline(never)]
    fn tell(&self, found: &str, allowed: &str) {
        if !self.has_many() {
            self.push(ConfigError::new(&self.path(), found, allowed));
        }
    }

    #[inline(never)]
    fn tell_unlike(&self, allowed: &str) {
        self.tell(&self.value.to_string(), allowed);
    }

    #[inline(never)]
    fn tell_unknown(&self, found: &str, word: &str, allowed: &[&str]) {
        if !self.has_many() {
            self.push(ConfigError::unknown_word(&self.path(), found, word, allowed));
        }
    }

    #[inline(never)]
    fn push(&self, error: ConfigError) {
        self.errors.borrow_mut().push(error);
    }

    #[inline(never)]
    fn has_many(&self) -> bool {
        self.errors.borrow_mut().are_many()
    }

    /// The fields of an object that may have only the `known` ones. An unknown or repeated field is a
    /// error, but the known ones are still read.
    #[inline(never)]
    pub fn object(&self, known: &[&str]) -> Option<Fields<'a>> {
        let fields = self.named_entries(&format!("an object with {}", known.join(", ")))?;
        for field in &fields {
            let name = field.name();
            if !known.contains(&name) {
                field.error_word::<()>("an unknown field", name, known);
            }
        }
        Some(Fields { at: self.clone(), fields })
    }

    /// The entries of an object whose names the user chooses.
    #[inline(never)]
    pub fn named_entries(&self, allowed: &str) -> Option<Vec<Reader<'a>>> {
        let Value::Object(fields) = self.value else { return self.error(allowed) };
        let mut entries: Vec<Reader<'a>> = Vec::with_capacity(fields.len());
        let mut names = Names::default();
        for (name, value) in fields {
            let entry = self.of(name, value);
            let again = match fields.len() {
                ..=FEW => entries.iter().any(|earlier| earlier.name == entry.name),
                _ => names.add("", name.as_bytes()).is_some(),
            };
            if again {
                entry.error_found::<()>("the same name twice", "each name once");
            }
            entries.push(entry);
        }
        Some(entries)
    }

    /// A field, for a second reading: that there is none is no error, nor that this is no object.
    #[inline(never)]
    pub fn peek(&self, name: &str) -> Option<Reader<'a>> {
        let Value::Object(fields) = self.value else { return None };
        let (name, value) = fields.iter().find(|(field, value)| field == name && *value != Value::Null)?;
        Some(self.of(name, value))
    }

    /// The entries of a list, for a second reading: none if this is no list.
    #[inline(never)]
    pub fn entries(&self) -> Vec<Reader<'a>> {
        let Value::List(list) = self.value else { return Vec::new() };
        list.iter().map(|value| self.of("", value)).collect()
    }

    /// The name of this field; empty at the root and in a list.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// This value under a field's path, to record a error of that field.
    pub fn field(&self, name: &'a str) -> Reader<'a> {
        Reader { field: name, ..*self }
    }

    /// The entries of a list.
    pub fn list(&self, allowed: &str) -> Option<Vec<Reader<'a>>> {
        if self.is_list() { Some(self.entries()) } else { self.error(allowed) }
    }

    /// The entries of a list that must have at least one.
    #[inline(never)]
    pub fn list_of_some(&self, allowed: &str) -> Option<Vec<Reader<'a>>> {
        let list = self.list(allowed)?;
        if list.is_empty() { self.error(allowed) } else { Some(list) }
    }

    /// Whether this is a list, for places where one entry may stand without one.
    pub fn is_list(&self) -> bool {
        matches!(self.value, Value::List(_))
    }

    /// Whether this is text, for places where other kinds may stand.
    pub fn is_text(&self) -> bool {
        matches!(self.value, Value::Text(_))
    }

    /// Whether this is `true` or `false`, for places where other kinds may stand.
    pub fn is_flag(&self) -> bool {
        matches!(self.value, Value::Bool(_))
    }

    /// Whether this is an object with such a field.
    pub fn has(&self, name: &str) -> bool {
        self.peek(name).is_some()
    }

    /// Whether this is an object, for places where other kinds may stand.
    pub fn is_object(&self) -> bool {
        matches!(self.value, Value::Object(_))
    }

    /// Whether this is that very text.
    pub fn is_word(&self, word: &str) -> bool {
        matches!(self.value, Value::Text(text) if text == word)
    }

    /// Text.
    #[inline(never)]
    pub fn text(&self, allowed: &str) -> Option<&'a str> {
        let Value::Text(text) = self.value else { return self.error(allowed) };
        Some(text)
    }

    /// `true` or `false`.
    #[inline(never)]
    pub fn flag(&self) -> Option<bool> {
        let Value::Bool(flag) = self.value else { return self.error("true or false") };
        Some(*flag)
    }

    /// A whole number within `range`.
    #[inline(never)]
    pub fn whole_number(&self, range: RangeInclusive<u64>) -> Option<u64> {
        let number = match self.value {
            // The cast saturates, so a number past the range stays past it.
            Value::Number(number) if number.fract() == 0.0 && *number >= 0.0 => Some(*number as u64),
            // Envoy reads a whole number of its YAML that needs more than 32 bits as text.
            Value::Text(digits) => digits.parse().ok().filter(|number| *number > i32::MAX as u64),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Object(_) => None,
        };
        number
            .filter(|number| range.contains(number))
            .or_else(|| self.error(&format!("a whole number from {} to {}", range.start(), range.end())))
    }

    /// One of the `words`; answers what stands beside it.
    pub fn word<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        words.get(self.place_of_word(&List(words))?).map(|(_, meaning)| *meaning)
    }

    /// One of many words, by its place among them.
    #[inline(never)]
    pub fn word_in(&self, words: &Vocabulary<'_>) -> Option<usize> {
        let Value::Text(text) = self.value else { return self.error(&words.words().join(", ")) };
        self.place_in(words, text)
    }

    /// Which of many words the name of this field is, by its place among them.
    pub fn name_in(&self, words: &Vocabulary<'_>) -> Option<usize> {
        self.place_in(words, self.name)
    }

    #[inline(never)]
    fn place_in(&self, words: &Vocabulary<'_>, word: &str) -> Option<usize> {
        let place = words.find(word);
        place.or_else(|| self.error_word(&Glimpse(word).to_string(), word, words.words()))
    }

    #[inline(never)]
    fn place_of_word(&self, words: &dyn Words) -> Option<usize> {
        let words = words_of(words);
        let Value::Text(text) = self.value else { return self.error(&words.join(", ")) };
        let place = words.iter().position(|word| word == text);
        place.or_else(|| self.error_word(&self.value.to_string(), text, &words))
    }
}

/// Words with any meaning: reading them is one function for all meanings.
trait Words {
    fn at(&self, place: usize) -> Option<&str>;
}

struct List<'w, T>(&'w [(&'w str, T)]);

impl<T> Words for List<'_, T> {
    fn at(&self, place: usize) -> Option<&str> {
        self.0.get(place).map(|(word, _)| *word)
    }
}

#[inline(never)]
fn words_of(words: &dyn Words) -> Vec<&str> {
    (0..).map_while(|place| words.at(place)).collect()
}

impl Step<'_> {
    fn write(&self, path: &mut String) {
        match self {
            Step::Entry(i) => path.push_str(&format!("[{i}]")),
            Step::Field(name) => *path = field_path(path, name),
        }
    }
}

/// Adds the way to a value, from its end. Values are told apart by where they lie in memory, since many are equal.
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

/// The fields of one object.
pub struct Fields<'a> {
    at: Reader<'a>,
    fields: Vec<Reader<'a>>,
}

impl<'a> Fields<'a> {
    /// The object itself, to record a error of it as a whole.
    pub fn at(&self) -> &Reader<'a> {
        &self.at
    }

    /// A field that may be absent. `null` is the same as absent.
    #[inline(never)]
    pub fn optional(&self, name: &str) -> Option<&Reader<'a>> {
        self.fields.iter().find(|field| field.name() == name && *field.value != Value::Null)
    }

    /// A field that must be there; its absence is a error that says what is `allowed`.
    #[inline(never)]
    pub fn required(&self, name: &str, allowed: &str) -> Option<&Reader<'a>> {
        self.optional(name).or_else(|| {
            if !self.at.has_many() {
                let mut path = self.at.path();
                Step::Field(name).write(&mut path);
                self.at.push(ConfigError::new(&path, "nothing", allowed));
            }
            None
        })
    }

    /// Reads an optional field. `Some(None)`: absent. `None`: present and invalid.
    pub fn read<T>(&self, name: &str, read: impl FnOnce(&Reader<'a>) -> Option<T>) -> Option<Option<T>> {
        match self.optional(name) {
            None => Some(None),
            Some(field) => read(field).map(Some),
        }
    }

    /// Reads an optional field that has a default.
    pub fn read_or<T>(
        &self,
        name: &str,
        default: T,
        read: impl FnOnce(&Reader<'a>) -> Option<T>,
    ) -> Option<T> {
        self.read(name, read).map(|value| value.unwrap_or(default))
    }
}
