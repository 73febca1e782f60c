//! LEB128 variable-length integers, as in protobuf: seven bits per byte, least significant first.
//! Used by the Struct decoder and by the table's records.

/// The maximum length of an integer in bytes.
pub const MAX_LEN: usize = 10;

/// Appends `value`.
pub fn write(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Splits off the first integer. `None` if the bytes end inside it or it does not fit in 64 bits.
#[inline]
pub fn read(bytes: &[u8]) -> Option<(u64, &[u8])> {
    match bytes.split_first() {
        // Nearly all integers have one byte.
        Some((byte, rest)) if *byte < 0x80 => Some((u64::from(*byte), rest)),
        Some(_) | None => read_long(bytes),
    }
}

#[inline(never)] // inlined, it adds 1,823 bytes to the module
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

/// The length of `value` in bytes.
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
    fn an_integer_that_does_not_end_or_passes_64_bits_is_an_error() {
        assert_eq!(read(&[]), None);
        assert_eq!(read(&[0x80]), None);
        assert_eq!(read(&[0xFF; 11]), None);
        assert_eq!(read(&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02]), None);
        assert_eq!(read(&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]).unwrap().0, u64::MAX);
    }
}
