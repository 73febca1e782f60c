use super::*;
use proptest::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

/// A field of a message: a text, bytes or a message.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    crate::varint::write(&mut bytes, content.len() as u64);
    bytes.extend_from_slice(content);
    bytes
}

fn text(text: &[u8]) -> Vec<u8> {
    field(3, text)
}

fn number(number: f64) -> Vec<u8> {
    [&[2 << 3 | 1][..], &number.to_le_bytes()].concat()
}

fn flag(flag: bool) -> Vec<u8> {
    vec![4 << 3, u8::from(flag)]
}

const NULL: &[u8] = &[1 << 3, 0];

fn fields(fields: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let entry =
        |(name, value): &(&str, Vec<u8>)| field(1, &[field(1, name.as_bytes()), field(2, value)].concat());
    fields.iter().flat_map(entry).collect()
}

fn object(of: &[(&str, Vec<u8>)]) -> Vec<u8> {
    field(5, &fields(of))
}

fn list(values: &[Vec<u8>]) -> Vec<u8> {
    field(6, &values.iter().flat_map(|value| field(1, value)).collect::<Vec<_>>())
}

/// All metadata of a request in which the filter `auth` has left `claim`, among others.
fn metadata(claim: Vec<u8>) -> Vec<u8> {
    let other = fields(&[("claim", text(b"another filter's"))]);
    let auth = fields(&[("before", number(1.0)), ("claim", claim), ("after", list(&[]))]);
    [fields(&[("other", other), ("auth", auth)]), field(2, b"typed")].concat()
}

fn found(claim: Vec<u8>) -> Option<MetadataValue> {
    MetadataValue::find(&metadata(claim), &MetadataPath::new(["auth", "claim"]))
}

#[wasm_bindgen_test(unsupported = test)]
fn each_kind_is_told_from_every_other() {
    let three = 3_f64.to_le_bytes();
    assert_eq!(found(number(3.0)), Some(MetadataValue::Number(3.0)));
    assert_eq!(found(text(&three)), Some(MetadataValue::Text(three.into())));
    assert_eq!(found(text(&[1])), Some(MetadataValue::Text(vec![1])));
    assert_eq!(found(flag(true)), Some(MetadataValue::Flag(true)));
    assert_eq!(found(flag(false)), Some(MetadataValue::Flag(false)));
    assert_eq!(found(NULL.into()), None);
    assert_eq!(found(object(&[])), Some(MetadataValue::Object { is_empty: true }));
    assert_eq!(found(object(&[("id", text(b"7"))])), Some(MetadataValue::Object { is_empty: false }));
    assert_eq!(found(text(b"")), Some(MetadataValue::Text(Vec::new())));
}

#[wasm_bindgen_test(unsupported = test)]
fn the_elements_of_a_list_are_texts_numbers_and_flags() {
    let values = [text(b"admin"), number(3.0), flag(true), NULL.into(), text(b""), list(&[]), object(&[])];
    let Some(MetadataValue::List(elements)) = found(list(&values)) else { panic!("not a list") };
    assert_eq!(elements.iter().collect::<Vec<_>>(), [&b"admin"[..], b"3", b"true"]);
    assert_eq!(elements.reading(), None, "a list and an object have no text");
    let Some(MetadataValue::List(elements)) = found(list(&values[..5])) else { panic!("not a list") };
    assert!(elements.reading().is_some());
    assert!(!found(list(&[])).unwrap().is_affirmative());
}

#[wasm_bindgen_test(unsupported = test)]
fn a_value_is_found_in_objects_and_lists() {
    let claim =
        object(&[("org", object(&[("id", number(7.0))])), ("roles", list(&[text(b"a"), text(b"b")]))]);
    let metadata = metadata(claim);
    let at = |path: &[&str]| {
        MetadataValue::find(&metadata, &MetadataPath::new(["auth", "claim"].iter().chain(path).copied()))
    };
    assert_eq!(at(&["org", "id"]), Some(MetadataValue::Number(7.0)));
    assert_eq!(at(&["roles", "1"]), Some(MetadataValue::Text(b"b".to_vec())));
    for path in
        [&["org", "name"][..], &["roles", "2"], &["roles", "x"], &["roles", "-1"], &["org", "id", "x"]]
    {
        assert_eq!(at(path), None, "{path:?}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn only_bytes_that_no_other_kind_has_are_certainly_a_text() {
    for bytes in [&b"a"[..], b"customer1", b"seven..", b"abcd", b"\xFF\xFE", b"2", b""] {
        assert_eq!(MetadataValue::certain_text(bytes.to_vec()), Ok(MetadataValue::Text(bytes.to_vec())));
    }
    for bytes in [&b"customer"[..], b"\0", b"\x01", &[0; 4], b"\x01\0\0\0\x01\0\0\0\x01\0\0\0a\0b\0"] {
        assert_eq!(MetadataValue::certain_text(bytes.to_vec()), Err(bytes.to_vec()));
    }
}

proptest! {
    #[wasm_bindgen_test(unsupported = test)]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..80), cut in 0usize..90) {
        let path = MetadataPath::new(["auth", "claim", "0"]);
        let _ = MetadataValue::find(&bytes, &path);
        let whole = metadata(list(&[object(&[("a", text(&bytes))])]));
        let _ = MetadataValue::find(whole.get(..cut).unwrap_or(&whole), &path);
        let _ = MetadataValue::certain_text(bytes.clone()).map_err(MetadataValue::guess);
    }

    /// A claim of any text is never read as another claim's number or flag.
    #[wasm_bindgen_test(unsupported = test)]
    fn a_text_comes_back_as_that_text(bytes in prop::collection::vec(any::<u8>(), 0..12)) {
        prop_assert_eq!(found(text(&bytes)), Some(MetadataValue::Text(bytes)));
    }
}
