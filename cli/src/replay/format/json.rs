//! Logs with one JSON object a line. Only the fields that are asked for are looked at; all others are skipped
//! without a copy.

use super::line::{Line, Slot, Unreadable};
use super::mapping::Mapping;
use std::borrow::Cow;

/// Where in the object the fields are.
pub struct JsonPlan {
    root: Node,
    /// What a line must have to be of this format: the name of a field of the outermost object.
    mark: &'static str,
}

#[derive(Default)]
struct Node {
    name: Vec<u8>,
    slots: Vec<Slot>,
    children: Vec<Node>,
}

/// Where a format has the headers.
pub struct HeaderPlaces {
    /// What stands before a request header's name.
    pub request: &'static str,
    /// The same of response headers.
    pub response: &'static str,
}

impl JsonPlan {
    /// A plan with the fields of a format, each with its path such as `request.headers.host`, and those of the
    /// mapping, which come before them.
    pub fn new(
        mark: &'static str,
        fields: &[(Slot, &str)],
        headers: Option<HeaderPlaces>,
        mapping: &Mapping,
    ) -> JsonPlan {
        let mut root = Node::default();
        for (slot, path) in &mapping.fields {
            root.add(path, *slot);
        }
        let is_mapped = |slot: &Slot| mapping.fields.iter().any(|(mapped, _)| same(*mapped, *slot));
        for (slot, path) in fields.iter().filter(|(slot, _)| !is_mapped(slot)) {
            root.add(path, *slot);
        }
        if let Some(places) = headers {
            let header = |extra| Slot::Header(super::Text::Extra(extra));
            for (extra, name) in &mapping.headers {
                root.add(&format!("{}{name}", places.request), header(*extra));
            }
            for (extra, name) in &mapping.response_headers {
                root.add(&format!("{}{name}", places.response), header(*extra));
            }
        }
        // A mapping of one's own says enough.
        JsonPlan { root, mark: if mapping.fields.is_empty() { mark } else { "" } }
    }

    /// Whether a field says this.
    pub fn reads(&self, slot: Slot) -> bool {
        self.root.reads(slot)
    }

    /// Reads a line.
    ///
    /// # Errors
    /// It is no JSON object, or lacks what every request has.
    pub fn parse<'a>(&self, bytes: &'a [u8], line: &mut Line<'a>) -> Result<(), Unreadable> {
        let mut cursor = Cursor { rest: bytes };
        let mut marked = self.mark.is_empty();
        let mut see = |name: &[u8]| marked |= name == self.mark.as_bytes();
        cursor.object(&self.root, line, Some(&mut see))?;
        cursor.blanks();
        if !cursor.rest.is_empty() || !marked {
            return Err(Unreadable::Shape);
        }
        line.complete()
    }
}

/// Whether two slots say the same thing of a request.
fn same(one: Slot, other: Slot) -> bool {
    let is_time = |slot| matches!(slot, Slot::Start | Slot::End);
    let is_duration = |slot| matches!(slot, Slot::Duration(_));
    one == other
        || is_time(one) && is_time(other)
        || is_duration(one) && is_duration(other)
        || one.text().is_some() && one.text() == other.text()
}

impl Node {
    fn add(&mut self, path: &str, slot: Slot) {
        let Some((name, rest)) = path.split_once('.') else {
            return self.child(path).slots.push(slot);
        };
        self.child(name).add(rest, slot);
    }

    fn reads(&self, slot: Slot) -> bool {
        self.slots.iter().any(|own| same(*own, slot)) || self.children.iter().any(|child| child.reads(slot))
    }

    fn child(&mut self, name: &str) -> &mut Node {
        let place = self.children.iter().position(|child| child.name.eq_ignore_ascii_case(name.as_bytes()));
        let place = place.unwrap_or(self.children.len());
        if place == self.children.len() {
            self.children.push(Node { name: name.into(), ..Node::default() });
        }
        #[allow(clippy::indexing_slicing, reason = "it was found, or pushed, at this place")]
        &mut self.children[place]
    }

    /// Names of headers come in any case.
    fn find(&self, name: &[u8]) -> Option<&Node> {
        self.children
            .iter()
            .find(|child| child.name.len() == name.len() && child.name.eq_ignore_ascii_case(name))
    }
}

/// What is told each name of the outermost object.
type See<'s> = Option<&'s mut dyn FnMut(&[u8])>;

struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn blanks(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    fn peek(&self) -> Result<u8, Unreadable> {
        self.rest.first().copied().ok_or(Unreadable::Shape)
    }

    fn take(&mut self, byte: u8) -> Result<(), Unreadable> {
        let rest = self.rest.split_first().filter(|(first, _)| **first == byte);
        self.rest = rest.ok_or(Unreadable::Shape)?.1;
        Ok(())
    }

    /// Reads an object. It goes no deeper than the plan.
    fn object(&mut self, node: &Node, line: &mut Line<'a>, mut see: See<'_>) -> Result<(), Unreadable> {
        self.blanks();
        self.take(b'{')?;
        self.blanks();
        if self.peek()? == b'}' {
            return self.take(b'}');
        }
        loop {
            self.blanks();
            let name = self.string()?;
            if let Some(see) = &mut see {
                see(name);
            }
            self.blanks();
            self.take(b':')?;
            self.blanks();
            match node.find(name) {
                Some(child) => self.value(child, line)?,
                None => self.skip()?,
            }
            self.blanks();
            match self.peek()? {
                b',' => self.take(b',')?,
                _ => return self.take(b'}'),
            }
        }
    }

    fn value(&mut self, node: &Node, line: &mut Line<'a>) -> Result<(), Unreadable> {
        match self.peek()? {
            b'"' => {
                let text = unescaped(self.string()?)?;
                set(node, line, text)
            }
            b'{' if node.slots.contains(&Slot::Decision) => {
                let before = self.rest;
                self.skip()?;
                let object = before.get(..before.len() - self.rest.len()).unwrap_or_default();
                set(node, line, Cow::Borrowed(object))
            }
            b'{' if !node.children.is_empty() => self.object(node, line, None),
            b'[' if !node.slots.is_empty() => self.first_of_list(node, line),
            b'{' | b'[' => self.skip(),
            _ => match self.scalar()? {
                b"null" => Ok(()),
                text => set(node, line, Cow::Borrowed(text)),
            },
        }
    }

    /// Reads the first element of a list, and skips the others.
    fn first_of_list(&mut self, node: &Node, line: &mut Line<'a>) -> Result<(), Unreadable> {
        let mut inside = Cursor { rest: self.rest };
        self.skip()?;
        inside.take(b'[')?;
        inside.blanks();
        match inside.peek()? {
            b'"' => {
                let text = unescaped(inside.string()?)?;
                set(node, line, text)
            }
            _ => Ok(()),
        }
    }

    /// The inside of a string, with its escapes.
    fn string(&mut self) -> Result<&'a [u8], Unreadable> {
        self.take(b'"')?;
        let end = super::words::closing_quote(self.rest).ok_or(Unreadable::Shape)?;
        let (text, after) = self.rest.split_at(end);
        self.rest = after.get(1..).unwrap_or_default();
        Ok(text)
    }

    fn scalar(&mut self) -> Result<&'a [u8], Unreadable> {
        let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']') || byte.is_ascii_whitespace();
        let end = self.rest.iter().position(ends).filter(|end| *end > 0).ok_or(Unreadable::Shape)?;
        let (text, after) = self.rest.split_at(end);
        let is_scalar = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+');
        self.rest = after;
        text.iter().all(is_scalar).then_some(text).ok_or(Unreadable::Shape)
    }

    /// Skips a value, however deep it is, without recursion.
    fn skip(&mut self) -> Result<(), Unreadable> {
        let mut depth: usize = 0;
        loop {
            match self.peek()? {
                b'"' => {
                    self.string()?;
                }
                b'{' | b'[' => {
                    depth += 1;
                    self.rest = self.rest.get(1..).unwrap_or_default();
                    continue;
                }
                b'}' | b']' if depth > 0 => {
                    depth -= 1;
                    self.rest = self.rest.get(1..).unwrap_or_default();
                }
                b',' | b':' if depth > 0 => {
                    self.rest = self.rest.get(1..).unwrap_or_default();
                    continue;
                }
                byte if depth > 0 && byte.is_ascii_whitespace() => {
                    self.blanks();
                    continue;
                }
                _ => {
                    self.scalar()?;
                }
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }
}

fn set<'a>(node: &Node, line: &mut Line<'a>, text: Cow<'a, [u8]>) -> Result<(), Unreadable> {
    node.slots.iter().try_for_each(|slot| line.set(*slot, text.clone()))
}

/// The text of a string without its escapes.
fn unescaped(text: &[u8]) -> Result<Cow<'_, [u8]>, Unreadable> {
    if memchr::memchr(b'\\', text).is_none() {
        return Ok(Cow::Borrowed(text));
    }
    let quoted = [b"\"", text, b"\""].concat();
    let text: String = serde_json::from_slice(&quoted).map_err(|_| Unreadable::Shape)?;
    Ok(Cow::Owned(text.into_bytes()))
}
