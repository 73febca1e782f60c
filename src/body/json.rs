//! JSON as a state machine: it follows the pointers, and steps over everything else.
//!
//! It knows exactly how deep it is, so no text of a model, and no object in another place, is taken for the one
//! that a pointer names.

use super::number::Number;
use super::pointers::{Candidates, Node, Pointers, Values};

/// A document, or several after each other, of which a part has been read. A list at the top counts as the
/// documents in it.
#[derive(Debug, Default)]
pub struct JsonReader {
    /// The objects and lists around this place. No pointer has more segments than this has entries.
    frames: Vec<Frame>,
    /// The node of the value that comes. `None`: nothing in it is wanted.
    next: Option<usize>,
    state: State,
}

#[derive(Debug)]
struct Frame {
    node: usize,
    /// In a list: the index of the element. `None`: it is an object.
    element: Option<usize>,
}

#[derive(Debug, Default)]
enum State {
    /// Before a value of a list or of a member, or before a document.
    #[default]
    Value,
    /// After the bracket that opens a list.
    FirstElement,
    /// After the brace that opens an object.
    FirstName,
    /// After a comma in an object.
    Name,
    /// In a name.
    InName(Name),
    /// After a name.
    Colon,
    /// After a value of an object or a list.
    After,
    /// In a number that is wanted.
    Number(Number),
    /// In another number, or in `true`, `false` or `null`.
    Word,
    /// In a value that is not wanted.
    Skipped(Skipped),
    /// It is no JSON.
    Broken,
}

/// A name of which a part has been read.
#[derive(Clone, Copy, Debug, Default)]
struct Name {
    candidates: Candidates,
    escape: Escape,
    /// The first half of a character that is written as two.
    high: Option<u16>,
}

#[derive(Clone, Copy, Debug, Default)]
enum Escape {
    #[default]
    None,
    /// After a backslash.
    Begun,
    /// After `\u`: how many digits, and their value.
    Unicode(u8, u16),
}

/// A value that is stepped over: a text, an object or a list.
#[derive(Clone, Copy, Debug, Default)]
struct Skipped {
    depth: u64,
    in_text: bool,
    escaped: bool,
}

impl JsonReader {
    /// How many places it keeps.
    #[cfg(test)]
    pub fn frames(&self) -> usize {
        self.frames.len()
    }

    /// Forgets what was read of a document.
    pub fn reset(&mut self) {
        self.frames.clear();
        self.state = State::Value;
    }

    /// Reads on.
    pub fn read(&mut self, mut bytes: &[u8], pointers: &Pointers, values: &mut Values) {
        while let Some((byte, rest)) = bytes.split_first() {
            bytes = match &mut self.state {
                State::Skipped(skipped) => {
                    let rest = skipped.read(bytes);
                    if skipped.is_over() {
                        self.end_value();
                    }
                    rest
                }
                State::InName(name) => {
                    let node = self.frames.last().and_then(|frame| pointers.node(frame.node));
                    let (rest, over) = name.read(bytes, node);
                    if over {
                        self.next = node.and_then(|node| name.candidates.whole(node));
                        self.state = State::Colon;
                    }
                    rest
                }
                State::Number(number) => {
                    if number.read(*byte) {
                        bytes = rest;
                        continue;
                    }
                    let wanted = self.next.and_then(|next| pointers.node(next)).and_then(Node::value);
                    if let (Some(value), Some(found)) = (wanted, number.billionths()) {
                        values.found(value, found);
                    }
                    self.end_value();
                    bytes
                }
                State::Word if byte.is_ascii_alphanumeric() || b"+-.".contains(byte) => rest,
                State::Word => {
                    self.end_value();
                    bytes
                }
                State::Broken => return,
                _ if b" \t\r\n".contains(byte) => rest,
                State::Value
                | State::FirstElement
                | State::FirstName
                | State::Name
                | State::Colon
                | State::After => {
                    self.punctuation(*byte, pointers);
                    rest
                }
            };
        }
    }

    /// Reads a byte between texts and numbers.
    fn punctuation(&mut self, byte: u8, pointers: &Pointers) {
        let in_list = self.frames.last().is_some_and(|frame| frame.element.is_some());
        match (&self.state, byte) {
            (State::FirstName | State::Name, b'"') => {
                let node = self.frames.last().and_then(|frame| pointers.node(frame.node));
                let candidates = node.map(Node::candidates).unwrap_or_default();
                self.state = State::InName(Name { candidates, ..Name::default() });
            }
            (State::FirstName, b'}') => self.close(),
            (State::After, b'}') if !in_list => self.close(),
            (State::FirstElement, b']') => self.close(),
            (State::After, b']') if in_list => self.close(),
            (State::After, b',') if in_list => {
                if let Some(Frame { element: Some(element), .. }) = self.frames.last_mut() {
                    *element = element.saturating_add(1);
                }
                self.before_element(pointers);
            }
            (State::After, b',') => self.state = State::Name,
            (State::Colon, b':') => self.state = State::Value,
            (State::Value | State::FirstElement, _) => self.begin_value(byte, pointers),
            _ => self.state = State::Broken,
        }
    }

    fn begin_value(&mut self, byte: u8, pointers: &Pointers) {
        let is_document = self.frames.is_empty();
        if is_document {
            self.next = Some(0);
        }
        let node = self.next.and_then(|next| pointers.node(next));
        let leads_on = node.is_some_and(Node::leads_on);
        self.state = match byte {
            b'{' if leads_on => {
                self.open(None);
                State::FirstName
            }
            b'[' if leads_on => {
                self.open(Some(0));
                self.before_element(pointers);
                State::FirstElement
            }
            b'{' | b'[' => State::Skipped(Skipped { depth: 1, ..Skipped::default() }),
            b'"' => State::Skipped(Skipped { in_text: true, ..Skipped::default() }),
            b'-' | b'0'..=b'9' if node.is_some_and(|node| node.value().is_some()) => {
                let mut number = Number::default();
                number.read(byte);
                State::Number(number)
            }
            b'-' | b'0'..=b'9' | b'a'..=b'z' => State::Word,
            _ => State::Broken,
        };
    }

    fn open(&mut self, element: Option<usize>) {
        if let Some(node) = self.next {
            self.frames.push(Frame { node, element });
        }
    }

    /// Before an element of a list: the elements of a list at the top are documents.
    fn before_element(&mut self, pointers: &Pointers) {
        let is_top = self.frames.len() == 1;
        self.state = State::Value;
        let Some(Frame { node, element: Some(element) }) = self.frames.last() else { return };
        self.next =
            if is_top { Some(*node) } else { pointers.node(*node).and_then(|node| node.element(*element)) };
    }

    fn close(&mut self) {
        self.frames.pop();
        self.end_value();
    }

    fn end_value(&mut self) {
        self.state = if self.frames.is_empty() { State::Value } else { State::After };
    }
}

impl Name {
    /// Reads on. Returns what is left, and whether the name has ended.
    fn read<'a>(&mut self, bytes: &'a [u8], node: Option<&Node>) -> (&'a [u8], bool) {
        // Nothing but its end matters of a name that leads nowhere.
        if self.candidates.is_empty() && matches!(self.escape, Escape::None) {
            let rest = bytes.get(first_of(bytes, b'"', b'\\')..).unwrap_or_default();
            return match rest.split_first() {
                Some((b'"', rest)) => (rest, true),
                Some((_, rest)) => {
                    self.escape = Escape::Begun;
                    (rest, false)
                }
                None => (rest, false),
            };
        }
        let (Some((byte, rest)), Some(node)) = (bytes.split_first(), node) else { return (&[], false) };
        match (self.escape, *byte) {
            (Escape::None, b'"') => {
                self.end_character();
                return (rest, true);
            }
            (Escape::None, b'\\') => self.escape = Escape::Begun,
            (Escape::None, byte) => self.byte(node, byte),
            (Escape::Begun, b'u') => self.escape = Escape::Unicode(0, 0),
            (Escape::Begun, byte) => {
                self.escape = Escape::None;
                self.byte(node, unescaped(byte));
            }
            (Escape::Unicode(digits, value), byte) => self.digit(node, digits, value, byte),
        }
        (rest, false)
    }

    fn byte(&mut self, node: &Node, byte: u8) {
        self.end_character();
        self.candidates.narrow(node, byte);
    }

    /// Half a character is none.
    fn end_character(&mut self) {
        if self.high.take().is_some() {
            self.candidates.rule_out();
        }
    }

    fn digit(&mut self, node: &Node, digits: u8, value: u16, byte: u8) {
        let Some(digit) = (byte as char).to_digit(16) else {
            self.escape = Escape::None;
            return self.candidates.rule_out();
        };
        let value = value << 4 | digit as u16;
        self.escape = if digits < 3 { Escape::Unicode(digits + 1, value) } else { Escape::None };
        if digits < 3 {
            return;
        }
        let character = match (self.high.take(), value) {
            (None, 0xD800..0xDC00) => {
                self.high = Some(value);
                return;
            }
            (None, value) => char::from_u32(value.into()),
            (Some(high), 0xDC00..0xE000) => {
                let (high, low) = (u32::from(high) - 0xD800, u32::from(value) - 0xDC00);
                char::from_u32(0x1_0000 + (high << 10 | low))
            }
            (Some(_), _) => None,
        };
        match character {
            Some(character) => {
                let mut bytes = [0; 4];
                character.encode_utf8(&mut bytes).bytes().for_each(|byte| self.candidates.narrow(node, byte));
            }
            None => self.candidates.rule_out(),
        }
    }
}

/// What a backslash and this byte stand for.
fn unescaped(byte: u8) -> u8 {
    match byte {
        b'b' => 0x08,
        b'f' => 0x0C,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        byte => byte,
    }
}

impl Skipped {
    fn is_over(&self) -> bool {
        self.depth == 0 && !self.in_text
    }

    /// Steps over as much as there is of it. Returns what is left.
    fn read<'a>(&mut self, mut bytes: &'a [u8]) -> &'a [u8] {
        while !self.is_over() {
            if self.in_text && !self.escaped {
                bytes = bytes.get(first_of(bytes, b'"', b'\\')..).unwrap_or_default();
            }
            let Some((byte, rest)) = bytes.split_first() else { break };
            bytes = rest;
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_text => self.escaped = true,
                b'"' => self.in_text = !self.in_text,
                b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
        bytes
    }
}

/// The place of the first of two bytes; the length if there is neither. It looks at eight bytes at a time: most
/// of a body is text.
pub fn first_of(bytes: &[u8], one: u8, other: u8) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let has_zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGH != 0;
    let (ones, others) = (ONES * u64::from(one), ONES * u64::from(other));
    let (words, _) = bytes.as_chunks::<8>();
    let without = words.iter().map(|word| u64::from_le_bytes(*word));
    let without = without.take_while(|word| !has_zero(word ^ ones) && !has_zero(word ^ others)).count();
    let rest = bytes.iter().skip(without.saturating_mul(8));
    without.saturating_mul(8) + rest.take_while(|byte| **byte != one && **byte != other).count()
}
