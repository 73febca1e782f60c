//! The messages' encoding: protobuf's, as far as they need it, which is varints and length-delimited fields.
//! Fields that a reader does not know are skipped, so neighbouring versions understand each other.

use crate::varint;
use crate::wire::{WireContent, WireFields};

/// Bytes that are no message of this protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// Appends fields to a message.
#[derive(Default)]
pub(super) struct Writer {
    bytes: Vec<u8>,
}

const VARINT: u64 = 0;
const DELIMITED: u64 = 2;

impl Writer {
    /// Appends a number, unless it is 0, which is what readers take an absent field for.
    #[inline(never)]
    pub fn number(&mut self, field: u64, value: u64) {
        if value != 0 {
            varint::write(&mut self.bytes, field << 3 | VARINT);
            varint::write(&mut self.bytes, value);
        }
    }

    /// Appends bytes.
    #[inline(never)]
    pub fn bytes(&mut self, field: u64, value: &[u8]) {
        varint::write(&mut self.bytes, field << 3 | DELIMITED);
        varint::write(&mut self.bytes, value.len() as u64);
        self.bytes.extend_from_slice(value);
    }

    /// Appends a message inside this one.
    pub fn message(&mut self, field: u64, write: impl FnOnce(&mut Writer)) {
        let mut inner = Writer::default();
        write(&mut inner);
        self.bytes(field, &inner.bytes);
    }

    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// The fields of a message, in their order on the wire.
pub(super) struct Fields<'a>(WireFields<'a>);

/// A field's number and content.
pub(super) struct Field<'a> {
    pub number: u64,
    pub content: Content<'a>,
}

pub(super) struct Content<'a>(WireContent<'a>);

impl<'a> Content<'a> {
    pub fn number(&self) -> Result<u64, Malformed> {
        match self.0 {
            WireContent::Varint(number) => Ok(number),
            WireContent::Bytes(_) | WireContent::Double(_) => Err(Malformed),
        }
    }

    /// A number of 32 bits.
    pub fn small(&self) -> Result<u32, Malformed> {
        u32::try_from(self.number()?).map_err(|_| Malformed)
    }

    pub fn bytes(&self) -> Result<&'a [u8], Malformed> {
        match self.0 {
            WireContent::Bytes(bytes) => Ok(bytes),
            WireContent::Varint(_) | WireContent::Double(_) => Err(Malformed),
        }
    }
}

impl<'a> Fields<'a> {
    pub fn of(message: &'a [u8]) -> Fields<'a> {
        Fields(WireFields(message))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        let field = self.0.next()?;
        Some(field.map(|one| Field { number: one.number, content: Content(one.content) }).ok_or(Malformed))
    }
}
