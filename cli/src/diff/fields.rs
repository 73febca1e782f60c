//! Fields that are written differently, told with the words of their declarations.

use super::{Changes, Severity};
use tollgate::config::{Field, Kind, Need, Object, Value, forms};

/// Tells each field of an object that is written differently but those in `told`.
pub(super) fn compare(
    object: &'static Object,
    (old, new): (Option<&Value>, Option<&Value>),
    (subject, path): (&str, &str),
    told: &[&str],
    severity: &dyn Fn(&str) -> Severity,
    changes: &mut Changes,
) {
    for field in object.fields.get().iter().filter(|field| !told.contains(&field.name)) {
        let of = |value: Option<&Value>| {
            value.and_then(|value| value.get(field.name)).filter(|value| **value != Value::Null).cloned()
        };
        let (before, after) = (of(old), of(new));
        if same(field, before.as_ref(), after.as_ref()) {
            continue;
        }
        let name = if path.is_empty() { field.name.to_owned() } else { format!("{path}.{}", field.name) };
        if let (Some(inner), Some(Value::Object(_)), Some(Value::Object(_))) =
            (object_of(&field.kind), &before, &after)
        {
            // The severity is that of the whole field.
            let severity = severity(field.name);
            let inside = (before.as_ref(), after.as_ref());
            compare(inner, inside, (subject, &name), &[], &|_| severity, changes);
            continue;
        }
        let about = plain(field.about.get());
        changes.add(
            severity(field.name),
            subject,
            sentence(&name, field, before.as_ref(), after.as_ref()),
            about,
        );
    }
}

fn sentence(name: &str, field: &Field, before: Option<&Value>, after: Option<&Value>) -> String {
    let default = match field.need {
        Need::Default(literal) => Some(Value::from(literal)),
        Need::Required | Need::Else(_) => None,
    };
    let otherwise = match (field.need, &default) {
        (_, Some(default)) => shown(default),
        (Need::Else(otherwise), None) => plain(otherwise.get()),
        (Need::Required | Need::Default(_), None) => "nothing".into(),
    };
    match (before, after) {
        (None, Some(after)) => format!("{name} is {}; before: {otherwise}", shown(after)),
        (Some(before), None) => format!("{name} is no longer {}, so: {otherwise}", shown(before)),
        (Some(before), Some(after)) => format!("{name} is {}; before: {}", shown(after), shown(before)),
        (None, None) => name.into(),
    }
}

/// Whether two values of a field mean the same.
pub(super) fn same(field: &Field, before: Option<&Value>, after: Option<&Value>) -> bool {
    let or_default = |value: Option<&Value>| match (value, field.need) {
        (Some(value), _) => Some(canonical(value, &field.kind)),
        (None, Need::Default(literal)) => Some(canonical(&Value::from(literal), &field.kind)),
        (None, Need::Required | Need::Else(_)) => None,
    };
    or_default(before) == or_default(after)
}

/// The same for all ways of writing a value: with its defaults, its fields in their order, and durations as
/// numbers.
fn canonical(value: &Value, kind: &Kind) -> Value {
    match (kind, value) {
        (Kind::Object(object), Value::Object(_)) => canonical_object(value, object),
        (Kind::List(of) | Kind::AnyList(of), Value::List(list)) => canonical_list(list, of),
        (Kind::OneOrList(of), Value::List(list)) => match list.as_slice() {
            [one] => canonical(one, of),
            list => canonical_list(list, of),
        },
        (Kind::OneOrList(of), one) => canonical(one, of),
        (Kind::Map { values, .. }, Value::Object(fields)) => {
            let mut fields: Vec<_> =
                fields.iter().map(|(name, value)| (name.clone(), canonical(value, values))).collect();
            fields.sort_by(|(one, _), (other, _)| one.cmp(other));
            Value::Object(fields)
        }
        (Kind::Either(kinds), _) => match kinds.iter().find(|kind| fits(kind, value)) {
            Some(kind) => canonical(value, kind),
            None => value.clone(),
        },
        (Kind::Text(form), Value::Text(text)) if form.name.get() == forms::DURATION.text.name.get() => {
            (forms::DURATION.parse)(text).map_or_else(|| value.clone(), |time| Value::Number(time as f64))
        }
        (_, _) => value.clone(),
    }
}

fn canonical_object(value: &Value, object: &'static Object) -> Value {
    let fields = object.fields.get().iter().filter_map(|field| {
        let written = value.get(field.name).filter(|value| **value != Value::Null);
        let value = match (written, field.need) {
            (Some(value), _) => canonical(value, &field.kind),
            (None, Need::Default(literal)) => canonical(&Value::from(literal), &field.kind),
            (None, Need::Required | Need::Else(_)) => return None,
        };
        Some((field.name.to_owned(), value))
    });
    Value::Object(fields.collect())
}

fn canonical_list(list: &[Value], of: &Kind) -> Value {
    Value::List(list.iter().map(|one| canonical(one, of)).collect())
}

/// Whether a value can be of this type, by its shape.
fn fits(kind: &Kind, value: &Value) -> bool {
    match (kind, value) {
        (Kind::Object(_) | Kind::Map { .. }, Value::Object(_)) => true,
        (Kind::List(_) | Kind::AnyList(_) | Kind::Statuses, Value::List(_)) => true,
        (Kind::OneOrList(of), one) => matches!(one, Value::List(_)) || fits(of, one),
        (Kind::Either(kinds), _) => kinds.iter().any(|kind| fits(kind, value)),
        (Kind::Flag, Value::Bool(_)) => true,
        (Kind::Number(_) | Kind::Thousandths(_), Value::Number(_)) => true,
        (Kind::Words(_) | Kind::Text(_), Value::Text(_)) => true,
        (_, _) => false,
    }
}

fn object_of(kind: &Kind) -> Option<&'static Object> {
    match kind {
        Kind::Object(object) => Some(object),
        Kind::OneOrList(of) => object_of(of),
        Kind::Either(kinds) => kinds.iter().find_map(object_of),
        Kind::Flag
        | Kind::Number(_)
        | Kind::Thousandths(_)
        | Kind::Words(_)
        | Kind::Text(_)
        | Kind::Statuses
        | Kind::List(_)
        | Kind::AnyList(_)
        | Kind::Map { .. } => None,
    }
}

/// A value on one line, cut if it is long.
pub(super) fn shown(value: &Value) -> String {
    const LENGTH: usize = 160;
    let text = match value {
        Value::Text(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Object(_) => {
            serde_json::to_string(value).unwrap_or_default()
        }
    };
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match text.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// Documentation without its Markdown, up to the end of its first sentence.
pub(super) fn plain(text: &str) -> String {
    let text = text.split(". ").next().unwrap_or(text);
    crate::describe::plain(text)
}
