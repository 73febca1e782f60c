//! Path templates such as `/v1/invoices/{id}/send`, and the spellings of a path that they match.

mod segment;

use super::{Request, RequestCache};
use segment::{DecodedSegment, Deep, PathSegment};
use std::fmt;

/// The spellings of a path that the upstream takes for the same path.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spellings {
    /// Trailing slashes do not matter.
    pub trailing_slash: bool,
    /// Case does not matter.
    pub case: bool,
    /// In each segment, parameters after a `;` do not matter.
    pub parameters: bool,
    /// A suffix of the last segment, such as `.json`, does not matter.
    pub suffix: bool,
}

/// What a path template is for, which decides how it treats a path that can be read in two ways.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Purpose {
    /// Requests that match are limited: the template matches if either reading does.
    #[default]
    Limits,
    /// Requests that match are exempt, or give units back: the template matches only if both readings do.
    Exempts,
}

impl Purpose {
    /// The purpose of a condition whose opposite has this one.
    pub fn opposite(self) -> Purpose {
        match self {
            Purpose::Limits => Purpose::Exempts,
            Purpose::Exempts => Purpose::Limits,
        }
    }
}

/// A compiled path template.
#[derive(Clone, Debug, PartialEq)]
pub struct PathTemplate {
    segments: Vec<PathSegment>,
    /// What follows these segments.
    rest: Rest,
    /// The segments as they are compared with decoded paths. An empty last segment is left out if trailing
    /// slashes do not matter.
    decoded: Vec<DecodedSegment>,
    spellings: Spellings,
    purpose: Purpose,
}

/// The end of a template.
#[derive(Clone, Debug, PartialEq)]
enum Rest {
    /// Nothing follows.
    None,
    /// `**`: any number of further segments, including none.
    Any,
    /// `**/x` or `**/x/**`: a further segment at any depth.
    Deep(Box<Deep>),
}

impl PathTemplate {
    /// Compiles a template. `None`: the text is not one.
    pub fn parse(text: &str) -> Option<PathTemplate> {
        let mut segments = Vec::new();
        let mut rest = Rest::None;
        for written in text.strip_prefix('/')?.split('/') {
            rest = match (rest, written) {
                (Rest::None, "**") => Rest::Any,
                (Rest::None, _) => {
                    segments.push(PathSegment::parse(written)?);
                    Rest::None
                }
                (Rest::Any, _) => Rest::Deep(Box::new(Deep::parse(written)?)),
                (Rest::Deep(deep), "**") if !deep.open => Rest::Deep(Box::new(Deep { open: true, ..*deep })),
                (Rest::Deep(_), _) => return None,
            };
        }
        let mut template = PathTemplate {
            segments,
            rest,
            decoded: Vec::new(),
            spellings: Spellings::default(),
            purpose: Purpose::default(),
        };
        let once = |(i, name)| !template.parameters().take(i).any(|earlier| earlier == name);
        let all_once = template.parameters().enumerate().all(once);
        template.set_spellings(Spellings::default(), Purpose::default());
        all_once.then_some(template)
    }

    /// Sets which spellings of a path the template matches.
    pub fn set_spellings(&mut self, spellings: Spellings, purpose: Purpose) {
        (self.spellings, self.purpose) = (spellings, purpose);
        self.decoded.clear();
        self.decoded.extend(self.segments.iter().map(|segment| segment.decoded(spellings, purpose)));
        match &mut self.rest {
            Rest::None if spellings.trailing_slash && self.decoded.len() > 1 => {
                let is_empty =
                    |last: &DecodedSegment| matches!(last, DecodedSegment::Literal(text) if text.is_empty());
                self.decoded.pop_if(|last| is_empty(last));
            }
            Rest::None | Rest::Any => {}
            Rest::Deep(deep) => deep.decoded = deep.segment.decoded(spellings, purpose),
        }
    }

    /// The literal segments that every matching path begins with, as a server reads them; in lower case if
    /// case does not matter.
    pub fn beginning(&self) -> impl Iterator<Item = &[u8]> {
        self.decoded.iter().map_while(|segment| match segment {
            DecodedSegment::Literal(text) => Some(text.as_slice()),
            DecodedSegment::Any | DecodedSegment::Fits(_) => None,
        })
    }

    /// The segments that are written, wherever they stand.
    fn all_segments(&self) -> impl Iterator<Item = &PathSegment> {
        let deep = match &self.rest {
            Rest::None | Rest::Any => None,
            Rest::Deep(deep) => Some(&deep.segment),
        };
        self.segments.iter().chain(deep)
    }

    /// Whether a segment has letters, so that it can be written in another case.
    pub fn has_letters(&self) -> bool {
        let has_letters = |text: &str| text.bytes().any(|byte| byte.is_ascii_alphabetic());
        self.all_segments().any(|segment| match segment {
            PathSegment::Literal(text) => has_letters(text),
            PathSegment::Any(_) => false,
            PathSegment::Fits(pattern) => has_letters(pattern.text()),
        })
    }

    /// Whether it matches every path that `other` matches.
    pub fn covers(&self, other: &PathTemplate) -> bool {
        let each = self.segments.iter().zip(&other.segments).all(|(one, other)| one.covers(other));
        let Some(further) = other.segments.get(self.segments.len()..).filter(|_| each) else { return false };
        match (&self.rest, &other.rest) {
            (Rest::None, Rest::None) => further.is_empty(),
            (Rest::None, Rest::Any | Rest::Deep(_)) => false,
            (Rest::Any, _) => true,
            (Rest::Deep(deep), Rest::Deep(others)) if deep.segment.covers(&others.segment) => {
                deep.open || !others.open
            }
            (Rest::Deep(deep), _) if deep.open => further.iter().any(|other| deep.segment.covers(other)),
            (Rest::Deep(deep), Rest::None) => further.last().is_some_and(|last| deep.segment.covers(last)),
            (Rest::Deep(_), Rest::Any | Rest::Deep(_)) => false,
        }
    }

    /// Whether the template ends with `**`.
    pub fn is_open(&self) -> bool {
        match &self.rest {
            Rest::None => false,
            Rest::Any => true,
            Rest::Deep(deep) => deep.open,
        }
    }

    /// Whether the template has a segment that may be at any depth.
    pub fn is_deep(&self) -> bool {
        matches!(self.rest, Rest::Deep(_))
    }

    /// The names of the parameters.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            PathSegment::Any(name) => name.as_deref(),
            PathSegment::Literal(_) | PathSegment::Fits(_) => None,
        })
    }

    /// The index of the segment that is the parameter of this name.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.segments.iter().position(|segment| match segment {
            PathSegment::Any(named) => named.as_deref() == Some(name),
            PathSegment::Literal(_) | PathSegment::Fits(_) => false,
        })
    }

    /// Whether parameters after a `;` are dropped from each segment.
    pub fn strips_parameters(&self) -> bool {
        self.spellings.parameters
    }

    /// Whether a request's path matches. The upstream may read the path as written or decoded, and nobody
    /// knows which: see [`Purpose`].
    pub fn matches_request<R: Request>(&self, request: &RequestCache<'_, R>) -> bool {
        let written = request.path();
        let decoded = || request.decoded_path(self.spellings.parameters);
        match self.purpose {
            Purpose::Limits => {
                self.matches_decoded(written) || decoded().is_some_and(|path| self.matches_decoded(path))
            }
            Purpose::Exempts => {
                self.matches(written) && decoded().is_none_or(|path| self.matches_decoded(path))
            }
        }
    }

    /// Whether a path, as written or decoded, matches in one of the spellings.
    pub fn matches_decoded(&self, path: &[u8]) -> bool {
        let Some(mut path) = path.strip_prefix(b"/") else { return false };
        while self.spellings.trailing_slash
            && let Some(shorter) = path.strip_suffix(b"/")
        {
            path = shorter;
        }
        let mut rest = Some(path);
        for segment in &self.decoded {
            let Some(left) = rest else { return false };
            let end = left.iter().position(|byte| *byte == b'/');
            let (found, behind) = left.split_at(end.unwrap_or(left.len()));
            rest = end.and(behind.get(1..));
            if !segment.matches(found, end.is_none(), self.spellings) {
                return false;
            }
        }
        match &self.rest {
            Rest::None => rest.is_none(),
            Rest::Any => true,
            Rest::Deep(deep) => rest.is_some_and(|rest| {
                let fits = |found: &[u8], is_last| deep.decoded.matches(found, is_last, self.spellings);
                deep.is_in(rest, fits)
            }),
        }
    }

    /// Whether a path, without its query, matches exactly as it is written.
    pub fn matches(&self, path: &[u8]) -> bool {
        let Some(path) = path.strip_prefix(b"/") else { return false };
        let mut rest = Some(path);
        for segment in &self.segments {
            let Some(left) = rest else { return false };
            let end = left.iter().position(|byte| *byte == b'/');
            let (found, behind) = left.split_at(end.unwrap_or(left.len()));
            rest = end.and(behind.get(1..));
            if !segment.matches(found) {
                return false;
            }
        }
        match &self.rest {
            Rest::None => rest.is_none(),
            Rest::Any => true,
            Rest::Deep(deep) => {
                rest.is_some_and(|rest| deep.is_in(rest, |found, _| deep.segment.matches(found)))
            }
        }
    }
}

impl fmt::Display for PathTemplate {
    /// As it is written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.segments {
            write!(f, "/{segment}")?;
        }
        match &self.rest {
            Rest::None => Ok(()),
            Rest::Any => f.write_str("/**"),
            Rest::Deep(deep) => write!(f, "/**/{}{}", deep.segment, if deep.open { "/**" } else { "" }),
        }
    }
}

#[cfg(test)]
mod tests;
