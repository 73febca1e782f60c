//! JSON, written piece by piece.

use crate::reply::push_json;
use crate::time::{Micros, SECOND, push_instant};

/// A text of JSON that is being written.
#[derive(Default)]
pub(super) struct Json {
    pub text: String,
}

impl Json {
    /// Begins an object or a list.
    #[inline(never)]
    pub fn open(&mut self, bracket: char) {
        self.text.push(bracket);
    }

    /// Ends one.
    #[inline(never)]
    pub fn close(&mut self, bracket: char) {
        self.text.push(bracket);
    }

    /// Begins an element of a list, or a field.
    #[inline(never)]
    pub fn item(&mut self) {
        if !self.text.ends_with(['{', '[']) {
            self.text.push(',');
        }
    }

    /// Begins a field with its name, which needs no escapes.
    #[inline(never)]
    pub fn name(&mut self, name: &str) {
        self.item();
        self.text.push('"');
        self.text.push_str(name);
        self.text.push_str("\":");
    }

    /// A value as it stands.
    #[inline(never)]
    pub fn raw(&mut self, value: &str) {
        self.text.push_str(value);
    }

    #[inline(never)]
    pub fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        self.text.push('"');
        push_json(&mut self.text, value);
        self.text.push('"');
    }

    #[inline(never)]
    pub fn text_or_null(&mut self, name: &str, value: Option<&str>) {
        match value {
            Some(value) => self.text(name, value),
            None => {
                self.name(name);
                self.raw("null");
            }
        }
    }

    #[inline(never)]
    pub fn number(&mut self, name: &str, value: u64) {
        self.name(name);
        let mut digits = itoa::Buffer::new();
        self.raw(digits.format(value));
    }

    /// An instant of the wall clock.
    #[inline(never)]
    pub fn instant_or_null(&mut self, name: &str, wall: Option<Micros>) {
        let text = wall.map(|wall| {
            let mut text = String::new();
            push_instant(&mut text, wall.div_ceil(SECOND));
            text
        });
        self.text_or_null(name, text.as_deref());
    }
}
