//! The fields of protobuf messages, as they are encoded. A policy as a `google.protobuf.Struct`, a request's
//! dynamic metadata and the fleet's messages are read by it.

/// The fields of one message, in their order on the wire. `None` stands for bytes that are no field; nothing
/// comes after it.
pub struct WireFields<'a>(pub &'a [u8]);

/// One field of a message.
pub struct WireField<'a> {
    /// Its number in the message's definition.
    pub number: u64,
    /// What it holds.
    pub content: WireContent<'a>,
}

/// What a field holds.
pub enum WireContent<'a> {
    /// An integer or a flag.
    Varint(u64),
    /// A double.
    Double(f64),
    /// A text, bytes or a message.
    Bytes(&'a [u8]),
}

impl<'a> Iterator for WireFields<'a> {
    type Item = Option<WireField<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field)
    }
}

impl<'a> WireFields<'a> {
    #[inline(never)]
    fn field(&mut self) -> Option<WireField<'a>> {
        const VARINT: u64 = 0;
        const FIXED64: u64 = 1;
        const LENGTH_DELIMITED: u64 = 2;
        let tag = self.varint()?;
        let content = match tag & 7 {
            VARINT => WireContent::Varint(self.varint()?),
            FIXED64 => {
                let (bytes, rest) = self.0.split_first_chunk::<8>()?;
                self.0 = rest;
                WireContent::Double(f64::from_le_bytes(*bytes))
            }
            LENGTH_DELIMITED => {
                let length = usize::try_from(self.varint()?).ok()?;
                let (bytes, rest) = self.0.split_at_checked(length)?;
                self.0 = rest;
                WireContent::Bytes(bytes)
            }
            _ => return None,
        };
        Some(WireField { number: tag >> 3, content })
    }

    fn varint(&mut self) -> Option<u64> {
        let (value, rest) = crate::varint::read(self.0)?;
        self.0 = rest;
        Some(value)
    }
}
