//! Headers as the ABI has them: their number, all lengths, then names and values, each ended by a zero.

use crate::reply::Header;

/// For the host to read.
pub(in crate::filter) fn serialize(headers: &[Header<'_>]) -> Vec<u8> {
    let lengths = size_of::<u32>() * (1 + 2 * headers.len());
    let texts = headers.iter().map(|(name, value)| name.len() + value.len() + 2);
    let mut bytes = Vec::with_capacity(lengths + texts.sum::<usize>());
    bytes.extend_from_slice(&(headers.len() as u32).to_le_bytes());
    for (name, value) in headers {
        bytes.extend_from_slice(&(name.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&(value.len() as u32).to_le_bytes());
    }
    for text in headers.iter().flat_map(|(name, value)| [*name, value]) {
        bytes.extend_from_slice(text.as_bytes());
        bytes.push(0);
    }
    bytes
}

/// Shows each name and value of headers that the host has written.
#[inline(never)]
pub(in crate::filter) fn each(pairs: &[u8], show: &mut dyn FnMut(&[u8], &[u8])) {
    let length = |bytes: &[u8; 4]| u32::from_le_bytes(*bytes) as usize;
    let (count, rest) = pairs.split_first_chunk().unwrap_or((&[0; 4], &[]));
    let (lengths, mut texts) = rest.split_at_checked(length(count).saturating_mul(8)).unwrap_or_default();
    let (lengths, _) = lengths.as_chunks::<4>();
    // Each text is ended by a zero.
    let mut next = |bytes| {
        let (text, rest) = texts.split_at_checked(length(bytes)).unwrap_or_default();
        texts = rest.get(1..).unwrap_or_default();
        text
    };
    for [name_len, value_len] in lengths.as_chunks::<2>().0 {
        let name = next(name_len);
        show(name, next(value_len));
    }
}
