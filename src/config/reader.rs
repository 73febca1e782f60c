//! Walks a [`Value`] tree. Every method that finds a fault records it and answers `None`, so that a
//! caller goes on reading and the operator sees all faults at once.

use super::value::Glimpse;
use super::{Fault, Faults, Value};
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

/// One value and where it stands.
#[derive(Clone)]
pub struct Reader<'a> {
    value: &'a Value,
    /// The name of this field; empty at the root and in a list.
    name: &'a str,
    path: String,
    faults: &'a RefCell<Faults>,
}

impl<'a> Reader<'a> {
    /// A reader at the root; faults go to `faults`.
    pub fn root(value: &'a Value, faults: &'a RefCell<Faults>) -> Self {
        Reader { value, name: "", path: String::new(), faults }
    }

    /// Where this value stands, such as `policies[0].limits`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Records that this value is none of what is `allowed`.
    pub fn fault<T>(&self, allowed: impl Into<String>) -> Option<T> {
        self.fault_found(self.value.to_string(), allowed)
    }

    /// Like [`fault`](Self::fault), with its own words for what was found.
    pub fn fault_found<T>(&self, found: impl Into<String>, allowed: impl Into<String>) -> Option<T> {
        self.push(Fault::new(self.path.as_str(), found, allowed))
    }

    /// Records that this text is none of what is `allowed`, and which allowed ones are `near`.
    pub fn fault_near<T>(&self, allowed: &str, near: &[&str]) -> Option<T> {
        self.push(Fault::new(self.path.as_str(), self.value.to_string(), allowed).near(near))
    }

    fn push<T>(&self, fault: Fault) -> Option<T> {
        self.faults.borrow_mut().push(fault);
        None
    }

    /// The fields of an object that may have only the `known` ones. An unknown or repeated field is a
    /// fault, but the known ones are still read.
    pub fn object(&self, known: &[&str]) -> Option<Fields<'a>> {
        let fields = self.named_entries(&format!("an object with {}", known.join(", ")))?;
        for field in &fields {
            let name = field.name();
            if !known.contains(&name) {
                let fault =
                    Fault::unknown_word(field.path.as_str(), "an unknown field", name, known.iter().copied());
                self.push::<()>(fault);
            }
        }
        Some(Fields { at: self.clone(), fields })
    }

    /// The entries of an object whose names the user chooses.
    pub fn named_entries(&self, allowed: &str) -> Option<Vec<Reader<'a>>> {
        let Value::Object(fields) = self.value else { return self.fault(allowed) };
        let mut entries: Vec<Reader<'a>> = Vec::with_capacity(fields.len());
        for (name, value) in fields {
            let entry = Reader { value, name, path: self.field_path(name), faults: self.faults };
            if entries.iter().any(|earlier| earlier.name == entry.name) {
                entry.fault_found::<()>("the same name twice", "each name once");
            }
            entries.push(entry);
        }
        Some(entries)
    }

    /// The name of this field; empty at the root and in a list.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// This value under a field's path, to record a fault of that field.
    pub fn field(&self, name: &str) -> Reader<'a> {
        Reader { path: self.field_path(name), ..self.clone() }
    }

    fn field_path(&self, name: &str) -> String {
        field_path(&self.path, name)
    }

    /// The entries of a list.
    pub fn list(&self, allowed: &str) -> Option<Vec<Reader<'a>>> {
        let Value::List(list) = self.value else { return self.fault(allowed) };
        let entry =
            |(i, value)| Reader { value, name: "", path: format!("{}[{i}]", self.path), faults: self.faults };
        Some(list.iter().enumerate().map(entry).collect())
    }

    /// The entries of a list that must have at least one.
    pub fn list_of_some(&self, allowed: &str) -> Option<Vec<Reader<'a>>> {
        let list = self.list(allowed)?;
        if list.is_empty() { self.fault(allowed) } else { Some(list) }
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
        matches!(self.value, Value::Object(fields) if fields.iter().any(|(field, _)| field == name))
    }

    /// Whether this is an object, for places where other kinds may stand.
    pub fn is_object(&self) -> bool {
        matches!(self.value, Value::Object(_))
    }

    /// What the name of this field stands for, if it is one of the `words`.
    pub fn named_by<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        match words.iter().find(|(word, _)| *word == self.name) {
            Some((_, meaning)) => Some(*meaning),
            None => {
                let names = words.iter().map(|(word, _)| *word);
                self.push(Fault::unknown_word(
                    self.path.as_str(),
                    Glimpse(self.name).to_string(),
                    self.name,
                    names,
                ))
            }
        }
    }

    /// Whether this is that very text.
    pub fn is_word(&self, word: &str) -> bool {
        matches!(self.value, Value::Text(text) if text == word)
    }

    /// Text.
    pub fn text(&self, allowed: &str) -> Option<&'a str> {
        let Value::Text(text) = self.value else { return self.fault(allowed) };
        Some(text)
    }

    /// `true` or `false`.
    pub fn flag(&self) -> Option<bool> {
        let Value::Bool(flag) = self.value else { return self.fault("true or false") };
        Some(*flag)
    }

    /// A whole number within `range`.
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
            .or_else(|| self.fault(format!("a whole number from {} to {}", range.start(), range.end())))
    }

    /// One of the `words`; answers what stands beside it.
    pub fn word<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let names = words.iter().map(|(word, _)| *word);
        let Value::Text(text) = self.value else {
            return self.fault(names.collect::<Vec<_>>().join(", "));
        };
        match words.iter().find(|(word, _)| word == text) {
            Some((_, meaning)) => Some(*meaning),
            None => self.push(Fault::unknown_word(self.path.as_str(), self.value.to_string(), text, names)),
        }
    }
}

/// The fields of one object.
pub struct Fields<'a> {
    at: Reader<'a>,
    fields: Vec<Reader<'a>>,
}

impl<'a> Fields<'a> {
    /// The object itself, to record a fault of it as a whole.
    pub fn at(&self) -> &Reader<'a> {
        &self.at
    }

    /// A field that may be absent. `null` is the same as absent.
    pub fn optional(&self, name: &str) -> Option<&Reader<'a>> {
        self.fields.iter().find(|field| field.name() == name && *field.value != Value::Null)
    }

    /// A field that must be there; its absence is a fault that says what is `allowed`.
    pub fn required(&self, name: &str, allowed: &str) -> Option<&Reader<'a>> {
        self.optional(name).or_else(|| self.at.push(Fault::new(self.at.field_path(name), "nothing", allowed)))
    }

    /// Reads an optional field. `Some(None)`: absent. `None`: present and faulty.
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
