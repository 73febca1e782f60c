//! What one line of an access log says. Pure: the bytes of a line go in, and a struct that borrows from them
//! comes out. Nothing here reads a file or a clock, and nothing here panics, whatever the bytes are.
//!
//! ```text
//! FORMATS ──Format::parser──▶ Parser ──parse──▶ Entry::Request   one request, in a Line
//!                                               Entry::Nothing   a comment or a heading
//!                                               Unreadable       why it is neither
//! ```
//!
//! Each format is a file of its own. To add one, write its file, declare it here, and name it in [`FORMATS`].

mod alb;
mod caddy;
mod cloudfront;
mod combined;
mod envoy;
mod envoy_json;
mod json;
mod kong;
mod line;
mod mapping;
mod pattern;
pub mod time;
mod traefik;
mod words;

pub use line::{Extra, Instant, Line, MAX_EXTRAS, Slot, Text, Unreadable};
pub use mapping::{Mapping, SLOTS};
pub use pattern::Pattern;

use json::JsonPlan;

/// A format of access logs.
pub struct Format {
    /// Its name, for `--format`.
    pub name: &'static str,
    /// What writes it.
    pub about: &'static str,
    /// Whether fields are named by paths of JSON.
    pub is_json: bool,
    /// Whether the path of a request comes without its query.
    pub without_query: bool,
    parser: fn(&Mapping) -> Result<Parser, String>,
}

impl Format {
    const fn new(
        name: &'static str,
        about: &'static str,
        parser: fn(&Mapping) -> Result<Parser, String>,
    ) -> Format {
        Format { name, about, is_json: false, without_query: false, parser }
    }

    const fn json(
        name: &'static str,
        about: &'static str,
        parser: fn(&Mapping) -> Result<Parser, String>,
    ) -> Format {
        Format { is_json: true, ..Format::new(name, about, parser) }
    }

    /// A parser of this format, which also reads the fields that the mapping names.
    ///
    /// # Errors
    /// A field that the format cannot have.
    pub fn parser(&self, mapping: &Mapping) -> Result<Parser, String> {
        (self.parser)(mapping)
    }
}

/// All formats, in the order in which they are tried.
pub const FORMATS: &[Format] = &[
    envoy_json::FORMAT,
    traefik::JSON,
    caddy::FORMAT,
    kong::FORMAT,
    cloudfront::FORMAT,
    alb::FORMAT,
    envoy::TOLLGATE,
    envoy::DEFAULT,
    envoy::ISTIO,
    traefik::CLF,
    combined::FORMAT,
];

/// Reads the lines of one format.
pub enum Parser {
    /// Lines written by a format string of Envoy.
    Pattern(Pattern),
    /// One JSON object a line.
    Json(JsonPlan),
    /// The common or the combined log format, and what follows it.
    Combined(combined::Combined),
    /// AWS Application Load Balancer.
    Alb(alb::Alb),
    /// AWS CloudFront.
    CloudFront(cloudfront::CloudFront),
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// One request.
    Request,
    /// Nothing that counts: a comment, a heading or an empty line.
    Nothing,
}

impl Parser {
    /// Whether lines of this format can say this.
    pub fn reads(&self, slot: Slot) -> bool {
        match self {
            Parser::Pattern(pattern) => pattern.reads(slot),
            Parser::Json(plan) => plan.reads(slot),
            Parser::Combined(combined) => combined.reads(slot),
            Parser::Alb(alb) => alb.reads(slot),
            Parser::CloudFront(cloudfront) => cloudfront.reads(slot),
        }
    }

    /// Reads a line, without its end, into `line`, which must be blank.
    ///
    /// # Errors
    /// Why it is no line of this format.
    pub fn parse<'a>(&mut self, bytes: &'a [u8], line: &mut Line<'a>) -> Result<Entry, Unreadable> {
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        if bytes.trim_ascii().is_empty() {
            return Ok(Entry::Nothing);
        }
        match self {
            Parser::Pattern(pattern) => pattern.parse(bytes, line)?,
            Parser::Json(plan) => plan.parse(bytes, line)?,
            Parser::Combined(combined) => combined.parse(bytes, line)?,
            Parser::Alb(alb) => alb.parse(bytes, line)?,
            Parser::CloudFront(cloudfront) => return cloudfront.parse(bytes, line),
        }
        Ok(Entry::Request)
    }
}

/// The format that reads most of these lines, the first of several. `None`: none reads any.
pub fn detect(lines: &[&[u8]], mapping: &Mapping) -> Option<&'static Format> {
    let read = |format: &Format| {
        let mut parser = format.parser(mapping).ok()?;
        let requests =
            lines.iter().filter(|line| parser.parse(line, &mut Line::default()) == Ok(Entry::Request));
        Some(requests.count()).filter(|count| *count > 0)
    };
    let mut best: Option<(usize, &Format)> = None;
    for (count, format) in FORMATS.iter().filter_map(|format| Some((read(format)?, format))) {
        if best.is_none_or(|(most, _)| count > most) {
            best = Some((count, format));
        }
    }
    best.map(|(_, format)| format)
}

#[cfg(test)]
mod tests;
