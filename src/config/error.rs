//! Configuration errors, worded so that an operator can act on them.

use std::fmt::{self, Write};

/// One error: its path, what was found there, and what is allowed.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigError {
    path: String,
    found: String,
    allowed: String,
    /// The allowed words that are similar to what was found, which then looks like a typo.
    suggestion: Option<String>,
}

impl ConfigError {
    /// `path` is a JSON path without its leading `$.`, such as `policies[0].limits`; the root is empty.
    pub fn new(path: &str, found: &str, allowed: &str) -> ConfigError {
        ConfigError { path: path.into(), found: found.into(), allowed: allowed.into(), suggestion: None }
    }

    /// The path, such as `policies[0].limits`; empty for the root.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// A description of what was found.
    pub fn found(&self) -> &str {
        &self.found
    }

    /// A description of what is allowed.
    pub fn allowed(&self) -> &str {
        &self.allowed
    }

    /// The allowed words that were probably meant, if any is similar.
    pub fn suggestion(&self) -> Option<&str> {
        self.suggestion.as_deref()
    }

    /// The same error, with another description of what was found.
    pub fn with_found(self, found: &str) -> ConfigError {
        ConfigError { found: found.into(), ..self }
    }

    /// The same error, with these words as the suggestion.
    pub fn with_suggestion(self, words: &[&str]) -> ConfigError {
        let suggestion = (!words.is_empty()).then(|| words.join(" or "));
        ConfigError { suggestion, ..self }
    }

    /// The error for a `word` that is not one of the `allowed` ones. `found` describes the word.
    pub fn unknown_word(path: &str, found: &str, word: &str, allowed: &[&str]) -> ConfigError {
        let first = allowed.get(..MAX_WORDS).unwrap_or(allowed);
        let mut list = if first.is_empty() { "nothing".into() } else { first.join(", ") };
        if first.len() < allowed.len() {
            list.push_str(" and more");
        }
        ConfigError { suggestion: most_similar(word, first), ..ConfigError::new(path, found, &list) }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "$" } else { &self.path };
        write!(f, "{path}: found {}; allowed: {}", OneLine(&self.found), OneLine(&self.allowed))?;
        match &self.suggestion {
            Some(word) => write!(f, "; did you mean {}?", OneLine(word)),
            None => Ok(()),
        }
    }
}

/// A text whose control characters are escaped: allowed words may be names of the configuration, and a line
/// feed in one must not begin a line of its own in Envoy's log.
struct OneLine<'a>(&'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c.is_control() {
                true => write!(f, "{}", c.escape_debug())?,
                false => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// At most so many allowed words are listed, and searched for a suggestion.
const MAX_WORDS: usize = 256;

/// At most so many errors are collected: finding the paths of thousands would take long.
const MAX_ERRORS: usize = 200;

/// All errors of one configuration, in reading order; if there are very many, the first 200.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConfigErrors(Vec<ConfigError>);

impl ConfigErrors {
    /// Adds one.
    pub fn push(&mut self, error: ConfigError) {
        self.0.push(error);
    }

    /// Whether no more errors are collected. If so, the last one says that there are more.
    pub(super) fn is_full(&mut self) -> bool {
        if self.0.len() == MAX_ERRORS {
            self.push(ConfigError::new("", "more errors", "none; the others are shown once there are fewer"));
        }
        self.0.len() > MAX_ERRORS
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The errors, in reading order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &ConfigError> {
        self.0.iter()
    }
}

impl From<ConfigError> for ConfigErrors {
    fn from(error: ConfigError) -> Self {
        ConfigErrors(vec![error])
    }
}

/// One error per line.
impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

/// The allowed word that needs the fewest edits, if they are at most about a third of its length: two swapped
/// letters are two edits, and `name` is not suggested for `rate`.
fn most_similar(word: &str, allowed: &[&str]) -> Option<String> {
    allowed
        .iter()
        .map(|candidate| (strsim::levenshtein(word, candidate), candidate))
        .filter(|(edits, candidate)| *edits <= (candidate.len() + 1) / 3)
        .min()
        .map(|(_, candidate)| (*candidate).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test(unsupported = test)]
    fn a_typo_is_answered_with_the_most_similar_word_and_any_other_word_with_none() {
        assert_eq!(most_similar("qouta", &["window", "quota"]).as_deref(), Some("quota"));
        assert_eq!(most_similar("limts", &["name", "limits"]).as_deref(), Some("limits"));
        assert_eq!(most_similar("banana", &["window", "quota"]), None);
        assert_eq!(most_similar("rate", &["name", "key"]), None);
    }
}
