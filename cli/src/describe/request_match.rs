//! Matches in words.

use super::{Host, Match, PathTemplate, Presence, Segment};
use std::fmt;

impl fmt::Display for Match {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Vec::new();
        if !self.methods.is_empty() {
            words.push(self.methods.join("/"));
        }
        match (&self.host, &self.path) {
            (Some(host), Some(path)) => words.push(format!("{host}{path}")),
            (Some(host), None) => words.push(format!("{host}/**")),
            (None, Some(path)) => words.push(path.to_string()),
            (None, None) if words.is_empty() && self.headers.is_empty() => words.push("every request".into()),
            (None, None) => words.push("any path".into()),
        }
        words.extend(self.headers.iter().map(|(name, presence)| match presence {
            Presence::Present => format!("with {name}"),
            Presence::Absent => format!("without {name}"),
            Presence::Equal(text) => format!("with {name}: {text}"),
        }));
        if let Some(cost) = self.cost {
            words.push(format!("at a cost of {cost}"));
        }
        f.write_str(&words.join(" "))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Exact(name) => f.write_str(name),
            Host::Below(suffix) => write!(f, "*{suffix}"),
        }
    }
}

impl fmt::Display for PathTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.segments {
            match segment {
                Segment::Literal(text) => write!(f, "/{text}")?,
                Segment::Any(Some(name)) => write!(f, "/{{{name}}}")?,
                Segment::Any(None) => f.write_str("/*")?,
            }
        }
        f.write_str(if self.open { "/**" } else { "" })
    }
}
