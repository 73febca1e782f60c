//! Several patterns or hosts, of which one has to fit.

use super::{Host, Pattern};

/// What a text can fit.
pub trait Fits: PartialEq {
    /// The only text that fits, if it is just one.
    fn exact(&self) -> Option<&[u8]>;
    /// Whether a text fits.
    fn fits(&self, text: &[u8]) -> bool;
    /// Whether each text that fits `other` fits this, as far as that can be decided.
    fn covers(&self, other: &Self) -> bool;
}

/// Several of which one has to fit.
#[derive(Clone, Debug, PartialEq)]
pub struct AnyOf<T> {
    /// Those that a single text fits, in ascending order: a long list is searched as fast as a short one.
    exact: Vec<T>,
    /// All others, as they are written.
    others: Vec<T>,
}

impl<T: Fits> AnyOf<T> {
    /// One of these.
    pub fn new(all: impl IntoIterator<Item = T>) -> AnyOf<T> {
        let mut any = AnyOf { exact: Vec::new(), others: Vec::new() };
        for one in all {
            match one.exact().map(|text| any.place_of(text)) {
                None => any.others.push(one),
                Some(Err(place)) => any.exact.insert(place, one),
                Some(Ok(_)) => {}
            }
        }
        any
    }

    fn place_of(&self, text: &[u8]) -> Result<usize, usize> {
        self.exact.binary_search_by(|one| one.exact().unwrap_or_default().cmp(text))
    }

    /// Whether a text fits one of them.
    pub fn fit(&self, text: &[u8]) -> bool {
        self.place_of(text).is_ok() || self.others.iter().any(|one| one.fits(text))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.exact.iter().chain(&self.others)
    }

    /// Whether each text that fits one of `other` fits one of these, as far as that can be decided.
    pub fn covers(&self, other: &AnyOf<T>) -> bool {
        other.iter().all(|other| self.iter().any(|one| one.covers(other)))
    }

    /// Whether no text fits one of these and one of `other`, as far as that can be decided.
    pub fn excludes(&self, other: &AnyOf<T>) -> bool {
        other.iter().all(|other| other.exact().is_some_and(|text| !self.fit(text)))
    }
}

impl Fits for Pattern {
    fn exact(&self) -> Option<&[u8]> {
        self.is_exact().then(|| self.text().as_bytes())
    }

    fn fits(&self, text: &[u8]) -> bool {
        Pattern::fits(self, text)
    }

    fn covers(&self, other: &Self) -> bool {
        Pattern::covers(self, other)
    }
}

impl Fits for Host {
    fn exact(&self) -> Option<&[u8]> {
        match self {
            Host::Exact(name) => Some(name.as_bytes()),
            Host::Suffix(_) | Host::Fits(_) => None,
        }
    }

    fn fits(&self, text: &[u8]) -> bool {
        self.matches(text)
    }

    fn covers(&self, other: &Self) -> bool {
        Host::covers(self, other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    fn patterns(texts: &[&str]) -> AnyOf<Pattern> {
        AnyOf::new(texts.iter().map(|text| Pattern::parse(text).unwrap()))
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn one_of_several_patterns_has_to_fit() {
        let any = patterns(&["pro", "sk_*", "basic", "pro", "*x", "a"]);
        for text in ["pro", "basic", "a", "sk_1", "sk_", "yx"] {
            assert!(any.fit(text.as_bytes()), "{text}");
        }
        for text in ["", "pr", "pros", "basi", "sk", "b"] {
            assert!(!any.fit(text.as_bytes()), "{text}");
        }
        let written: Vec<_> = any.iter().map(ToString::to_string).collect();
        assert_eq!(written, ["a", "basic", "pro", "sk_*", "*x"]);
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn several_patterns_cover_others_one_by_one_and_exclude_texts() {
        let any = patterns(&["a*", "b"]);
        assert!(any.covers(&patterns(&["a1", "a2*", "b"])) && any.covers(&any));
        assert!(!any.covers(&patterns(&["a1", "c"])) && !patterns(&["a1"]).covers(&any));
        assert!(any.excludes(&patterns(&["c", "d"])));
        assert!(!any.excludes(&patterns(&["c", "ab"])) && !any.excludes(&patterns(&["c*"])));
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn hosts_in_a_list_match_as_each_alone() {
        let host = |text: &&str| Host::parse(text).unwrap();
        let any = AnyOf::new(["b.example.com", "*.example.org", "A.example.com", "api-*"].iter().map(host));
        for text in ["a.example.com", "b.example.com", "x.example.org", "api-7"] {
            assert!(any.fit(text.as_bytes()), "{text}");
        }
        for text in ["example.org", "c.example.com", ""] {
            assert!(!any.fit(text.as_bytes()), "{text}");
        }
    }
}
