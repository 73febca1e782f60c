//! Matches in words.

use super::{Match, PathTemplate, Segment};
use std::fmt;

impl fmt::Display for Match {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.method, &self.path) {
            (Some(method), Some(path)) => write!(f, "{method} {path}"),
            (Some(method), None) => write!(f, "{method} of any path"),
            (None, Some(path)) => write!(f, "{path}"),
            (None, None) => f.write_str("every request"),
        }
    }
}

impl fmt::Display for PathTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.segments {
            match segment {
                Segment::Literal(text) => write!(f, "/{text}")?,
                Segment::Any => f.write_str("/*")?,
            }
        }
        f.write_str(if self.open { "/**" } else { "" })
    }
}
