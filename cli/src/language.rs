//! The policy language as a JSON Schema and as a page, both made from [its declaration](tollgate::language).

mod reference;
mod schema;

pub use reference::reference;
pub use schema::{schema, test_schema};

use tollgate::config::{Effect, Effects, Field, Kind, Literal, Need, Object, Phrase, Rule, Text};
use tollgate::language::configuration;

/// All objects of the language, the whole configuration first, in the order in which its fields lead to them.
pub fn objects() -> Vec<&'static Object> {
    objects_in(&configuration::OBJECT)
}

/// All objects of a language, the given one first, in the order in which its fields lead to them.
pub fn objects_in(object: &'static Object) -> Vec<&'static Object> {
    let mut objects = Vec::new();
    add(object, &mut objects);
    objects
}

fn add(object: &'static Object, objects: &mut Vec<&'static Object>) {
    if objects.iter().any(|known| known.name.get() == object.name.get()) {
        return;
    }
    objects.push(object);
    for kind in leaves_of(object) {
        if let Kind::Object(inner) = kind {
            add(inner, objects);
        }
    }
}

/// The forms of texts that the language has, in the order in which its objects name them.
fn forms() -> Vec<&'static Text> {
    let mut forms: Vec<&'static Text> = Vec::new();
    for kind in objects().into_iter().flat_map(leaves_of) {
        if let Kind::Text(form) = kind
            && !forms.iter().any(|known| known.name.get() == form.name.get())
        {
            forms.push(form);
        }
    }
    forms
}

/// The types that the fields of an object are made of.
fn leaves_of(object: &'static Object) -> Vec<Kind> {
    object.fields.get().iter().flat_map(|field| leaves(&field.kind)).collect()
}

/// The types that a type is made of.
fn leaves(kind: &Kind) -> Vec<Kind> {
    match kind {
        Kind::List(of) | Kind::AnyList(of) | Kind::OneOrList(of) => leaves(of),
        Kind::Map { names, values } => {
            let mut all = vec![Kind::Text(names)];
            all.extend(leaves(values));
            all
        }
        Kind::Either(kinds) => kinds.iter().flat_map(leaves).collect(),
        Kind::Flag
        | Kind::Number(_)
        | Kind::Thousandths(_)
        | Kind::Words(_)
        | Kind::Text(_)
        | Kind::Statuses
        | Kind::Object(_) => vec![*kind],
    }
}

/// The words that a value may be, also as one of several types, with what they mean.
pub fn words(kind: &Kind) -> Vec<(&'static str, Phrase)> {
    match kind {
        Kind::Words(words) => (0..).map_while(|position| words.at(position)).collect(),
        Kind::Either(kinds) => kinds.iter().flat_map(words).collect(),
        Kind::Flag
        | Kind::Number(_)
        | Kind::Thousandths(_)
        | Kind::Text(_)
        | Kind::Statuses
        | Kind::Object(_)
        | Kind::List(_)
        | Kind::AnyList(_)
        | Kind::OneOrList(_)
        | Kind::Map { .. } => Vec::new(),
    }
}

/// What a field means, with what it needs beside it.
fn about(object: &Object, field: &Field) -> String {
    let about = field.about.get();
    let said = object.rules.iter().find_map(|rule| match *rule {
        Rule::OnlyWith(name, others) if name == field.name => {
            Some(format!("with {}: {about}", either_of(others)))
        }
        Rule::ByWord(_, effects) => Some(about_by_word(field, effects)),
        Rule::OnlyWith(..) | Rule::NotBoth(..) | Rule::ExactlyOne(_) => None,
    });
    said.unwrap_or_else(|| about.into())
}

/// What a field means, with the words of another one with which it has an effect.
fn about_by_word(field: &Field, effects: &dyn Effects) -> String {
    let (with, without) = (effects.words_with(field.name, true), effects.words_with(field.name, false));
    let condition = match (with.len(), without.len()) {
        (_, 0) => String::new(),
        (few, more) if few <= more => format!("with {}: ", either_of(&with)),
        (_, _) => format!("not with {}: ", either_of(&without)),
    };
    let only = with.iter().filter_map(|word| match effects.effect(word, field.name) {
        Effect::Only(value) => Some(format!("; `{word}` allows only `{value}`")),
        Effect::Any | Effect::None => None,
    });
    [condition, field.about.get().into()].into_iter().chain(only).collect()
}

/// What holds without a field. `None`: it is required.
fn otherwise(object: &Object, field: &Field) -> Option<String> {
    let declared = match field.need {
        Need::Required => return None,
        Need::Default(Literal::Flag(flag)) => format!("`{flag}`"),
        Need::Default(Literal::Number(number)) => format!("`{number}`"),
        Need::Default(Literal::Text(text)) => format!("`{text}`"),
        Need::Else(otherwise) => otherwise.get().to_string(),
    };
    let by_word = object.rules.iter().find_map(|rule| match *rule {
        Rule::ByWord(_, effects) => Some(otherwise_by_word(field, effects)),
        Rule::OnlyWith(..) | Rule::NotBoth(..) | Rule::ExactlyOne(_) => None,
    });
    Some(declared + &by_word.unwrap_or_default())
}

/// What holds without a field with some words of another one: `; with `a` or `b`: c`.
fn otherwise_by_word(field: &Field, effects: &dyn Effects) -> String {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for word in effects.words_with(field.name, true) {
        let Some(otherwise) = effects.otherwise(word, field.name) else { continue };
        match groups.iter_mut().find(|(known, _)| *known == otherwise) {
            Some((_, words)) => words.push(word),
            None => groups.push((otherwise, vec![word])),
        }
    }
    let group =
        |(otherwise, words): (String, Vec<&str>)| format!("; with {}: {otherwise}", either_of(&words));
    groups.into_iter().map(group).collect()
}

/// `a`, `a or b`, `a, b or c`, each as code.
fn either_of(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => String::new(),
        [name] => name.clone(),
        [names @ .., last] => format!("{} or {last}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests;
