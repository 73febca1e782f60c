//! YAML, with scalars read as Envoy reads them, or as Kubernetes does.
//!
//! Envoy converts YAML to `google.protobuf.Value` by rules of its own, which are neither those of YAML 1.1
//! nor of 1.2: `quota: 010` is 8, `name: no` is false, `quota: 5.0` is text. A reader with other rules would
//! approve files that the filter gets differently. There is one difference: if a name is repeated, Envoy
//! silently drops the first value, while this reader keeps both, so that the compiler reports it.

use super::kubernetes;
use super::{Document, LineMap};
use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};
use std::collections::HashMap;
use tollgate::config::{Value, field_path};

/// Deeper trees are rejected: no policy needs them, and each level takes stack space.
const MAX_DEPTH: usize = 100;

/// Larger trees are rejected: a few aliases of aliases can stand for more values than fit into memory. A stream
/// of documents may have as many values in each, and as many in all that anchors and aliases stand for.
const MAX_VALUES: usize = 1_000_000;

/// The first error in a text.
pub(super) struct YamlError {
    pub line: usize,
    pub found: String,
}

type Result<T> = std::result::Result<T, YamlError>;

/// A value, and the line where it starts.
#[derive(Clone)]
struct Node {
    line: usize,
    shape: Shape,
}

#[derive(Clone)]
enum Shape {
    Null,
    Scalar(Scalar),
    List(Vec<Node>),
    /// Line of the name, name, value.
    Object(Vec<(usize, String, Node)>),
}

/// A scalar as it is written.
#[derive(Clone)]
struct Scalar {
    text: String,
    style: ScalarStyle,
    tag: Option<Box<Tag>>,
    /// The line of its text's first line, if it is a block whose lines are kept.
    block: Option<usize>,
}

/// Whose rules decide what a scalar is.
#[derive(Clone, Copy, PartialEq)]
enum Reader {
    Envoy,
    /// Kubernetes converts YAML to JSON before anybody reads it.
    Kubernetes,
}

/// Reads a document. A second one is an error, since Envoy would not read it.
pub(super) fn read(text: &str) -> Result<Document> {
    let mut documents = Documents::new(text);
    let first = documents.next();
    if let Some(second) = documents.next() {
        let line = second?.lines.of("").unwrap_or_default();
        return Err(YamlError { line, found: SECOND_DOCUMENT.into() });
    }
    first.unwrap_or_else(|| Ok(document(Node { line: 1, shape: Shape::Null })))
}

/// What is wrong with a document after the first one.
pub(super) const SECOND_DOCUMENT: &str = "a second document, which Envoy would not read";

/// The documents of a stream, up to the first error.
pub(super) struct Documents<'a>(Option<Builder<'a>>);

impl<'a> Documents<'a> {
    pub fn new(text: &'a str) -> Documents<'a> {
        let parser = Parser::new_from_str(text);
        Documents(Some(Builder { parser, anchors: HashMap::new(), values: 0, repeated: 0 }))
    }
}

impl Iterator for Documents<'_> {
    type Item = Result<Document>;

    fn next(&mut self) -> Option<Result<Document>> {
        let node = self.0.as_mut()?.document();
        match node {
            Ok(Some(node)) => Some(Ok(document(node))),
            Ok(None) => {
                self.0 = None;
                None
            }
            Err(error) => {
                self.0 = None;
                Some(Err(error))
            }
        }
    }
}

fn document(node: Node) -> Document {
    let has = |name: &str| match &node.shape {
        Shape::Object(fields) => fields.iter().any(|(_, own, _)| own == name),
        Shape::Null | Shape::Scalar(_) | Shape::List(_) => false,
    };
    let reader = if has("apiVersion") && has("kind") { Reader::Kubernetes } else { Reader::Envoy };
    let mut lines = LineMap::default();
    lines.add(String::new(), node.line);
    let value = node.into_value("", reader, &mut lines);
    Document { value, lines }
}

struct Builder<'a> {
    parser: Parser<'a, StrInput<'a>>,
    anchors: HashMap<usize, Node>,
    /// The values of this document.
    values: usize,
    /// The values that anchors and aliases of all documents stand for.
    repeated: usize,
}

impl<'a> Builder<'a> {
    /// The next document. `None`: the stream has ended.
    fn document(&mut self) -> Result<Option<Node>> {
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
                Event::StreamEnd => return Ok(None),
                Event::Alias(_)
                | Event::Scalar(..)
                | Event::SequenceStart(..)
                | Event::MappingStart(..)
                | Event::SequenceEnd
                | Event::MappingEnd => {
                    self.anchors.clear();
                    self.values = 0;
                    return self.node(event, &span, 0).map(Some);
                }
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'a>, Span)> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => {
                let column = error.marker().col() + 1;
                Err(YamlError {
                    line: error.marker().line(),
                    found: format!("{} at column {column}", error.info()),
                })
            }
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    /// The value that starts with this event.
    fn node(&mut self, event: Event<'a>, span: &Span, depth: usize) -> Result<Node> {
        if depth > MAX_DEPTH {
            return error(span, &format!("values nested deeper than {MAX_DEPTH}"));
        }
        let (anchor, shape) = match event {
            Event::Alias(anchor) => return self.aliased(anchor, span),
            Event::Scalar(text, style, anchor, tag) => {
                let block = (style == ScalarStyle::Literal).then_some(span.start.line());
                let tag = tag.map(|tag| Box::new(tag.into_owned()));
                (anchor, Shape::Scalar(Scalar { text: text.into_owned(), style, tag, block }))
            }
            Event::SequenceStart(anchor, _) => (anchor, Shape::List(self.list(depth)?)),
            Event::MappingStart(anchor, _) => (anchor, Shape::Object(self.object(depth)?)),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::SequenceEnd
            | Event::MappingEnd => return error(span, "an end where a value should be"),
        };
        self.values += 1;
        if self.values > MAX_VALUES {
            return error(span, &format!("more than {MAX_VALUES} values"));
        }
        let node = Node { line: span.start.line(), shape };
        if anchor != 0 {
            self.repeat(&node, span)?;
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    /// The value that an alias stands for. Its line is that of the alias, its parts keep their own.
    fn aliased(&mut self, anchor: usize, span: &Span) -> Result<Node> {
        let Some(node) = self.anchors.get(&anchor).cloned() else {
            return error(span, "an alias inside the value that it stands for");
        };
        self.repeat(&node, span)?;
        Ok(Node { line: span.start.line(), ..node })
    }

    /// Counts the values of a node of which there is a copy.
    fn repeat(&mut self, node: &Node, span: &Span) -> Result<()> {
        self.repeated += node.values();
        if self.repeated > MAX_VALUES {
            return error(span, &format!("more than {MAX_VALUES} values, with aliases followed"));
        }
        Ok(())
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>> {
        let mut entries = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(entries);
            }
            entries.push(self.node(event, &span, depth + 1)?);
        }
    }

    fn object(&mut self, depth: usize) -> Result<Vec<(usize, String, Node)>> {
        let mut fields = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                return Ok(fields);
            }
            // Envoy drops fields with this tag: they hold values for aliases only.
            let ignored = matches!(&event, Event::Scalar(_, _, _, Some(tag)) if is_ignore(tag));
            let name = self.name(event, &span, depth)?;
            let (event, value) = self.next()?;
            let value = self.node(event, &value, depth + 1)?;
            if !ignored {
                fields.push((span.start.line(), name, value));
            }
        }
    }

    /// The name of a field, as it is written: Envoy does not convert names to numbers or flags.
    fn name(&mut self, event: Event<'a>, span: &Span, depth: usize) -> Result<String> {
        if let Event::Scalar(text, style, anchor, tag) = &event
            && *anchor == 0
        {
            let null = scalar(text, *style, tag.as_deref()) == Value::Null;
            return Ok(if null { "null".into() } else { text.to_string() });
        }
        if let Shape::Scalar(name) = self.node(event, span, depth + 1)?.shape
            && let Value::Text(text) = name.value(Reader::Envoy)
        {
            return Ok(text);
        }
        error(span, "a field name that is not text")
    }
}

impl Node {
    fn values(&self) -> usize {
        let parts: usize = match &self.shape {
            Shape::Null | Shape::Scalar(_) => 0,
            Shape::List(entries) => entries.iter().map(Node::values).sum(),
            Shape::Object(fields) => fields.iter().map(|(_, _, value)| value.values()).sum(),
        };
        parts + 1
    }

    /// The value itself. The lines of all its parts are added to `lines`.
    fn into_value(self, path: &str, reader: Reader, lines: &mut LineMap) -> Value {
        match self.shape {
            Shape::Null => Value::Null,
            Shape::Scalar(scalar) => {
                let value = scalar.value(reader);
                if let Some(line) = scalar.block {
                    lines.add_block(path, line);
                }
                if matches!(value, Value::Bool(_) | Value::Number(_)) {
                    lines.add_word(path, scalar.text);
                }
                value
            }
            Shape::List(entries) => {
                let entry = |(i, node): (usize, Node)| {
                    let path = lines.path_below(path, "", || format!("{path}[{i}]"));
                    lines.add(path.clone(), node.line);
                    node.into_value(&path, reader, lines)
                };
                Value::List(entries.into_iter().enumerate().map(entry).collect())
            }
            Shape::Object(fields) => {
                let field = |(line, name, node): (usize, String, Node)| {
                    let path = lines.path_below(path, &name, || field_path(path, &name));
                    lines.add(path.clone(), line);
                    let value = node.into_value(&path, reader, lines);
                    (name, value)
                };
                let fields = fields.into_iter().map(field).collect();
                Value::Object(if reader == Reader::Kubernetes { kubernetes::merged(fields) } else { fields })
            }
        }
    }
}

impl Scalar {
    fn value(&self, reader: Reader) -> Value {
        match reader {
            Reader::Envoy => scalar(&self.text, self.style, self.tag.as_deref()),
            Reader::Kubernetes => kubernetes::scalar(&self.text, self.style, self.tag.as_deref()),
        }
    }
}

fn error<T>(span: &Span, found: &str) -> Result<T> {
    Err(YamlError { line: span.start.line(), found: found.into() })
}

fn is_ignore(tag: &Tag) -> bool {
    tag.handle == "!" && tag.suffix == "ignore"
}

/// The value that Envoy takes a scalar for.
fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    // With any other tag Envoy converts even quoted text.
    let is_text = match tag {
        Some(tag) => tag.handle.is_empty() && tag.suffix == "!" || tag.handle == "!" && tag.suffix.is_empty(),
        None => style != ScalarStyle::Plain,
    };
    if is_text {
        return Value::Text(text.into());
    }
    if tag.is_none() && matches!(text, "" | "~" | "null" | "Null" | "NULL") {
        return Value::Null;
    }
    if let Some(flag) = flag(text) {
        return Value::Bool(flag);
    }
    match whole_number(text) {
        Some(number) if i32::try_from(number).is_ok() => Value::Number(number as f64),
        Some(number) => Value::Text(number.to_string()),
        None => Value::Text(text.into()),
    }
}

/// A flag in lower case, in upper case, or capitalized; `tRue` is text.
fn flag(text: &str) -> Option<bool> {
    let small = text.to_ascii_lowercase();
    let large = text.chars().all(|c| c.is_ascii_uppercase());
    let rest_small = text.chars().skip(1).all(|c| c.is_ascii_lowercase());
    if !large && !rest_small {
        return None;
    }
    match small.as_str() {
        "y" | "yes" | "true" | "on" => Some(true),
        "n" | "no" | "false" | "off" => Some(false),
        _ => None,
    }
}

/// A whole number as in C: decimal, octal after `0`, hexadecimal after `0x`.
fn whole_number(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) => (text.get(..1)?, digits),
        None => ("", text),
    };
    let (digits, radix) =
        if let Some(digits) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
            (digits, 16)
        } else if digits.len() > 1 && digits.starts_with('0') {
            (digits, 8)
        } else {
            (digits, 10)
        };
    // `from_str_radix` would accept a second sign.
    let plain = digits.chars().all(|c| c.is_ascii_hexdigit());
    if plain { i64::from_str_radix(&format!("{sign}{digits}"), radix).ok() } else { None }
}

#[cfg(test)]
mod tests;
