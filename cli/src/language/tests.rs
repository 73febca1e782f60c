//! What the schema rejects, the compiler rejects, and values of every type are read as they are declared.

mod checker;
mod example;
mod kitchen_sink;
mod probe;

use super::*;
use checker::rejection;
use example::{beside, error_path, example, with};
use probe::probes;
use serde_json::{Value as Json, json};
use tollgate::compile::compile;
use tollgate::config::{self, ConfigError};

fn errors(configuration: &Json) -> Vec<ConfigError> {
    let value = config::parse(configuration.to_string().as_bytes()).unwrap();
    compile(&value).err().map(|errors| errors.iter().cloned().collect()).unwrap_or_default()
}

fn at<'a>(errors: &'a [ConfigError], path: &str) -> Vec<&'a ConfigError> {
    errors.iter().filter(|error| error.path() == path).collect()
}

#[test]
fn every_example_is_valid() {
    for object in objects() {
        let (configuration, _) = example(object.name.get());
        assert_eq!(errors(&configuration), [], "{}", object.name.get());
    }
}

#[test]
fn compiler_and_schema_have_the_described_bounds_and_words() {
    let schema = schema_json();
    for object in objects() {
        for field in object.fields.get() {
            let name = format!("{}.{}", object.name.get(), field.name);
            for probe in probes(&field.kind) {
                let (configuration, pointer) = beside(object.name.get(), field.name);
                let configuration = with(&configuration, &pointer, &json!({ field.name: probe.value }));
                let path = config::field_path(&error_path(&pointer), field.name) + &probe.at;
                let all_errors = errors(&configuration);
                let errors = at(&all_errors, &path);
                let shown = errors.iter().map(ToString::to_string).collect::<Vec<_>>();
                assert_eq!(errors.is_empty(), probe.accepted, "{name} = {}: {shown:?}", probe.value);
                if let (Some(allowed), [error]) = (&probe.allowed, errors.as_slice()) {
                    assert_eq!(error.allowed(), allowed, "{name} = {}", probe.value);
                }
                let rejection = rejection(&schema, &configuration);
                let is_valid = all_errors.is_empty();
                assert!(!is_valid || rejection.is_none(), "{name} = {}: {rejection:?}", probe.value);
                assert!(
                    probe.accepted || !probe.in_schema || rejection.is_some(),
                    "{name} = {}",
                    probe.value
                );
            }
        }
    }
}

fn schema_json() -> Json {
    serde_json::from_str(&schema().to_json()).unwrap()
}

#[test]
fn the_schemas_accept_every_policy_and_test_file_of_the_repository() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../envoy/policies");
    let files = [folder.clone(), folder.join("published")].into_iter().flat_map(std::fs::read_dir).flatten();
    let mut checked = 0;
    for path in files.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        let text = std::fs::read_to_string(&path).unwrap();
        let value = crate::document::Document::read(&text, crate::document::Syntax::Yaml).unwrap().value;
        let is_test = path.to_string_lossy().contains(".test.");
        let schema = if is_test { crate::language::test_schema() } else { schema() };
        let schema: Json = serde_json::from_str(&schema.to_json()).unwrap();
        let policy: Json = serde_json::from_str(&value.to_json()).unwrap();
        assert_eq!(rejection(&schema, &policy), None, "{}", path.display());
        checked += 1;
    }
    assert!(checked > 30, "{checked}");
}

/// Whether a form's pattern matches whatever the form accepts.
fn pattern_admits<T>(form: &tollgate::config::Form<T>, text: &str) -> bool {
    let matches = |pattern| regex_lite::Regex::new(pattern).unwrap().is_match(text);
    (form.parse)(text).is_none() || form.text.pattern.get().is_none_or(matches)
}

proptest::proptest! {
    #[test]
    fn an_editor_rejects_no_text_that_the_compiler_accepts(
        text in "[a-zA-Z0-9_*{}/.:;=%~ -]{0,12}|[a-z*]{0,3}/{0,2}[{]?[a-z]{0,3}[}]?|[0-9]{1,4}(s|m|h|d|ms)|\\PC{0,8}"
    ) {
        use tollgate::language::forms::*;
        let text = text.as_str();
        proptest::prop_assert!(pattern_admits(&NAME, text) && pattern_admits(&DURATION, text));
        proptest::prop_assert!(pattern_admits(&MILLISECONDS, text) && pattern_admits(&TIMESTAMP, text));
        proptest::prop_assert!(pattern_admits(&METHOD, text) && pattern_admits(&HOST, text));
        proptest::prop_assert!(pattern_admits(&PATH, text) && pattern_admits(&PARAMETER, text));
        proptest::prop_assert!(pattern_admits(&HEADER, text) && pattern_admits(&COOKIE, text));
        proptest::prop_assert!(pattern_admits(&SCHEME, text) && pattern_admits(&MEDIA_TYPE, text));
        proptest::prop_assert!(pattern_admits(&LANGUAGE, text) && pattern_admits(&PATTERN, text));
    }
}
