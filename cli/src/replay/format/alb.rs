//! AWS Application Load Balancer. The time of a line is that of the response; the request's own stands near
//! the end.

use super::line::{Line, Slot, Text, Unreadable};
use super::mapping::Mapping;
use super::time::{self, Unit};
use super::words::{Word, Words};
use super::{Format, Parser};
use tollgate::time::Micros;

pub const FORMAT: Format =
    Format::new("alb", "AWS Application Load Balancer; fields are named by number, from 1", |mapping| {
        Alb::new(mapping).map(Parser::Alb)
    });

/// The fields, by number from 0, that are read.
pub struct Alb {
    more: Vec<(usize, Slot)>,
}

const TYPES: [&[u8]; 6] = [b"http", b"https", b"h2", b"grpcs", b"ws", b"wss"];

impl Alb {
    fn new(mapping: &Mapping) -> Result<Alb, String> {
        let more = mapping.fields.iter().map(|(slot, field)| {
            let number = field.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            Ok((number.ok_or_else(|| format!("{field} is no number of a field, from 1"))?, *slot))
        });
        Ok(Alb { more: more.collect::<Result<_, String>>()? })
    }

    /// Whether a field of the mapping says this.
    pub fn reads(&self, slot: Slot) -> bool {
        self.more.iter().any(|(_, said)| *said == slot)
    }

    /// Reads a line.
    ///
    /// # Errors
    /// It is none of this format, or no request.
    pub fn parse<'a>(&self, bytes: &'a [u8], line: &mut Line<'a>) -> Result<(), Unreadable> {
        let mut took: Option<Micros> = None;
        let mut number = 0;
        for word in Words::new(bytes) {
            match (number, word) {
                (0, Word::Bare(kind)) if TYPES.contains(&kind) => {}
                (0, _) => return Err(Unreadable::Shape),
                (1, _) => line.set(Slot::End, word.text())?,
                (3, _) => line.set_text(Text::Client, word.text()),
                // Until the target is reached, until it answers, and until the response is sent; -1 if it is not.
                (5..=7, _) => {
                    let part = time::length(&word.text(), Unit::Seconds);
                    took = part.map(|part| took.unwrap_or(0).saturating_add(part)).or(took);
                }
                (8, _) => line.set(Slot::Status, word.text())?,
                (10, _) => line.set(Slot::BytesIn, word.text())?,
                (11, _) => line.set(Slot::BytesOut, word.text())?,
                (12, Word::Quoted(_)) => line.set(Slot::Request, word.text())?,
                (12, Word::Bare(_)) => return Err(Unreadable::Shape),
                (13, _) => line.set_text(Text::UserAgent, word.text()),
                (21, _) if line.time.is_some() => set_start(line, &word.text()),
                (_, _) => {}
            }
            for (_, slot) in self.more.iter().filter(|(wanted, _)| *wanted == number) {
                line.set(*slot, word.text())?;
            }
            number += 1;
        }
        line.duration = line.duration.or(took);
        if number <= 12 { Err(Unreadable::Shape) } else { line.complete() }
    }
}

/// The request came then. What is no instant is ignored: older lines end before it.
fn set_start(line: &mut Line<'_>, text: &[u8]) {
    if let (Some(end), Some((start, _))) = (line.time, time::parse(text)) {
        line.duration = line.duration.or(end.checked_sub(start));
    }
}
