//! What is wrong with a configuration, said so that an operator can act on it.

use std::fmt;

/// One error: where, what was found there, and what is allowed.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigError {
    path: String,
    found: String,
    allowed: String,
    /// The nearest allowed word, when what was found looks like a slip of the pen.
    meant: Option<String>,
}

impl ConfigError {
    /// `path` is a JSON path without its leading `$.`, such as `policies[0].limits`; the root is empty.
    pub fn new(path: &str, found: &str, allowed: &str) -> ConfigError {
        ConfigError { path: path.into(), found: found.into(), allowed: allowed.into(), meant: None }
    }

    /// Where; the root is empty.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is there, in words.
    pub fn found(&self) -> &str {
        &self.found
    }

    /// What may be there, in words.
    pub fn allowed(&self) -> &str {
        &self.allowed
    }

    /// The nearest allowed words, if any is near.
    pub fn meant(&self) -> Option<&str> {
        self.meant.as_deref()
    }

    /// With the allowed words that what was found is near to.
    pub fn near(self, words: &[&str]) -> ConfigError {
        let meant = (!words.is_empty()).then(|| words.join(" or "));
        ConfigError { meant, ..self }
    }

    /// A word that is none of the `allowed` ones.
    pub fn unknown_word(path: &str, found: &str, word: &str, allowed: &[&str]) -> ConfigError {
        let first = allowed.get(..MOST_WORDS).unwrap_or(allowed);
        let mut list = if first.is_empty() { "nothing".into() } else { first.join(", ") };
        if first.len() < allowed.len() {
            list.push_str(" and more");
        }
        ConfigError { meant: nearest(word, first), ..ConfigError::new(path, found, &list) }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "$" } else { &self.path };
        write!(f, "{path}: found {}; allowed: {}", self.found, self.allowed)?;
        match &self.meant {
            Some(word) => write!(f, "; did you mean {word}?"),
            None => Ok(()),
        }
    }
}

/// Of longer lists of words no more are told, or are looked through for one that was meant.
const MOST_WORDS: usize = 256;

/// So many errors are told, each with its place: where they are would take long to find for thousands.
const MOST_TOLD: usize = 200;

/// All errors of one configuration, in the order of reading; of many the first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConfigErrors(Vec<ConfigError>);

impl ConfigErrors {
    /// Adds one.
    pub fn push(&mut self, error: ConfigError) {
        self.0.push(error);
    }

    /// Whether no more are to be added. The last one says so.
    pub(super) fn are_many(&mut self) -> bool {
        if self.0.len() == MOST_TOLD {
            self.push(ConfigError::new("", "more errors", "none; they are told once there are fewer"));
        }
        self.0.len() > MOST_TOLD
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In the order of reading.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &ConfigError> {
        self.0.iter()
    }
}

impl From<ConfigError> for ConfigErrors {
    fn from(error: ConfigError) -> Self {
        ConfigErrors(vec![error])
    }
}

/// One error a line.
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

/// The allowed word that needs the fewest edits, if they are at most a third of its length or so: two letters
/// swapped are two edits, and `rate` is not meant for `name`.
fn nearest(word: &str, allowed: &[&str]) -> Option<String> {
    allowed
        .iter()
        .map(|candidate| (edits(word, candidate), candidate))
        .filter(|(edits, candidate)| *edits <= (candidate.len() + 1) / 3)
        .min()
        .map(|(_, candidate)| (*candidate).to_string())
}

/// Levenshtein distance, in characters.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (to, above) in b.iter().zip(row.iter_mut().skip(1)) {
            let replace = diagonal + usize::from(from != *to);
            diagonal = *above;
            left = replace.min(left + 1).min(*above + 1);
            *above = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test(unsupported = test)]
    fn edits_are_counted() {
        for (a, b, distance) in
            [("", "", 0), ("quota", "quota", 0), ("qouta", "quota", 2), ("limts", "limits", 1)]
        {
            assert_eq!(edits(a, b), distance, "{a} → {b}");
            assert_eq!(edits(b, a), distance, "{b} → {a}");
        }
        assert_eq!(edits("kitten", "sitting"), 3);
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_slip_is_answered_with_the_nearest_word_and_a_stranger_with_none() {
        assert_eq!(nearest("qouta", &["window", "quota"]).as_deref(), Some("quota"));
        assert_eq!(nearest("banana", &["window", "quota"]), None);
        assert_eq!(nearest("rate", &["name", "key"]), None);
    }
}
