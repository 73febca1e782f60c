//! LEB128 variable-length integers: seven bits a byte, least significant first, as in protobuf.
//! Used by the Struct decoder and by the table's records.

/// The most bytes one integer takes.
pub const MAX_LEN: usize = 10;

/// Appends `value`.
pub fn write(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Splits one integer off the front. `None` when the bytes end inside it or it passes 64 bits.
#[inline]
pub fn read(bytes: &[u8]) -> Option<(u64, &[u8])> {
    match bytes.split_first() {
        // Nearly all are as short as that.
        Some((byte, rest)) if *byte < 0x80 => Some((u64::from(*byte), rest)),
        Some(_) | None => read_long(bytes),
    }
}

#[inline(never)]
fn read_long(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0u64;
    for (i, byte) in bytes.iter().enumerate().take(MAX_LEN) {
        let bits = u64::from(byte & 0x7F);
        if i == MAX_LEN - 1 && bits > 1 {
            return None;
        }
        value |= bits << (7 * i);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(i + 1..)?));
        }
    }
    None
}

/// The bytes that `value` takes.
pub const fn len(value: u64) -> usize {
    let bits = 64 - (value | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    proptest! {
        #[wasm_bindgen_test(unsupported = test)]
        fn what_was_written_is_read(value in any::<u64>(), shift in 0u32..64, rest in any::<u8>()) {
            let value = value >> shift;
            let mut bytes = Vec::new();
            write(&mut bytes, value);
            prop_assert_eq!(bytes.len(), len(value));
            bytes.push(rest);
            prop_assert_eq!(read(&bytes), Some((value, &[rest][..])));
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn an_integer_that_does_not_end_or_passes_64_bits_is_rejected() {
        assert_eq!(read(&[]), None);
        assert_eq!(read(&[0x80]), None);
        assert_eq!(read(&[0xFF; 11]), None);
        assert_eq!(read(&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02]), None);
        assert_eq!(read(&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]).unwrap().0, u64::MAX);
    }
}
