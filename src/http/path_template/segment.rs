//! The segments of path templates: as they are written, and as they are compared with decoded paths.

use super::{Purpose, Spellings};
use crate::http::{Pattern, spelling};
use std::fmt;

/// One segment of a template.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum PathSegment {
    /// Exactly this text.
    Literal(String),
    /// `*` or `{name}`: any one non-empty segment.
    Any(Option<String>),
    /// A segment that fits a pattern which is not just an asterisk.
    Fits(Box<Pattern>),
}

/// A segment at any depth.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Deep {
    pub(super) segment: PathSegment,
    pub(super) decoded: DecodedSegment,
    /// Whether any number of further segments may follow it.
    pub(super) open: bool,
}

/// One segment as it is compared with decoded paths.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum DecodedSegment {
    /// The text as a server reads it; in lower case if case does not matter.
    Literal(Vec<u8>),
    /// Any non-empty segment.
    Any,
    /// A pattern.
    Fits(Box<DecodedPattern>),
}

/// A pattern as it is compared with segments of decoded paths.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct DecodedPattern {
    pattern: Pattern,
    /// The same with any suffix, if that does not matter and the pattern does not allow it anyway.
    with_suffix: Option<Pattern>,
    /// Whether an encoded slash may be part of the segment. A server that takes it for a slash reads another
    /// path, so a match that frees requests does not allow it.
    with_slash: bool,
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
    pub(super) fn parse(text: &str) -> Option<PathSegment> {
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
    pub(super) fn decoded(&self, spellings: Spellings, purpose: Purpose) -> DecodedSegment {
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

    pub(super) fn matches(&self, found: &[u8]) -> bool {
        match self {
            PathSegment::Literal(text) => found == text.as_bytes(),
            PathSegment::Any(_) => !found.is_empty(),
            PathSegment::Fits(pattern) => pattern.fits(found),
        }
    }

    /// Whether it matches every segment that `other` matches.
    pub(super) fn covers(&self, other: &PathSegment) -> bool {
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
    pub(super) fn parse(written: &str) -> Option<Deep> {
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
    pub(super) fn is_in(&self, rest: &[u8], fits: impl Fn(&[u8], bool) -> bool) -> bool {
        let mut segments = rest.rsplit(|byte| *byte == b'/');
        segments.next().is_some_and(|last| fits(last, true))
            || self.open && segments.any(|segment| fits(segment, false))
    }
}

impl DecodedSegment {
    pub(super) fn matches(&self, found: &[u8], is_last: bool, spellings: Spellings) -> bool {
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
