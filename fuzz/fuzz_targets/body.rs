//! A body of any bytes, whole and in pieces: what is read is the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate::body::{BodyFormat, BodyReader, Pointer, Pointers};

fuzz_target!(|input: (u8, &[u8])| {
    let (size, bytes) = input;
    let mut pointers = Pointers::default();
    for text in ["/a", "/a/b", "/usage/prompt_tokens", "/0/a", "/a/0"] {
        pointers.add(&Pointer::parse(text).expect("a pointer"));
    }
    for format in [BodyFormat::Json, BodyFormat::Lines, BodyFormat::Events] {
        let mut whole = BodyReader::new(format, &pointers);
        whole.read(bytes, &pointers);
        let mut pieces = BodyReader::new(format, &pointers);
        bytes.chunks(usize::from(size).max(1)).for_each(|piece| pieces.read(piece, &pointers));
        assert_eq!(whole.values(), pieces.values());
    }
});
