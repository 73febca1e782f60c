//! Lines that a format string of Envoy writes.
//!
//! Envoy does not escape what clients send, so a client may put the text into a header that separates the
//! fields. A line is therefore divided twice, from its beginning and from its end, and counts only if both
//! agree: no client can choose what the line says.

use super::line::{Line, Slot, Text, Unreadable};
use super::mapping::Mapping;
use super::time::Unit;
use std::borrow::Cow;

/// A format string, divided.
pub struct Pattern {
    /// What stands before the first field.
    before: Vec<u8>,
    /// Each field, and what stands behind it. `None`: nobody asks for it.
    fields: Vec<(Option<Slot>, Vec<u8>)>,
}

/// More than any sensible format string has.
const MAX_FIELDS: usize = 64;

impl Pattern {
    /// Divides a format string.
    ///
    /// # Errors
    /// It has no field, or two of them without anything between them.
    pub fn new(format: &str, mapping: &Mapping) -> Result<Pattern, String> {
        let format = format.trim_end_matches('\n').trim_end_matches("\\n");
        let mut parts = format.split('%');
        let before = parts.next().unwrap_or_default();
        let mut fields = Vec::new();
        while let Some(operator) = parts.next() {
            let behind = parts.next().ok_or_else(|| format!("%{operator} has no % at its end"))?;
            fields.push((slot_of(operator, mapping), behind.as_bytes().to_vec()));
        }
        let inner = fields.iter().rev().skip(1);
        if inner.clone().any(|(_, behind)| behind.is_empty()) {
            return Err("two fields of the format string have nothing between them".into());
        }
        if fields.is_empty() || fields.len() > MAX_FIELDS {
            return Err(format!("a format string has 1 to {MAX_FIELDS} fields, such as %START_TIME%"));
        }
        Ok(Pattern { before: before.into(), fields })
    }

    /// Whether a field says this.
    pub fn reads(&self, slot: Slot) -> bool {
        self.fields.iter().any(|(said, _)| *said == Some(slot))
    }

    /// Reads a line.
    ///
    /// # Errors
    /// The string has not written it, or a client's text makes it ambiguous.
    pub fn parse<'a>(&self, bytes: &'a [u8], line: &mut Line<'a>) -> Result<(), Unreadable> {
        let bytes = bytes.strip_prefix(self.before.as_slice()).ok_or(Unreadable::Shape)?;
        let mut ends = [0_usize; MAX_FIELDS];
        self.divide_backwards(bytes, &mut ends)?;
        let mut start = 0;
        for ((slot, behind), expected) in self.fields.iter().zip(ends) {
            let rest = bytes.get(start..).ok_or(Unreadable::Ambiguous)?;
            let end = match behind.is_empty() {
                true => bytes.len(),
                false => start + memchr::memmem::find(rest, behind).ok_or(Unreadable::Shape)?,
            };
            if end != expected {
                return Err(Unreadable::Ambiguous);
            }
            if let Some(slot) = slot {
                line.set(*slot, Cow::Borrowed(bytes.get(start..end).unwrap_or_default()))?;
            }
            start = end + behind.len();
        }
        if start != bytes.len() {
            return Err(Unreadable::Ambiguous);
        }
        line.complete()
    }

    /// Where each field ends if the line is divided from its end.
    fn divide_backwards(&self, bytes: &[u8], ends: &mut [usize; MAX_FIELDS]) -> Result<(), Unreadable> {
        let mut rest = bytes.len();
        let mut is_last = true;
        for ((_, behind), end) in self.fields.iter().zip(ends.iter_mut()).rev() {
            let before = bytes.get(..rest).ok_or(Unreadable::Shape)?;
            *end = match (is_last, behind.is_empty()) {
                (_, true) => rest,
                (true, false) => before.strip_suffix(behind.as_slice()).ok_or(Unreadable::Shape)?.len(),
                (false, false) => memchr::memmem::rfind(before, behind).ok_or(Unreadable::Shape)?,
            };
            rest = *end;
            is_last = false;
        }
        Ok(())
    }
}

/// What an operator of Envoy says, such as `REQ(:METHOD)`.
fn slot_of(operator: &str, mapping: &Mapping) -> Option<Slot> {
    let operator = operator.trim();
    if let Some(slot) = mapping.slot_of(operator) {
        return Some(slot);
    }
    let (name, argument) = match operator.split_once('(') {
        Some((name, rest)) => (name, rest.rsplit_once(')').map_or(rest, |(argument, _)| argument)),
        None => (operator, ""),
    };
    let text = |text| Some(Slot::Text(text));
    let upper = argument.to_ascii_uppercase();
    match (name, upper.as_str()) {
        ("START_TIME" | "START_TIME_LOCAL", _) => Some(Slot::Start),
        ("DURATION", _) => Some(Slot::Duration(Unit::Millis)),
        ("RESPONSE_CODE", _) => Some(Slot::Status),
        ("RESPONSE_CODE_DETAILS", _) => text(Text::Details),
        ("RESPONSE_FLAGS", _) => text(Text::Flags),
        ("BYTES_RECEIVED", _) => Some(Slot::BytesIn),
        ("BYTES_SENT", _) => Some(Slot::BytesOut),
        ("ROUTE_NAME", _) => text(Text::Route),
        ("DOWNSTREAM_REMOTE_ADDRESS" | "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", _) => text(Text::Client),
        ("REQUEST_METHOD", _) | ("REQ", ":METHOD") => text(Text::Method),
        ("PATH", _) | ("REQ", ":PATH" | "X-ENVOY-ORIGINAL-PATH?:PATH") => text(Text::Path),
        ("REQ", ":AUTHORITY" | "HOST") => text(Text::Host),
        ("REQ", "USER-AGENT") => text(Text::UserAgent),
        ("REQ", "REFERER") => text(Text::Referer),
        ("REQ", "X-FORWARDED-FOR") => text(Text::Forwarded),
        ("REQ", _) => header(&mapping.headers, argument),
        ("RESP" | "TRAILER", _) => header(&mapping.response_headers, argument),
        ("FILTER_STATE", _) if argument.starts_with("wasm.tollgate") => Some(Slot::Decision),
        (_, _) => None,
    }
}

/// A header that policies ask for.
fn header(asked: &[(super::Extra, String)], name: &str) -> Option<Slot> {
    let (extra, _) = asked.iter().find(|(_, asked)| asked.eq_ignore_ascii_case(name))?;
    Some(Slot::Text(Text::Extra(*extra)))
}
