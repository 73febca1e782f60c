//! Compares the description of the language with the compiler, which decides what is valid.

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
        let (configuration, _) = example(object.name);
        assert_eq!(errors(&configuration), [], "{}", object.name);
    }
}

#[test]
fn an_unknown_field_is_answered_with_exactly_the_known_ones_in_their_order() {
    for object in objects() {
        let (configuration, pointer) = example(object.name);
        let errors = errors(&with(&configuration, &pointer, &json!({ "no such field": 1 })));
        let path = format!("{}[\"no such field\"]", error_path(&pointer));
        let names: Vec<_> = object.fields.iter().map(|field| field.name).collect();
        let errors = at(&errors, &path);
        let allowed: Vec<_> = errors.iter().flat_map(|error| error.allowed().split(", ")).collect();
        assert_eq!(allowed, names, "{}", object.name);
    }
}

#[test]
fn exactly_the_required_fields_are_required() {
    for object in objects() {
        for field in object.fields {
            let (configuration, pointer) = beside(object.name, field.name);
            let without = with(&configuration, &pointer, &json!({ field.name: null }));
            let path = config::field_path(&error_path(&pointer), field.name);
            let errors = errors(&without);
            let missed = at(&errors, &path).iter().any(|error| error.found() == "nothing");
            let required = matches!(field.need, Need::Required);
            // These are required only sometimes, as their texts say.
            let sometimes = ["limit.window", "headers.describes"];
            if !sometimes.contains(&format!("{}.{}", object.name, field.name).as_str()) {
                assert_eq!(missed, required, "{}.{}: {errors:?}", object.name, field.name);
            }
        }
    }
}

#[test]
fn compiler_and_schema_have_the_described_bounds_and_words() {
    let schema = schema_json();
    for object in objects() {
        for field in object.fields {
            let name = format!("{}.{}", object.name, field.name);
            for probe in probes(&field.kind) {
                let (configuration, pointer) = beside(object.name, field.name);
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
fn compiler_and_description_have_the_same_defaults() {
    let compiled = |configuration: &Json| {
        let value = config::parse(configuration.to_string().as_bytes()).unwrap();
        compile(&value).map(|set| format!("{set:?}")).map_err(|errors| errors.to_string())
    };
    for object in objects() {
        for field in object.fields {
            let Need::Default(default) = field.need else { continue };
            let default: Json = serde_json::from_str(default).unwrap();
            let (configuration, pointer) = beside(object.name, field.name);
            let explicit = compiled(&with(&configuration, &pointer, &json!({ field.name: default })));
            let left_out = compiled(&with(&configuration, &pointer, &json!({ field.name: null })));
            assert!(explicit.is_ok(), "{}.{}: {explicit:?}", object.name, field.name);
            assert_eq!(explicit, left_out, "{}.{}", object.name, field.name);
        }
    }
}

#[test]
fn the_forms_of_texts_that_are_used_are_exactly_those_that_are_explained() {
    fn forms(kind: &'static Kind) -> Vec<&'static str> {
        match kind {
            Kind::Text(text) => vec![text.name],
            Kind::List(of) | Kind::AnyList(of) | Kind::OneOrList(of) => forms(of),
            Kind::Map { names, values } => [vec![names.name], forms(values)].concat(),
            Kind::Either(kinds) => kinds.iter().flat_map(forms).collect(),
            Kind::Flag | Kind::Number(_) | Kind::Words(_) | Kind::Statuses | Kind::Object(_) => vec![],
        }
    }
    let mut used: Vec<_> =
        objects().flat_map(|object| object.fields).flat_map(|field| forms(&field.kind)).collect();
    let mut explained: Vec<_> = texts::ALL.iter().map(|form| form.name).collect();
    used.sort_unstable();
    used.dedup();
    explained.sort_unstable();
    assert_eq!(used, explained);
}

#[test]
fn every_variable_of_templates_is_described_with_its_type() {
    use tollgate::reply::Variable;
    let described: Vec<_> = replies::VARIABLES.iter().map(|one| (one.name, one.number)).collect();
    let known: Vec<_> =
        Variable::usable(false, false).map(|variable| (variable.word(), variable.is_number())).collect();
    assert_eq!(described, known);
}

#[test]
fn the_objects_that_are_used_are_exactly_those_that_are_described() {
    fn objects_of(kind: &'static Kind) -> Vec<&'static str> {
        match kind {
            Kind::Object(name) => vec![name],
            Kind::List(of) | Kind::AnyList(of) | Kind::OneOrList(of) | Kind::Map { values: of, .. } => {
                objects_of(of)
            }
            Kind::Either(kinds) => kinds.iter().flat_map(objects_of).collect(),
            Kind::Flag | Kind::Number(_) | Kind::Words(_) | Kind::Text(_) | Kind::Statuses => vec![],
        }
    }
    let mut used: Vec<_> =
        objects().flat_map(|object| object.fields).flat_map(|field| objects_of(&field.kind)).collect();
    used.push("configuration");
    used.sort_unstable();
    used.dedup();
    let mut described: Vec<_> = objects().map(|object| object.name).collect();
    described.sort_unstable();
    assert_eq!(used, described);
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
