use super::number::{BILLION, Number};
use super::*;
use proptest::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

fn pointers(all: &[&str]) -> Pointers {
    let mut pointers = Pointers::default();
    for (index, text) in all.iter().enumerate() {
        assert_eq!(pointers.add(&Pointer::parse(text).unwrap()), index);
    }
    pointers
}

/// What is found of these pointers in a body that comes in one piece.
fn found(format: BodyFormat, all: &[&str], body: impl AsRef<[u8]>) -> Vec<Option<u64>> {
    let pointers = pointers(all);
    let mut reader = BodyReader::new(format, &pointers);
    reader.read(body.as_ref(), &pointers);
    let found: Vec<_> = (0..all.len()).map(|value| reader.values().get(value)).collect();
    for size in [1, 2, 3, 7] {
        let mut reader = BodyReader::new(format, &pointers);
        body.as_ref().chunks(size).for_each(|piece| reader.read(piece, &pointers));
        let again: Vec<_> = (0..all.len()).map(|value| reader.values().get(value)).collect();
        assert_eq!(again, found, "in pieces of {size}");
    }
    found
}

/// The same of whole numbers.
fn whole(format: BodyFormat, all: &[&str], body: impl AsRef<[u8]>) -> Vec<Option<u64>> {
    let found = found(format, all, body);
    found.into_iter().map(|value| value.map(|value| value / BILLION)).collect()
}

const USAGE: [&str; 2] = ["/usage/prompt_tokens", "/usage/completion_tokens"];

#[wasm_bindgen_test(unsupported = test)]
fn numbers_are_found_where_the_pointers_say() {
    for body in [
        r#"{"usage":{"prompt_tokens":7,"completion_tokens":11}}"#,
        r#" { "usage" : { "completion_tokens" : 11 , "prompt_tokens" : 7 } } "#,
        "{\r\n\t\"id\": \"x\",\r\n\t\"usage\": {\r\n\t\t\"prompt_tokens\": 7,\r\n\t\t\"completion_tokens\": 11\r\n\t}\r\n}\r\n",
        r#"{"choices":[{"a":[1,{"b":"}]\"{"}]}],"n":-1.5e9,"t":true,"x":null,"usage":{"total":18,"prompt_tokens":7,"completion_tokens":11}}"#,
        r#"{"us\u0061ge":{"prompt\u005ftokens":7,"c\u006Fmpletion_tokens":11}}"#,
        r#"{"usage":{"prompt_tokens":7},"usage":{"completion_tokens":11}}"#,
        r#"{"usage":null,"usage":[],"usage":"x","usage":{"prompt_tokens":7,"completion_tokens":11}}"#,
        "\u{feff}{\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":11}}",
    ] {
        assert_eq!(whole(BodyFormat::Json, &USAGE, body), [Some(7), Some(11)], "{body}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn the_largest_value_of_a_pointer_counts_and_never_a_sum() {
    let body = r#"{"usage":{"prompt_tokens":7,"prompt_tokens":9,"prompt_tokens":8,"completion_tokens":1}}
                  {"usage":{"prompt_tokens":0,"completion_tokens":5}}"#;
    assert_eq!(whole(BodyFormat::Json, &USAGE, body), [Some(9), Some(5)]);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_list_at_the_top_is_read_as_the_documents_in_it() {
    let body = r#"[{"usage":{"prompt_tokens":7}}
,
{"usage":{"prompt_tokens":7,"completion_tokens":11}}
]"#;
    assert_eq!(whole(BodyFormat::Json, &USAGE, body), [Some(7), Some(11)]);
    assert_eq!(whole(BodyFormat::Json, &USAGE, r#"[[{"usage":{"prompt_tokens":7}}]]"#), [None, None]);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_pointer_can_name_an_element_of_a_list_and_what_it_also_leads_through() {
    let all = ["/a/1/n", "/a", "/a/1", "/a~1b/~0", "/a/10"];
    let body = r#"{"a":[5,{"n":6,"m":7},8],"a":9,"a/b":{"~":3},"a":[0,4,0,0,0,0,0,0,0,0,2]}"#;
    assert_eq!(whole(BodyFormat::Json, &all, body), [Some(6), Some(9), Some(4), Some(3), Some(2)]);
}

/// What a model or a client can write stands in texts, or in places of its own.
#[wasm_bindgen_test(unsupported = test)]
fn usage_that_is_made_up_elsewhere_is_not_taken_for_the_one_that_is_wanted() {
    for made_up in [
        r#"{"choices":[{"message":{"content":"\"usage\":{\"prompt_tokens\":1}"}}]}"#,
        r#"{"choices":[{"message":{"content":"\\\",\"usage\":{\"prompt_tokens\":1},\"x\":\""}}]}"#,
        r#"{"choices":[{"message":{"tool_calls":[{"function":{"arguments":"{\"usage\":{\"prompt_tokens\":1}}"}}]}}]}"#,
        r#"{"content":[{"type":"tool_use","input":{"usage":{"prompt_tokens":1}}}]}"#,
        r#"{"input":{"usage":{"prompt_tokens":1}}}"#,
        r#"{"usage":{"details":{"prompt_tokens":1}}}"#,
        r#"{"usage":[{"prompt_tokens":1}]}"#,
        r#"{"usage":{"prompt_tokens":"1"}}"#,
        r#"{"usage":{"prompt_tokens":[1]}}"#,
        r#"{"usage":{"prompt_tokens":{"prompt_tokens":1}}}"#,
        r#"{"usage ":{"prompt_tokens":1},"Usage":{"prompt_tokens":1},"usag":{"prompt_tokens":1},"usage\u0000":{"prompt_tokens":1}}"#,
        r#"{"usage":{"prompt_token":1,"prompt_tokens_":1,"\"prompt_tokens":1}}"#,
        r#"{"us\ud800age":{"prompt_tokens":1},"us\udc00age":{"prompt_tokens":1},"usage\ud800":{"prompt_tokens":1}}"#,
        r#""usage":{"prompt_tokens":1}"#,
        r#"{"x":1}}{"usage":{"prompt_tokens":1}}"#,
        r#"{"x" "y":{},"usage":{"prompt_tokens":1}}"#,
    ] {
        assert_eq!(whole(BodyFormat::Json, &USAGE, made_up), [None, None], "{made_up}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_name_with_characters_of_two_halves_is_the_same_name() {
    let body = r#"{"a\ud83d\ude00b":1,"\ud83d":2,"a\ud83d\u0041":3}"#;
    assert_eq!(whole(BodyFormat::Json, &["/a😀b", "/a"], body), [Some(1), None]);
}

#[wasm_bindgen_test(unsupported = test)]
fn numbers_may_have_any_form_of_json() {
    for (text, expected) in [
        ("0", Some(0)),
        ("12", Some(12 * BILLION)),
        ("12.0", Some(12 * BILLION)),
        ("12.5", Some(12_500_000_000)),
        ("1.2e1", Some(12 * BILLION)),
        ("1200E-2", Some(12 * BILLION)),
        ("1e+3", Some(1_000 * BILLION)),
        ("0.00014", Some(140_000)),
        ("0.0000000001", Some(1)),
        ("1e-30", Some(1)),
        ("0e99999999999999999999", Some(0)),
        ("1e99999999999999999999", Some(u64::MAX)),
        ("1e-99999999999999999999", Some(1)),
        ("18446744073709551615", Some(u64::MAX)),
        ("99999999999999999999999999999999999999", Some(u64::MAX)),
        ("0.99999999999999999999999999999", Some(BILLION)),
        ("123456789012345678901234567890e-25", Some(12_345_678_901_235)),
        ("-1", None),
        ("--1", None),
        ("+1", None),
        ("1.", None),
        (".5", None),
        ("1e", None),
        ("1e+", None),
        ("1e1.5", None),
        ("1-1", None),
        ("1.2.3", None),
        ("-", None),
        ("", None),
    ] {
        let mut number = Number::default();
        assert!(text.bytes().all(|byte| number.read(byte)), "{text}");
        assert_eq!(number.billionths(), expected, "{text}");
    }
    // One that cannot be read leaves the others.
    let body = r#"{"usage":{"prompt_tokens":1e,"completion_tokens":11}}"#;
    assert_eq!(whole(BodyFormat::Json, &USAGE, body), [None, Some(11)]);
}

const STREAM: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"usage\":null}\n\n\
    : a comment\n\
    event: chunk\n\
    data: {\"choices\":[{\"delta\":{\"content\":\"\\\"usage\\\":{\\\"prompt_tokens\\\":99}\"}}]}\n\n\
    data: {\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1}}\n\n\
    data: not JSON, \"usage\":{\"prompt_tokens\":98}\n\n\
    database: {\"usage\":{\"prompt_tokens\":97}}\n\
    dat: {\"usage\":{\"prompt_tokens\":97}}\n\
    id: {\"usage\":{\"prompt_tokens\":97}}\n\n\
    data:{\"choices\":[],\n\
    data: \"usage\":{\"prompt_tokens\":7,\n\
    data: \"completion_tokens\":11}}\n\n\
    data: [DONE]\n\n";

#[wasm_bindgen_test(unsupported = test)]
fn each_event_is_a_document_whatever_ends_its_lines() {
    for ends in ["\n", "\r\n", "\r"] {
        let stream = STREAM.replace('\n', ends);
        assert_eq!(whole(BodyFormat::Events, &USAGE, &stream), [Some(7), Some(11)], "{ends:?}");
        let marked = ["\u{feff}", &stream].concat();
        assert_eq!(whole(BodyFormat::Events, &USAGE, &marked), [Some(7), Some(11)], "{ends:?}");
        // What an event has said counts, though the stream breaks off in it.
        let cut = stream.find(",\"completion_tokens\":1}").unwrap() + 1;
        assert_eq!(whole(BodyFormat::Events, &USAGE, &stream[..cut]), [Some(3), None]);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn each_line_is_a_document_and_one_that_is_broken_spoils_no_other() {
    let body = "{\"usage\":{\"prompt_tokens\":3}}\r\n{\"usage\":{\"completion_\nnonsense\n\n\
        {\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":11}}";
    assert_eq!(whole(BodyFormat::Lines, &USAGE, body), [Some(7), Some(11)]);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_body_needs_no_memory_for_its_depth_or_its_length() {
    let pointers = pointers(&["/a/b/c/d/e/f/g/h", "/0/0"]);
    for opening in ["[", "{\"a\":", "{\"x\":", "[0,"] {
        let mut reader = BodyReader::new(BodyFormat::Json, &pointers);
        (0..100_000).for_each(|_| reader.read(opening.as_bytes(), &pointers));
        assert!(reader.json.frames() <= MAX_SEGMENTS + 2, "{opening}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_body_is_read_by_its_type_and_only_as_it_is() {
    let of = |encoding: Option<&str>, media_type: Option<&str>| {
        BodyFormat::of(encoding.map(str::as_bytes), media_type.map(str::as_bytes))
    };
    for (media_type, expected) in [
        ("application/json", Ok(BodyFormat::Json)),
        (" Application/JSON ; charset=utf-8", Ok(BodyFormat::Json)),
        ("application/vnd.api+json", Ok(BodyFormat::Json)),
        ("text/event-stream; charset=utf-8", Ok(BodyFormat::Events)),
        ("application/x-ndjson", Ok(BodyFormat::Lines)),
        ("application/vnd.amazon.eventstream", Err(Unreadable::Type)),
        ("text/html", Err(Unreadable::Type)),
        ("json", Err(Unreadable::Type)),
        ("", Err(Unreadable::Type)),
        ("\u{ff}", Err(Unreadable::Type)),
    ] {
        assert_eq!(of(None, Some(media_type)), expected, "{media_type}");
        assert_eq!(of(Some(" Identity"), Some(media_type)), expected, "{media_type}");
        for encoding in ["gzip", "br", "zstd", "identity, gzip", "x"] {
            assert_eq!(of(Some(encoding), Some(media_type)), Err(Unreadable::Encoded), "{encoding}");
        }
    }
    assert_eq!(of(None, None), Err(Unreadable::Type));
}

#[wasm_bindgen_test(unsupported = test)]
fn a_pointer_is_written_as_rfc_6901_says() {
    for text in ["/a", "/usage/total_tokens", "/a~1b/~0", "/0/1", "/a/b/c/d/e/f/g/h", "/é"] {
        assert_eq!(Pointer::parse(text).unwrap().text(), text);
    }
    for text in ["", "a", "usage/total", "/", "/a//b", "/a/", "/a~", "/a~2", "/1/2/3/4/5/6/7/8/9"] {
        assert_eq!(Pointer::parse(text), None, "{text}");
    }
    let mut pointers = pointers(&["/a/b", "/a/c", "/a"]);
    assert_eq!(pointers.add(&Pointer::parse("/a/c").unwrap()), 1);
}

fn any_document() -> impl Strategy<Value = serde_json::Value> {
    let name = || prop::sample::select(vec!["a", "b", "ab", "é😀", "\"\\", "0", "1", "~", "/"]);
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<u32>().prop_map(serde_json::Value::from),
        (0_u32..9).prop_map(serde_json::Value::from),
        "[ab\"\\\\{}\\[\\]:,é😀]{0,9}".prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::vec((name(), inner), 0..6).prop_map(|members| {
                let members = members.into_iter().map(|(name, value)| (name.to_string(), value));
                serde_json::Value::Object(members.collect())
            }),
        ]
    })
}

/// Writes the texts of a document with escapes.
fn escaped(text: &str) -> String {
    let units = text.encode_utf16();
    units
        .map(|unit| if unit < 0x80 { char::from(unit as u8).into() } else { format!("\\u{unit:04x}") })
        .collect()
}

const ANYWHERE: [&str; 12] =
    ["/a", "/b", "/ab", "/a/b", "/a/a", "/é😀/a", "/a/0", "/b/1/a", "/\"\\", "/~0/~1", "/0", "/a/b/ab/a"];

proptest! {
    #[wasm_bindgen_test(unsupported = test)]
    fn what_is_found_is_what_a_parser_of_json_finds(
        documents in prop::collection::vec(any_document(), 1..4), pretty in any::<bool>(), escapes in any::<bool>(),
        pieces in prop::collection::vec(1_usize..9, 1..40), how in 0..4,
    ) {
        let write = |document: &serde_json::Value| {
            let text = if pretty { serde_json::to_string_pretty(document) } else { serde_json::to_string(document) };
            if escapes { escaped(&text.unwrap()) } else { text.unwrap() }
        };
        let texts: Vec<String> = documents.iter().map(write).collect();
        let (format, body) = match how {
            0 => (BodyFormat::Json, texts.join("\n")),
            1 => (BodyFormat::Json, format!("[{}]", texts.join(" ,"))),
            2 => (BodyFormat::Lines, texts.iter().map(|text| text.replace('\n', " ") + "\r\n").collect()),
            _ => {
                let event = |text: &String| format!("data:{}\n\n", text.replace('\n', "\r\ndata: "));
                (BodyFormat::Events, texts.iter().map(event).collect::<String>())
            }
        };
        let pointers = pointers(&ANYWHERE);
        let mut reader = BodyReader::new(format, &pointers);
        let mut rest = body.as_bytes();
        for size in pieces.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, more) = rest.split_at((*size).min(rest.len()));
            reader.read(piece, &pointers);
            rest = more;
        }
        // A list at the top is the documents in it.
        let tops: Vec<&serde_json::Value> = match how {
            1 => documents.iter().collect(),
            _ => documents.iter().flat_map(|one| one.as_array().map_or(vec![one], |list| list.iter().collect())).collect(),
        };
        for (index, pointer) in ANYWHERE.iter().enumerate() {
            let values = tops.iter().filter_map(|top| top.pointer(pointer)?.as_u64());
            prop_assert_eq!(
                reader.values().get(index).map(|value| value / BILLION), values.max(), "{} in {}", pointer, body
            );
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn any_bytes_in_any_pieces_give_the_same_and_no_panic(
        bytes in prop::collection::vec(
            prop_oneof![8 => prop::sample::select(b"{}[]\":,\\ \n\rdat:ab01.e-u".to_vec()), 1 => any::<u8>()], 0..120),
        cuts in prop::collection::vec(0_usize..120, 0..9),
    ) {
        let pointers = pointers(&ANYWHERE);
        for format in [BodyFormat::Json, BodyFormat::Lines, BodyFormat::Events] {
            let mut whole = BodyReader::new(format, &pointers);
            whole.read(&bytes, &pointers);
            let mut reader = BodyReader::new(format, &pointers);
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| (*cut).min(bytes.len())).collect();
            cuts.sort_unstable();
            cuts.push(bytes.len());
            let mut from = 0;
            for to in cuts {
                reader.read(&bytes[from..to], &pointers);
                from = to;
            }
            prop_assert_eq!(reader.values(), whole.values());
        }
    }
}
