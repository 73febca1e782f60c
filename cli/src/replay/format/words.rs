//! The words of text formats: separated by blanks, or between quotation marks.

use std::borrow::Cow;

/// The words of a line.
pub struct Words<'a> {
    rest: &'a [u8],
}

/// One word.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Word<'a> {
    /// It stands bare.
    Bare(&'a [u8]),
    /// It stands between quotation marks, which are not part of it.
    Quoted(&'a [u8]),
}

impl<'a> Word<'a> {
    /// Its bytes, without escapes.
    pub fn text(self) -> Cow<'a, [u8]> {
        match self {
            Word::Bare(text) => Cow::Borrowed(text),
            Word::Quoted(text) => unescaped(Cow::Borrowed(text)),
        }
    }
}

impl<'a> Words<'a> {
    pub fn new(line: &'a [u8]) -> Words<'a> {
        Words { rest: line }
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = Word<'a>;

    fn next(&mut self) -> Option<Word<'a>> {
        let rest = self.rest.trim_ascii_start();
        if rest.is_empty() {
            self.rest = rest;
            return None;
        }
        let (word, after) = match rest.strip_prefix(b"\"") {
            Some(quoted) => {
                let end = closing_quote(quoted).unwrap_or(quoted.len());
                (Word::Quoted(quoted.get(..end)?), quoted.get(end + 1..).unwrap_or_default())
            }
            None => {
                let end = memchr::memchr(b' ', rest).unwrap_or(rest.len());
                (Word::Bare(rest.get(..end)?), rest.get(end..).unwrap_or_default())
            }
        };
        self.rest = after;
        Some(word)
    }
}

/// Where the next quotation mark is that is not escaped.
pub fn closing_quote(text: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + memchr::memchr2(b'"', b'\\', text.get(from..)?)?;
        if text.get(at) == Some(&b'"') {
            return Some(at);
        }
        from = at + 2;
    }
}

/// The text without the escapes of nginx and Apache: `\x22`, `\"`, `\\`.
pub fn unescaped(text: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', &text).is_none() {
        return text;
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest: &[u8] = &text;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after) {
            (b'\\', [b'x', high, low, after @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    out.push(high * 16 + low);
                    rest = after;
                }
                (_, _) => out.push(b'\\'),
            },
            (b'\\', [b'n', after @ ..]) => (out.push(b'\n'), rest = after).0,
            (b'\\', [b't', after @ ..]) => (out.push(b'\t'), rest = after).0,
            (b'\\', [b'r', after @ ..]) => (out.push(b'\r'), rest = after).0,
            (b'\\', [escaped @ (b'"' | b'\\'), after @ ..]) => {
                out.push(*escaped);
                rest = after;
            }
            (byte, _) => out.push(*byte),
        }
    }
    Cow::Owned(out)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
