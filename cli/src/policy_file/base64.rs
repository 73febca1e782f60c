//! Bytes as Envoy and Kubernetes write them in texts (RFC 4648).

/// The bytes. `None`: the text is none of this form.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let digits = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect::<Vec<_>>();
    let end = digits.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    let (mut bytes, mut bits, mut number) = (Vec::with_capacity(end * 3 / 4), 0_u32, 0_u32);
    for digit in digits.get(..end)? {
        number = number << 6 & 0xFF_FFFF | value(*digit)?;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(number >> bits & 0xFF).ok()?);
        }
    }
    Some(bytes)
}

/// Both alphabets are read, as protobuf reads them.
fn value(digit: u8) -> Option<u32> {
    let value = match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    };
    Some(value.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stand_for_bytes() {
        for (text, bytes) in [
            ("", &b""[..]),
            ("Zg==", b"f"),
            ("Zm8=", b"fo"),
            ("Zm9v", b"foo"),
            ("Zm9vYg", b"foob"),
            ("Zm9v\nYmFy\n", b"foobar"),
            ("-_8=", b"\xFB\xFF"),
            ("+/8=", b"\xFB\xFF"),
        ] {
            assert_eq!(decode(text).as_deref(), Some(bytes), "{text}");
        }
        for text in ["Zg==Zg==", "Z*", "é"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
