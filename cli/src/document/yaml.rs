//! YAML, with scalars read as Envoy reads them.
//!
//! Envoy converts YAML to `google.protobuf.Value` by rules of its own, which are neither those of YAML 1.1
//! nor of 1.2: `quota: 010` is 8, `name: no` is false, `quota: 5.0` is text. A reader with other rules would
//! approve files that the filter gets differently. There is one difference: if a name is repeated, Envoy
//! silently drops the first value, while this reader keeps both, so that the compiler reports it.

use super::{Document, LineMap};
use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};
use std::borrow::Cow;
use std::collections::HashMap;
use tollgate::config::{Value, field_path};

/// Deeper trees are rejected: no policy needs them, and each level takes stack space.
const MAX_DEPTH: usize = 100;

/// Larger trees are rejected: a few aliases of aliases can stand for more values than fit into memory.
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
    Leaf(Value),
    /// A flag or a number, and the word that stands for it, such as `no` or `010`.
    Word(Value, String),
    List(Vec<Node>),
    /// Line of the name, name, value.
    Object(Vec<(usize, String, Node)>),
}

/// Reads a document. A second one is an error, since Envoy would not read it.
pub(super) fn read(text: &str) -> Result<Document> {
    let mut builder = Builder { parser: Parser::new_from_str(text), anchors: HashMap::new(), values: 0 };
    let node = builder.document()?;
    let mut lines = LineMap::default();
    lines.add(String::new(), node.line);
    let value = node.into_value("", &mut lines);
    Ok(Document { value, lines })
}

struct Builder<'a> {
    parser: Parser<'a, StrInput<'a>>,
    anchors: HashMap<usize, Node>,
    values: usize,
}

impl<'a> Builder<'a> {
    fn document(&mut self) -> Result<Node> {
        let mut document = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
                Event::StreamEnd => break,
                Event::Alias(_)
                | Event::Scalar(..)
                | Event::SequenceStart(..)
                | Event::MappingStart(..)
                | Event::SequenceEnd
                | Event::MappingEnd => {
                    if document.is_some() {
                        return error(&span, "a second document, which Envoy would not read");
                    }
                    document = Some(self.node(event, &span, 0)?);
                }
            }
        }
        Ok(document.unwrap_or(Node { line: 1, shape: Shape::Leaf(Value::Null) }))
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
                let value = scalar(text.clone(), style, tag.as_deref());
                let is_word = matches!(value, Value::Bool(_) | Value::Number(_));
                let shape = if is_word { Shape::Word(value, text.into_owned()) } else { Shape::Leaf(value) };
                (anchor, shape)
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
        self.count(1, span)?;
        let node = Node { line: span.start.line(), shape };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    /// The value that an alias stands for. Its line is that of the alias, its parts keep their own.
    fn aliased(&mut self, anchor: usize, span: &Span) -> Result<Node> {
        let Some(node) = self.anchors.get(&anchor).cloned() else {
            return error(span, "an alias inside the value that it stands for");
        };
        self.count(node.values(), span)?;
        Ok(Node { line: span.start.line(), ..node })
    }

    fn count(&mut self, values: usize, span: &Span) -> Result<()> {
        self.values += values;
        if self.values > MAX_VALUES {
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
            let null = scalar(text.clone(), *style, tag.as_deref()) == Value::Null;
            return Ok(if null { "null".into() } else { text.to_string() });
        }
        match self.node(event, span, depth + 1)?.shape {
            Shape::Leaf(Value::Text(text)) => Ok(text),
            Shape::Leaf(_) | Shape::Word(..) | Shape::List(_) | Shape::Object(_) => {
                error(span, "a field name that is not text")
            }
        }
    }
}

impl Node {
    fn values(&self) -> usize {
        let parts: usize = match &self.shape {
            Shape::Leaf(_) | Shape::Word(..) => 0,
            Shape::List(entries) => entries.iter().map(Node::values).sum(),
            Shape::Object(fields) => fields.iter().map(|(_, _, value)| value.values()).sum(),
        };
        parts + 1
    }

    /// The value itself. The lines of all its parts are added to `lines`.
    fn into_value(self, path: &str, lines: &mut LineMap) -> Value {
        match self.shape {
            Shape::Leaf(value) => value,
            Shape::Word(value, word) => {
                lines.add_word(path.into(), word);
                value
            }
            Shape::List(entries) => {
                let entry = |(i, node): (usize, Node)| {
                    let path = format!("{path}[{i}]");
                    lines.add(path.clone(), node.line);
                    node.into_value(&path, lines)
                };
                Value::List(entries.into_iter().enumerate().map(entry).collect())
            }
            Shape::Object(fields) => {
                let field = |(line, name, node): (usize, String, Node)| {
                    let path = field_path(path, &name);
                    lines.add(path.clone(), line);
                    let value = node.into_value(&path, lines);
                    (name, value)
                };
                Value::Object(fields.into_iter().map(field).collect())
            }
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
fn scalar(text: Cow<'_, str>, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    // With any other tag Envoy converts even quoted text.
    let is_text = match tag {
        Some(tag) => tag.handle.is_empty() && tag.suffix == "!" || tag.handle == "!" && tag.suffix.is_empty(),
        None => style != ScalarStyle::Plain,
    };
    if is_text {
        return Value::Text(text.into_owned());
    }
    if tag.is_none() && matches!(text.as_ref(), "" | "~" | "null" | "Null" | "NULL") {
        return Value::Null;
    }
    if let Some(flag) = flag(&text) {
        return Value::Bool(flag);
    }
    match whole_number(&text) {
        Some(number) if i32::try_from(number).is_ok() => Value::Number(number as f64),
        Some(number) => Value::Text(number.to_string()),
        None => Value::Text(text.into_owned()),
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
