//! The language as a JSON Schema (draft 2020-12), with which editors complete policies and show most errors.

use super::{about, objects_in, otherwise, words};
use crate::cases::language::file;
use tollgate::config::{Effect, Effects, Field, Kind, Need, Object, Range, Rule, Text, Value, statuses};
use tollgate::http::GRPC_STATUSES;
use tollgate::language::configuration;

/// The schema of a whole policy file.
pub fn schema() -> Value {
    schema_of("A Tollgate policy", &configuration::OBJECT)
}

/// The schema of a whole test file.
pub fn test_schema() -> Value {
    schema_of("Cases for a Tollgate policy", &file::OBJECT)
}

fn schema_of(title: &str, object: &'static Object) -> Value {
    let mut schema =
        vec![text("$schema", "https://json-schema.org/draft/2020-12/schema"), text("title", title)];
    let mut definitions = Vec::new();
    for (i, object) in objects_in(object).into_iter().enumerate() {
        if i == 0 {
            schema.extend(definition(object));
        } else {
            definitions.push((object.name.get().to_string(), Value::Object(definition(object))));
        }
    }
    schema.push(field("$defs", Value::Object(definitions)));
    Value::Object(schema)
}

type SchemaFields = Vec<(String, Value)>;

fn definition(object: &Object) -> SchemaFields {
    let properties =
        object.fields.get().iter().map(|one| (one.name.to_string(), Value::Object(property(object, one))));
    let required = object.fields.get().iter().filter(|field| matches!(field.need, Need::Required));
    let required: Vec<Value> = required.map(|field| field.name.into()).collect();
    let mut fields = vec![
        text("description", &sentence(object.about.get())),
        text("type", "object"),
        field("properties", Value::Object(properties.collect())),
        field("additionalProperties", Value::Bool(false)),
    ];
    if !required.is_empty() {
        fields.push(field("required", Value::List(required)));
    }
    fields.extend(rules(object));
    fields
}

/// What excludes what.
fn rules(object: &Object) -> SchemaFields {
    let one = |name: &str| Value::Object(vec![field("required", Value::List(vec![name.into()]))]);
    let (mut fields, mut needs, mut all) = (Vec::new(), Vec::new(), Vec::new());
    for rule in object.rules {
        match *rule {
            Rule::ExactlyOne(names) => {
                fields.push(field("oneOf", Value::List(names.iter().copied().map(one).collect())));
            }
            Rule::OnlyWith(name, others) => {
                let others = Value::List(others.iter().copied().map(one).collect());
                needs.push(field(name, Value::Object(vec![field("anyOf", others)])));
            }
            Rule::NotBoth(name, other) => {
                let both =
                    Value::Object(vec![field("required", Value::List(vec![name.into(), other.into()]))]);
                all.push(Value::Object(vec![field("not", both)]));
            }
            Rule::ByWord(name, effects) => all.extend(without_effect(object, name, effects)),
        }
    }
    if !needs.is_empty() {
        fields.push(field("dependentSchemas", Value::Object(needs)));
    }
    if !all.is_empty() {
        fields.push(field("allOf", Value::List(all)));
    }
    fields
}

/// What has no effect with some words of the field `name`.
fn without_effect(object: &Object, name: &str, effects: &dyn Effects) -> Vec<Value> {
    let both = |other: &str, words: Vec<Value>, further: Option<SchemaFields>| {
        let words = (name.to_string(), Value::Object(vec![field("enum", Value::List(words))]));
        let further = further.map(|further| (other.to_string(), Value::Object(further)));
        let properties = [words].into_iter().chain(further).collect();
        let both = vec![
            field("required", Value::List(vec![name.into(), other.into()])),
            field("properties", Value::Object(properties)),
        ];
        Value::Object(vec![field("not", Value::Object(both))])
    };
    let mut excluded = Vec::new();
    for other in object.fields.get() {
        let without = effects.words_with(other.name, false);
        if !without.is_empty() {
            excluded.push(both(other.name, without.into_iter().map(Value::from).collect(), None));
        }
        for word in effects.words_with(other.name, true) {
            if let Effect::Only(value) = effects.effect(word, other.name) {
                let only = Value::Object(vec![field("enum", Value::List(vec![value.into()]))]);
                excluded.push(both(other.name, vec![word.into()], Some(vec![field("not", only)])));
            }
        }
    }
    excluded
}

fn property(object: &Object, one: &Field) -> SchemaFields {
    let words = words(&one.kind).into_iter().map(|(word, about)| format!("\n- `{word}`: {}", about.get()));
    let otherwise = match (one.need, otherwise(object, one)) {
        (Need::Else(_), Some(otherwise)) => format!("\nWithout it: {otherwise}"),
        (Need::Required | Need::Default(_) | Need::Else(_), _) => String::new(),
    };
    let description = format!("{}{}{otherwise}", about(object, one), words.collect::<String>());
    let mut fields = vec![text("description", &sentence(&description))];
    fields.extend(kind(&one.kind));
    if let Need::Default(literal) = one.need {
        fields.push(field("default", literal.into()));
    }
    fields
}

fn kind(kind: &Kind) -> SchemaFields {
    match kind {
        Kind::Flag => vec![text("type", "boolean")],
        Kind::Number(range) => bounded("integer", range),
        // Envoy reads a number of its YAML that is not whole as text.
        Kind::Thousandths(range) => any_of([
            bounded("number", range),
            vec![text("type", "string"), text("pattern", r"^[0-9]+\.[0-9]{1,3}$")],
        ]),
        Kind::Words(_) => {
            let words = words(kind).into_iter().map(|(word, _)| word.into());
            vec![field("enum", Value::List(words.collect()))]
        }
        Kind::Text(form) => string(form),
        Kind::Statuses => statuses(),
        Kind::Object(object) => vec![text("$ref", &format!("#/$defs/{}", object.name.get()))],
        Kind::List(of) => list(self::kind(of), 1),
        Kind::AnyList(of) => list(self::kind(of), 0),
        Kind::OneOrList(of) => any_of([self::kind(of), list(self::kind(of), 1)]),
        Kind::Map { names, values } => vec![
            text("type", "object"),
            field("propertyNames", Value::Object(string(names))),
            field("additionalProperties", Value::Object(self::kind(values))),
        ],
        Kind::Either(kinds) => any_of(kinds.iter().map(self::kind)),
    }
}

fn bounded(kind: &str, range: &Range) -> SchemaFields {
    let bound = |bound: i64| Value::Number(bound as f64);
    vec![text("type", kind), field("minimum", bound(range.min)), field("maximum", bound(range.max))]
}

fn string(form: &Text) -> SchemaFields {
    let pattern = form.pattern.get().map(|pattern| text("pattern", pattern));
    [text("type", "string")].into_iter().chain(pattern).collect()
}

fn statuses() -> SchemaFields {
    let status = bounded("integer", &statuses::STATUS.range);
    let class = vec![field(
        "enum",
        Value::List(statuses::CLASSES.into_iter().map(|(class, _)| class.into()).collect()),
    )];
    let names = GRPC_STATUSES.into_iter().map(|(name, _)| name.to_owned());
    let numbers = GRPC_STATUSES.into_iter().map(|(_, number)| format!("grpc:{number}"));
    let grpc = names.chain(numbers).map(|status| status.as_str().into()).collect();
    list(any_of([status, class, vec![field("enum", Value::List(grpc))]]), 1)
}

fn list(items: SchemaFields, least: u64) -> SchemaFields {
    let mut fields = vec![text("type", "array"), field("items", Value::Object(items))];
    if least > 0 {
        fields.push(field("minItems", Value::Number(least as f64)));
    }
    fields
}

fn any_of(kinds: impl IntoIterator<Item = SchemaFields>) -> SchemaFields {
    vec![field("anyOf", Value::List(kinds.into_iter().map(Value::Object).collect()))]
}

fn field(name: &str, value: Value) -> (String, Value) {
    (name.into(), value)
}

fn text(name: &str, text: &str) -> (String, Value) {
    field(name, text.into())
}

/// Starts a description with a capital. Its Markdown is kept: editors show it either rendered or as it is.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}
