//! Where a policy is in its file, and the lines of what is in it.

use crate::document::LineMap;
use std::rc::Rc;

/// An error or a warning, with its line.
#[derive(Clone, Debug, PartialEq)]
pub struct Located<T> {
    /// From 1; `None` if it is not known.
    pub line: Option<usize>,
    /// The error or the warning.
    pub item: T,
}

/// The lines in the file of a document, which may be a text in another document.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    map: Rc<LineMap>,
    shift: Shift,
}

/// Where the lines of a text are in the file.
#[derive(Clone, Copy, Debug)]
enum Shift {
    /// Each one so many lines further down.
    By(usize),
    /// All of them in this line, if it is known.
    To(Option<usize>),
}

impl Lines {
    /// The lines of a document of the file.
    pub fn of_file(map: Rc<LineMap>) -> Lines {
        Lines { map, shift: Shift::By(0) }
    }

    /// Everything is in one line.
    pub fn at(line: Option<usize>) -> Lines {
        Lines { map: Rc::default(), shift: Shift::To(line) }
    }

    /// The lines of a text, which is the value with this path.
    pub fn of_text(&self, path: &str, text: LineMap) -> Lines {
        let shift = match (self.shift, self.map.block(path)) {
            (Shift::By(by), Some(first)) => Shift::By((by + first).saturating_sub(1)),
            (Shift::By(_) | Shift::To(_), _) => Shift::To(self.of(path)),
        };
        Lines { map: Rc::new(text), shift }
    }

    /// All of it in this line of the text, where that is known.
    pub fn or_at(self, line: Option<usize>) -> Lines {
        match (self.shift, line) {
            (Shift::By(by), Some(line)) => Lines::at(Some(line + by)),
            (Shift::By(by), None) => Lines::at(Some(by + 1)),
            (Shift::To(_), _) => self,
        }
    }

    /// The line of the value with this path.
    pub fn of(&self, path: &str) -> Option<usize> {
        match self.shift {
            Shift::By(by) => self.map.of(path).map(|line| line + by),
            Shift::To(line) => line,
        }
    }
}

/// Where in its document a policy is.
#[derive(Debug)]
pub(super) enum PolicyPlace {
    /// It is the value with this path, which is empty if it is the whole document.
    Value(String),
    /// It is a text, which has these lines.
    Text(Lines),
}

impl PolicyPlace {
    /// The line of a value with this path in the policy.
    pub fn line(&self, document: &Lines, path: &str) -> Option<usize> {
        match self {
            PolicyPlace::Text(lines) => lines.of(path),
            PolicyPlace::Value(at) => document.of(&joined(at, path)),
        }
    }

    /// How a flag or a number of the policy is written.
    pub fn word<'a>(&self, document: &'a Lines, path: &str) -> Option<&'a str> {
        match self {
            PolicyPlace::Text(_) => None,
            PolicyPlace::Value(at) => document.map.word(&joined(at, path)),
        }
    }
}

/// The path of a value with the path `path` below `at`.
fn joined(at: &str, path: &str) -> String {
    match (at, path) {
        ("", path) => path.into(),
        (at, path) if path.is_empty() || path.starts_with('[') => format!("{at}{path}"),
        (at, path) => format!("{at}.{path}"),
    }
}
