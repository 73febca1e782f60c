//! Where in a file each value stands.

use std::collections::HashMap;

/// The line of each value, by its path.
#[derive(Debug, Default)]
pub struct Lines(HashMap<String, usize>);

impl Lines {
    /// Notes a value's line, from 1. Of a name that is there twice the last is kept, which is the one at error.
    pub(super) fn note(&mut self, path: String, line: usize) {
        self.0.insert(path, line);
    }

    /// The line of the value with this path or, if it is not there, of the nearest one around it.
    pub fn of(&self, path: &str) -> Option<usize> {
        let mut path = path;
        loop {
            if let Some(line) = self.0.get(path) {
                return Some(*line);
            }
            if path.is_empty() {
                return None;
            }
            path = around(path);
        }
    }
}

/// The path without its last step. Within a quoted name it may take several of these to get around it.
fn around(path: &str) -> &str {
    path.rfind(['.', '[']).and_then(|at| path.get(..at)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_looked_for_where_it_should_stand() {
        let mut lines = Lines::default();
        lines.note(String::new(), 1);
        lines.note("policies".into(), 4);
        lines.note("policies[0]".into(), 5);
        assert_eq!(lines.of("policies[0].limits[1].quota"), Some(5));
        assert_eq!(lines.of("policies[0][\"a.b[c\"]"), Some(5));
        assert_eq!(lines.of("keys"), Some(1));
        assert_eq!(Lines::default().of("keys"), None);
    }
}
