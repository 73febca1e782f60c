//! YAML, with each scalar taken for what Envoy takes it for.
//!
//! Envoy makes a `google.protobuf.Value` of its YAML by rules of its own, which are neither those of YAML 1.1 nor of
//! 1.2. Reading a policy by other rules than the filter's host would pass a file that the host makes something
//! else of: `quota: 010` is 8, `name: no` is false, `quota: 5.0` is a text. In one place this reader is kinder: of a name
//! that is there twice Envoy silently drops the first, here both are kept, and the compiler tells.

use super::{Document, Lines};
use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};
use std::borrow::Cow;
use std::collections::HashMap;
use tollgate::config::{Value, field_path};

/// Deeper trees are rejected: no policy needs them, and each level takes stack.
const DEEPEST: usize = 100;

/// Larger trees are rejected: a few aliases of aliases make more values than there is memory for.
const MOST_VALUES: usize = 1_000_000;

/// The first error of the text.
pub(super) struct NotYaml {
    pub line: usize,
    pub found: String,
}

type Result<T> = std::result::Result<T, NotYaml>;

/// A value and where it starts.
#[derive(Clone)]
struct Node {
    line: usize,
    shape: Shape,
}

#[derive(Clone)]
enum Shape {
    Leaf(Value),
    List(Vec<Node>),
    /// Each with the line of its name.
    Object(Vec<(usize, String, Node)>),
}

/// Reads the first document; a second one is a error, since nobody would read it.
pub(super) fn read(text: &str) -> Result<Document> {
    let mut builder = Builder { parser: Parser::new_from_str(text), anchors: HashMap::new(), values: 0 };
    let node = builder.document()?;
    let mut lines = Lines::default();
    lines.note(String::new(), node.line);
    let value = node.spread("", &mut lines);
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
                Err(NotYaml {
                    line: error.marker().line(),
                    found: format!("{} at column {column}", error.info()),
                })
            }
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    /// The value that begins with this event.
    fn node(&mut self, event: Event<'a>, span: &Span, depth: usize) -> Result<Node> {
        if depth > DEEPEST {
            return error(span, &format!("values nested deeper than {DEEPEST}"));
        }
        let (anchor, shape) = match event {
            Event::Alias(anchor) => return self.repeated(anchor, span),
            Event::Scalar(text, style, anchor, tag) => {
                (anchor, Shape::Leaf(scalar(text, style, tag.as_deref())))
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

    /// The value that an alias stands for; it is where the alias is, its parts are where they were written.
    fn repeated(&mut self, anchor: usize, span: &Span) -> Result<Node> {
        let Some(node) = self.anchors.get(&anchor).cloned() else {
            return error(span, "an alias of a value that it is a part of");
        };
        self.count(node.values(), span)?;
        Ok(Node { line: span.start.line(), ..node })
    }

    fn count(&mut self, values: usize, span: &Span) -> Result<()> {
        self.values += values;
        if self.values > MOST_VALUES {
            return error(span, &format!("more than {MOST_VALUES} values, with aliases followed"));
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
            // So Envoy lets a file keep what only aliases are for.
            let ignored = matches!(&event, Event::Scalar(_, _, _, Some(tag)) if is_ignore(tag));
            let name = self.name(event, &span, depth)?;
            let (event, value) = self.next()?;
            let value = self.node(event, &value, depth + 1)?;
            if !ignored {
                fields.push((span.start.line(), name, value));
            }
        }
    }

    /// A field's name, as it is written: Envoy reads no numbers or flags there.
    fn name(&mut self, event: Event<'a>, span: &Span, depth: usize) -> Result<String> {
        if let Event::Scalar(text, style, anchor, tag) = &event
            && *anchor == 0
        {
            let null = scalar(text.clone(), *style, tag.as_deref()) == Value::Null;
            return Ok(if null { "null".into() } else { text.to_string() });
        }
        match self.node(event, span, depth + 1)?.shape {
            Shape::Leaf(Value::Text(text)) => Ok(text),
            Shape::Leaf(_) | Shape::List(_) | Shape::Object(_) => {
                error(span, "a name of a field that is not a text")
            }
        }
    }
}

impl Node {
    fn values(&self) -> usize {
        let parts: usize = match &self.shape {
            Shape::Leaf(_) => 0,
            Shape::List(entries) => entries.iter().map(Node::values).sum(),
            Shape::Object(fields) => fields.iter().map(|(_, _, value)| value.values()).sum(),
        };
        parts + 1
    }

    /// The plain value, with all its parts' lines noted.
    fn spread(self, path: &str, lines: &mut Lines) -> Value {
        match self.shape {
            Shape::Leaf(value) => value,
            Shape::List(entries) => {
                let entry = |(i, node): (usize, Node)| {
                    let path = format!("{path}[{i}]");
                    lines.note(path.clone(), node.line);
                    node.spread(&path, lines)
                };
                Value::List(entries.into_iter().enumerate().map(entry).collect())
            }
            Shape::Object(fields) => {
                let field = |(line, name, node): (usize, String, Node)| {
                    let path = field_path(path, &name);
                    lines.note(path.clone(), line);
                    let value = node.spread(&path, lines);
                    (name, value)
                };
                Value::Object(fields.into_iter().map(field).collect())
            }
        }
    }
}

fn error<T>(span: &Span, found: &str) -> Result<T> {
    Err(NotYaml { line: span.start.line(), found: found.into() })
}

fn is_ignore(tag: &Tag) -> bool {
    tag.handle == "!" && tag.suffix == "ignore"
}

/// What Envoy takes a scalar for.
fn scalar(text: Cow<'_, str>, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    // An explicit tag other than `!` changes nothing, not even for a text in quotes.
    let text_for_sure = match tag {
        Some(tag) => tag.handle.is_empty() && tag.suffix == "!" || tag.handle == "!" && tag.suffix.is_empty(),
        None => style != ScalarStyle::Plain,
    };
    if text_for_sure {
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

/// Small, large, or with a large first letter; `tRue` is a text.
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

/// As C reads it: decimal, octal behind 0, hexadecimal behind 0x.
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
    // Or the number's own sign would be taken for a second one.
    let plain = digits.chars().all(|c| c.is_ascii_hexdigit());
    if plain { i64::from_str_radix(&format!("{sign}{digits}"), radix).ok() } else { None }
}

#[cfg(test)]
mod tests;
