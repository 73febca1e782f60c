//! The language as a JSON Schema (draft 2020-12), with which editors complete policies and show most errors.

use super::{Field, Kind, Need, Object, Range, Text, objects};
use tollgate::config::Value;

/// Classes of response statuses.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The schema of a whole policy file.
pub fn schema() -> Value {
    let mut schema = vec![
        text("$schema", "https://json-schema.org/draft/2020-12/schema"),
        text("title", "A Tollgate policy"),
    ];
    let mut definitions = Vec::new();
    for (i, object) in objects().enumerate() {
        if i == 0 {
            schema.extend(definition(object));
        } else {
            definitions.push((object.name.to_string(), Value::Object(definition(object))));
        }
    }
    schema.push(field("$defs", Value::Object(definitions)));
    Value::Object(schema)
}

type SchemaFields = Vec<(String, Value)>;

fn definition(object: &Object) -> SchemaFields {
    let properties = object.fields.iter().map(|one| (one.name.to_string(), Value::Object(property(one))));
    let required = object.fields.iter().filter(|field| matches!(field.need, Need::Required));
    let required: Vec<Value> = required.map(|field| field.name.into()).collect();
    let mut fields = vec![
        text("description", &sentence(object.about)),
        text("type", "object"),
        field("properties", Value::Object(properties.collect())),
        field("additionalProperties", Value::Bool(false)),
    ];
    if !required.is_empty() {
        fields.push(field("required", Value::List(required)));
    }
    if !object.one_of.is_empty() {
        let one = |name: &&str| Value::Object(vec![field("required", Value::List(vec![(*name).into()]))]);
        fields.push(field("oneOf", Value::List(object.one_of.iter().map(one).collect())));
    }
    fields
}

fn property(one: &Field) -> SchemaFields {
    let words = one.kind.words().into_iter().map(|word| format!("\n- `{}`: {}", word.word, word.about));
    let otherwise = match one.need {
        Need::Required | Need::Default(_) => String::new(),
        Need::Else(otherwise) => format!("\nWithout it: {otherwise}"),
    };
    let description = format!("{}{}{otherwise}", one.about, words.collect::<String>());
    let mut fields = vec![text("description", &sentence(&description))];
    fields.extend(kind(&one.kind));
    if let Need::Default(json) = one.need {
        // A test parses all defaults.
        fields.push(field("default", serde_json::from_str(json).unwrap_or(Value::Null)));
    }
    fields
}

fn kind(kind: &Kind) -> SchemaFields {
    match kind {
        Kind::Flag => vec![text("type", "boolean")],
        Kind::Number(range) => number(range),
        Kind::Words(words) => {
            vec![field("enum", Value::List(words.iter().map(|word| word.word.into()).collect()))]
        }
        Kind::Text(form) => string(form),
        Kind::Statuses => statuses(),
        Kind::Object(name) => vec![text("$ref", &format!("#/$defs/{name}"))],
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

fn number(range: &Range) -> SchemaFields {
    let bound = |bound: i64| Value::Number(bound as f64);
    vec![text("type", "integer"), field("minimum", bound(range.min)), field("maximum", bound(range.max))]
}

fn string(form: &Text) -> SchemaFields {
    let pattern = form.pattern.map(|pattern| text("pattern", pattern));
    [text("type", "string")].into_iter().chain(pattern).collect()
}

fn statuses() -> SchemaFields {
    let status = number(&Range { min: 100, max: 599, unit: "" });
    let class = vec![field("enum", Value::List(CLASSES.into_iter().map(Value::from).collect()))];
    list(any_of([status, class]), 1)
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
