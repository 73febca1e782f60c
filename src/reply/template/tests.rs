use super::*;
use proptest::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

/// The same text for all texts, the same number for all numbers.
struct All<'a>(u64, &'a str);

impl VariableSource for All<'_> {
    fn render(&self, variable: Variable) -> Rendered<'_> {
        if variable.is_number() { Rendered::Number(self.0) } else { Rendered::Text(self.1) }
    }
}

fn compiled(text: &str, kind: TextKind) -> Template {
    Template::compile(text, kind, Variable::ALL).unwrap()
}

fn filled(text: &str, kind: TextKind, said: &str) -> String {
    compiled(text, kind).render(&All(7, said)).into_owned()
}

#[wasm_bindgen_test(unsupported = test)]
fn a_lowercase_word_in_braces_is_a_variable_and_all_else_is_itself() {
    for (text, expected) in [
        ("", ""),
        ("wait {retry_after} s", "wait 7 s"),
        ("{retry_after}{retry_after}", "77"),
        ("{policy}", "us"),
        ("{{limit}}", "{7}"),
        ("{", "{"),
        ("}{}", "}{}"),
        ("{Limit} { limit } {0} {limit", "{Limit} { limit } {0} {limit"),
        ("{\"a\":{\"b\":{remaining}}}", "{\"a\":{\"b\":7}}"),
        ("ñ{tier}ñ", "ñusñ"),
    ] {
        assert_eq!(filled(text, TextKind::Text, "us"), expected, "{text}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn every_word_is_known_and_says_what_it_stands_for() {
    for variable in Variable::ALL {
        let word = variable.word();
        let template = compiled(&format!("{{{word}}}"), TextKind::Text);
        assert!(template.mentions(*variable), "{word}");
        assert_eq!(template.render(&All(7, "us")), if variable.is_number() { "7" } else { "us" }, "{word}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn all_flaws_are_told_in_their_order() {
    let flaws = |text, kind| Template::compile(text, kind, Variable::ALL).unwrap_err();
    assert_eq!(
        flaws("{limt} {limit} {a_1}", TextKind::Text),
        [TemplateError::Unknown("limt".into()), TemplateError::Unknown("a_1".into())]
    );
    assert_eq!(
        flaws(r#"{"a": {policy}, "b": "{policy}", "c": {limit}, "d": {x}}"#, TextKind::Json),
        [TemplateError::Bare("policy".into()), TemplateError::Unknown("x".into())]
    );
    let few = &Variable::ALL[..1];
    assert_eq!(
        Template::compile("{message}", TextKind::Text, few).unwrap_err(),
        [TemplateError::Unknown("message".into())]
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn quotes_are_told_from_escaped_ones() {
    let bare = |text| Template::compile(text, TextKind::Json, Variable::ALL).is_err();
    assert!(!bare(r#"{"a": "\"{policy}"}"#));
    assert!(bare(r#"{"a": "\\"{policy}}"#));
    assert!(!bare(r#"{"\\\"": "{policy}"}"#));
    assert!(bare(r#"{"a": "{policy}" {policy}}"#));
}

#[wasm_bindgen_test(unsupported = test)]
fn a_value_in_json_is_escaped_and_in_a_header_only_visible() {
    let hostile = "a\"b\\c\n\r\0\u{1F}é\u{7F}";
    assert_eq!(
        filled(r#""{message}""#, TextKind::Json, hostile),
        "\"a\\\"b\\\\c\\n\\u000d\\u0000\\u001fé\u{7F}\""
    );
    assert_eq!(filled("x {message}", TextKind::Header, hostile), "x a\"b\\c");
    assert_eq!(filled("{message}", TextKind::Text, hostile), hostile);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_text_without_variables_is_not_copied() {
    let template = compiled(r#"{"error": "no"}"#, TextKind::Json);
    assert!(matches!(template.render(&All(1, "")), Cow::Borrowed(r#"{"error": "no"}"#)));
}

#[wasm_bindgen_test(unsupported = test)]
fn only_the_problem_body_has_a_list_and_only_outside_quotes() {
    let problem = |text| Template::compile(text, TextKind::Json, Variable::ALL);
    assert!(problem("[{violated_policies}]").is_ok());
    assert!(problem(r#"["{violated_policies}"]"#).is_err());
}

/// Fragments that are JSON in the most ways, and some that are not.
fn fragment() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "a",
        " ",
        "1",
        "0",
        "-",
        ".",
        "e",
        "\\u00",
        "\\\"",
        "{limit}",
        "{policy}",
        "{message}",
        "{request_id}",
        "\"{tier}\"",
        "{\"a\":",
        "\"}",
        "null",
    ])
}

proptest! {
    #[wasm_bindgen_test(unsupported = test)]
    fn any_text_in_json_stays_a_text_and_comes_out_as_it_went_in(said in any::<String>(), number in any::<u64>()) {
        let template = compiled(r#"{"m": "{message}", "n": [{limit}, {"x": "<{request_id}> {retry_after}"}]}"#, TextKind::Json);
        let body = template.render(&All(number, &said)).into_owned();
        let json: serde_json::Value = serde_json::from_str(&body).unwrap();
        prop_assert_eq!(json["m"].as_str(), Some(said.as_str()));
        prop_assert_eq!(json["n"][0].as_u64(), Some(number));
        let expected = format!("<{said}> {number}");
        prop_assert_eq!(json["n"][1]["x"].as_str(), Some(expected.as_str()));
    }

    /// What is checked at load, with two dummies, holds for whatever is filled in later.
    #[wasm_bindgen_test(unsupported = test)]
    fn a_template_that_is_json_with_dummies_is_json_with_anything(
        fragments in proptest::collection::vec(fragment(), 1..12),
        said in any::<String>(),
        number in any::<u32>(),
    ) {
        let text = fragments.concat();
        let Ok(template) = Template::compile(&text, TextKind::Json, Variable::ALL) else { return Ok(()) };
        let is_json = |number: u64, said: &str| {
            serde_json::from_str::<serde_json::Value>(&template.render(&All(number, said))).is_ok()
        };
        if is_json(u64::MAX, "\"") && is_json(0, "") {
            prop_assert!(is_json(number.into(), &said), "{}", text);
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn no_text_makes_it_panic_and_a_header_stays_one_line(text in "[ -~]{0,40}", said in any::<String>()) {
        for kind in [TextKind::Text, TextKind::Json, TextKind::Header] {
            let Ok(template) = Template::compile(&text, kind, Variable::ALL) else { continue };
            let filled = template.render(&All(1, &said));
            prop_assert!(kind != TextKind::Header || filled.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        }
    }
}
