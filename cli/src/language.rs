//! The policy language as a JSON Schema and as a page, both made from [its declaration](tollgate::language).

mod reference;
mod schema;
mod variables;

pub use reference::reference;
pub use schema::schema;

use tollgate::config::{Doc, Field, Kind, Object, Rule, Text};
use tollgate::language::configuration;

/// All objects of the language, the whole configuration first, in the order in which its fields lead to them.
pub fn objects() -> Vec<&'static Object> {
    let mut objects = Vec::new();
    add(&configuration::OBJECT, &mut objects);
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
        Kind::Flag | Kind::Number(_) | Kind::Words(_) | Kind::Text(_) | Kind::Statuses | Kind::Object(_) => {
            vec![*kind]
        }
    }
}

/// The words that a value may be, also as one of several types, with what they mean.
pub fn words(kind: &Kind) -> Vec<(&'static str, Doc)> {
    match kind {
        Kind::Words(words) => (0..).map_while(|position| words.at(position)).collect(),
        Kind::Either(kinds) => kinds.iter().flat_map(words).collect(),
        Kind::Flag
        | Kind::Number(_)
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
    let needs = object.rules.iter().find_map(|rule| match *rule {
        Rule::OnlyWith(name, others) | Rule::OnlyWithWord(name, _, others) if name == field.name => {
            Some(format!("with {}: ", either_of(others)))
        }
        Rule::NotWithWord(name, _, others) if name == field.name => {
            Some(format!("not with {}: ", either_of(others)))
        }
        Rule::OnlyWith(..)
        | Rule::OnlyWithWord(..)
        | Rule::NotWithWord(..)
        | Rule::NotBoth(..)
        | Rule::ExactlyOne(_) => None,
    });
    needs.unwrap_or_default() + field.about.get()
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
