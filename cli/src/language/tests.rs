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
                let errors = errors(&configuration);
                let errors = at(&errors, &path);
                let shown = errors.iter().map(ToString::to_string).collect::<Vec<_>>();
                assert_eq!(errors.is_empty(), probe.accepted, "{name} = {}: {shown:?}", probe.value);
                if let (Some(allowed), [error]) = (&probe.allowed, errors.as_slice()) {
                    assert_eq!(error.allowed(), allowed, "{name} = {}", probe.value);
                }
                let rejection = rejection(&schema, &configuration);
                assert!(!probe.accepted || rejection.is_none(), "{name} = {}: {rejection:?}", probe.value);
                assert!(
                    probe.accepted || !probe.in_schema || rejection.is_some(),
                    "{name} = {}",
                    probe.value
                );
            }
        }
    }
}

#[test]
fn every_variable_of_templates_is_described_with_its_type() {
    use tollgate::reply::Variable;
    let described: Vec<_> = variables::VARIABLES.iter().map(|one| (one.name, one.number)).collect();
    let known: Vec<_> =
        Variable::WORDS.iter().map(|(word, variable)| (*word, variable.is_number())).collect();
    assert_eq!(described, known);
}

fn schema_json() -> Json {
    serde_json::from_str(&schema().to_json()).unwrap()
}

#[test]
fn the_schema_accepts_every_policy_of_the_repository() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../envoy/policies");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let value = crate::document::Document::read(&text, crate::document::Syntax::Yaml).unwrap().value;
        let policy: Json = serde_json::from_str(&value.to_json()).unwrap();
        assert_eq!(rejection(&schema_json(), &policy), None, "{}", path.display());
    }
}
