use super::super::template::TextKind;
use super::super::variable::Variable;
use super::*;
use proptest::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

fn text(text: &str) -> Template {
    Template::compile(text, TextKind::Text, Variable::ALL).unwrap()
}

fn message(tags: &[&str]) -> Message {
    let texts = tags.iter().map(|tag| ((*tag).to_string(), text(tag))).collect();
    Message::by_language(texts, tags[0])
}

/// The language that a header gets, of these.
fn chosen(tags: &[&str], header: &[u8]) -> String {
    message(tags).choose(|| Some(header.to_vec())).unwrap().0.to_string()
}

#[wasm_bindgen_test(unsupported = test)]
fn a_caller_gets_the_language_it_asks_for_most_and_else_the_default() {
    for (header, language) in [
        ("", "es"),
        ("es", "es"),
        ("en", "en"),
        ("EN", "en"),
        ("fr", "es"),
        ("fr, en", "en"),
        ("es;q=0.5, en", "en"),
        ("es, en", "es"),
        ("en, es", "en"),
        ("en;q=0.3,es;q=0.30,pt-BR;q=0.299", "en"),
        ("es-MX", "es"),
        ("es-MX, en;q=0.9", "es"),
        ("es-419-x-rioplat", "es"),
        ("pt-BR", "pt-BR"),
        ("pt-br;q=0.1", "pt-BR"),
        ("pt", "es"),
        ("pt-PT, en;q=0.1", "en"),
        ("en-GB-oed;q=1.0", "en"),
        ("*", "es"),
        ("*, en;q=0.5", "es"),
        ("es;q=0, *", "en"),
        ("es-MX;q=0.2, *", "en"),
        ("es;q=0, en;q=0, *;q=0.1", "pt-BR"),
        ("es;q=0, en;q=0, pt-BR;q=0, *", "es"),
        ("en;q=0", "es"),
        ("en;q=0.001", "en"),
        ("en;q=1.001", "es"),
        ("en;q=2", "es"),
        ("en;q=0.5555", "es"),
        ("en;q=-1", "es"),
        ("en;q=", "es"),
        (" en ; Q=0.7 , es ; q=0.6 ", "en"),
        ("e", "es"),
        ("-", "es"),
        (";q=1,,,", "es"),
        ("english", "es"),
    ] {
        assert_eq!(chosen(&["es", "en", "pt-BR"], header.as_bytes()), language, "{header}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn what_is_written_in_another_order_is_chosen_alike() {
    for tags in [["es", "en", "pt", "de"], ["es", "de", "pt", "en"], ["es", "pt", "de", "en"]] {
        assert_eq!(chosen(&tags, b"es;q=0, *"), "de");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn one_text_is_for_all_and_nobody_is_asked() {
    let one = Message::one(text("no"));
    assert_eq!(one.choose(|| panic!("asked in vain")).unwrap(), ("", &text("no")));
    let named = message(&["es"]);
    assert_eq!(named.choose(|| panic!("asked in vain")).unwrap().0, "es");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_list_of_64_kb_is_cut() {
    let mut header = b"fr,".repeat(20_000);
    header.extend_from_slice(b"en");
    assert_eq!(chosen(&["es", "en"], &header), "es");
    let mut header = b"en,".to_vec();
    header.extend(b"a-".repeat(32_000));
    assert_eq!(chosen(&["es", "en"], &header), "en");
    assert_eq!(chosen(&["es", "en"], &b"*,".repeat(32_000)), "es");
}

proptest! {
    #[wasm_bindgen_test(unsupported = test)]
    fn any_bytes_get_some_language(header in proptest::collection::vec(any::<u8>(), 0..700)) {
        prop_assert!(["es", "en"].contains(&chosen(&["es", "en"], &header).as_str()));
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_weight_is_read_in_thousandths(weight in 0u16..=1_000) {
        let text = format!("{}.{:03}", weight / 1_000, weight % 1_000);
        prop_assert_eq!(thousandths(text.as_bytes()), Some(weight));
    }
}
