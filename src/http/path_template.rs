//! Path templates such as `/v1/invoices/{id}/send`, and the spellings of a path that they match.

use super::{Pattern, Request, RequestCache, spelling};
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

/// One segment of a template.
#[derive(Clone, Debug, PartialEq)]
enum PathSegment {
    /// Exactly this text.
    Literal(String),
    /// `*` or `{name}`: any one non-empty segment.
    Any(Option<String>),
    /// A segment that fits a pattern which is not just an asterisk.
    Fits(Box<Pattern>),
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

/// A segment at any depth.
#[derive(Clone, Debug, PartialEq)]
struct Deep {
    segment: PathSegment,
    decoded: DecodedSegment,
    /// Whether any number of further segments may follow it.
    open: bool,
}

/// One segment as it is compared with decoded paths.
#[derive(Clone, Debug, PartialEq)]
enum DecodedSegment {
    /// The text as a server reads it; in lower case if case does not matter.
    Literal(Vec<u8>),
    /// Any non-empty segment.
    Any,
    /// A pattern.
    Fits(Box<DecodedPattern>),
}

/// A pattern as it is compared with segments of decoded paths.
#[derive(Clone, Debug, PartialEq)]
struct DecodedPattern {
    pattern: Pattern,
    /// The same with any suffix, if that does not matter and the pattern does not allow it anyway.
    with_suffix: Option<Pattern>,
    /// Whether an encoded slash may be part of the segment. A server that takes it for a slash reads another
    /// path, so a match that frees requests does not allow it.
    with_slash: bool,
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

impl fmt::Display for PathSegment {
    /// As it is written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PathSegment::Literal(text) => f.write_str(text),
            PathSegment::Any(Some(name)) => write!(f, "{{{name}}}"),
            PathSegment::Any(None) => f.write_str("*"),
            PathSegment::Fits(pattern) => pattern.fmt(f),
        }
    }
}

impl PathSegment {
    fn parse(text: &str) -> Option<PathSegment> {
        if let Some(name) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            return (!name.is_empty() && name.bytes().all(plain))
                .then(|| PathSegment::Any(Some(name.into())));
        }
        // On the wire, any other byte is percent-encoded, so such a literal could never match.
        if !text.bytes().all(|byte| byte.is_ascii_graphic() && !b"{}?#".contains(&byte)) {
            return None;
        }
        match (text, text.contains('*'), text.contains('\\')) {
            ("*", ..) => Some(PathSegment::Any(None)),
            (_, false, _) => Some(PathSegment::Literal(text.into())),
            // In a path, a backslash is no escape.
            (_, true, true) => None,
            (_, true, false) => Pattern::parse(text).map(|pattern| PathSegment::Fits(Box::new(pattern))),
        }
    }

    /// The same as it is compared with decoded paths.
    fn decoded(&self, spellings: Spellings, purpose: Purpose) -> DecodedSegment {
        match self {
            PathSegment::Any(_) => DecodedSegment::Any,
            PathSegment::Literal(text) => DecodedSegment::Literal(decoded(text.as_bytes(), spellings)),
            PathSegment::Fits(pattern) => {
                let pattern = decoded_pattern(pattern, spellings);
                DecodedSegment::Fits(Box::new(DecodedPattern {
                    with_suffix: if spellings.suffix { pattern.before(b'.') } else { None },
                    with_slash: purpose == Purpose::Limits,
                    pattern,
                }))
            }
        }
    }

    fn matches(&self, found: &[u8]) -> bool {
        match self {
            PathSegment::Literal(text) => found == text.as_bytes(),
            PathSegment::Any(_) => !found.is_empty(),
            PathSegment::Fits(pattern) => pattern.fits(found),
        }
    }

    /// Whether it matches every segment that `other` matches.
    fn covers(&self, other: &PathSegment) -> bool {
        match (self, other) {
            (PathSegment::Any(_), PathSegment::Literal(text)) => !text.is_empty(),
            (PathSegment::Any(_), PathSegment::Any(_) | PathSegment::Fits(_)) => true,
            (PathSegment::Fits(pattern), PathSegment::Literal(text)) => {
                !text.contains(['%', ';']) && pattern.fits(text.as_bytes())
            }
            (PathSegment::Fits(pattern), PathSegment::Fits(other)) => pattern.covers(other),
            (PathSegment::Literal(_), _) | (PathSegment::Fits(_), PathSegment::Any(_)) => self == other,
        }
    }
}

/// A text of a template, as a server reads it.
fn decoded(text: &[u8], spellings: Spellings) -> Vec<u8> {
    let mut decoded = spelling::segment(text, spellings.parameters);
    if spellings.case {
        decoded.make_ascii_lowercase();
    }
    decoded
}

/// A pattern whose texts are read so. Parameters end it, as they end a literal.
fn decoded_pattern(pattern: &Pattern, spellings: Spellings) -> Pattern {
    let mut texts = Vec::new();
    for text in pattern.texts() {
        texts.push(decoded(text, spellings));
        if spellings.parameters && text.contains(&b';') {
            break;
        }
    }
    Pattern::of(texts).unwrap_or_else(|| pattern.clone())
}

impl Deep {
    /// A parameter has no place in a path here.
    fn parse(written: &str) -> Option<Deep> {
        let segment = PathSegment::parse(written)?;
        let is_written = match &segment {
            PathSegment::Literal(text) => !text.is_empty(),
            PathSegment::Any(name) => name.is_none(),
            PathSegment::Fits(_) => true,
        };
        is_written.then_some(Deep { segment, decoded: DecodedSegment::Any, open: false })
    }

    /// Whether it is one of these segments: the last, unless others may follow. `fits` is also told which one
    /// is the last.
    fn is_in(&self, rest: &[u8], fits: impl Fn(&[u8], bool) -> bool) -> bool {
        let mut segments = rest.rsplit(|byte| *byte == b'/');
        segments.next().is_some_and(|last| fits(last, true))
            || self.open && segments.any(|segment| fits(segment, false))
    }
}

impl DecodedSegment {
    fn matches(&self, found: &[u8], is_last: bool, spellings: Spellings) -> bool {
        let is = |text: &[u8], found: &[u8]| match spellings.case {
            true => text.eq_ignore_ascii_case(found),
            false => text == found,
        };
        match self {
            DecodedSegment::Any => !found.is_empty(),
            DecodedSegment::Literal(text) => {
                let is_without_suffix = || is(text, spelling::without_suffix(found));
                is(text, found) || is_last && spellings.suffix && is_without_suffix()
            }
            DecodedSegment::Fits(fits) => fits.matches(found, is_last, spellings.case),
        }
    }
}

impl DecodedPattern {
    #[inline(never)] // rare
    fn matches(&self, found: &[u8], is_last: bool, any_case: bool) -> bool {
        let lower = any_case.then(|| found.to_ascii_lowercase());
        let found = lower.as_deref().unwrap_or(found);
        let with_suffix = self.with_suffix.as_ref().filter(|_| is_last);
        (self.with_slash || !found.contains(&0))
            && (self.pattern.fits(found) || with_suffix.is_some_and(|pattern| pattern.fits(found)))
    }
}

#[cfg(test)]
mod tests;
