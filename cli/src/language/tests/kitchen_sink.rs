//! The policy file to copy from has all that the language has.

use super::super::*;
use crate::document::{Document, Syntax};
use serde_json::Value as Json;
use std::collections::BTreeSet;
use tollgate::reply::Variable;

const FILE: &str = include_str!("../../../../envoy/policies/kitchen-sink.yaml");

/// Every field that is there, as `object.field`.
struct Seen(BTreeSet<String>);

impl Seen {
    fn object(&mut self, name: &str, json: &Json) {
        let all = objects();
        let Some(object) = all.iter().find(|object| object.name.get() == name) else { return };
        for field in object.fields.get() {
            let Some(value) = json.get(field.name) else { continue };
            let place = format!("{name}.{}", field.name);
            self.value(&field.kind, value);
            self.0.insert(place);
        }
    }

    /// A value that is of another kind is passed over: so each of several kinds is tried.
    fn value(&mut self, kind: &Kind, value: &Json) {
        match (kind, value) {
            (Kind::Object(object), Json::Object(_)) => self.object(object.name.get(), value),
            (Kind::List(of) | Kind::AnyList(of) | Kind::OneOrList(of), Json::Array(values)) => {
                values.iter().for_each(|value| self.value(of, value));
            }
            (Kind::OneOrList(of), _) => self.value(of, value),
            (Kind::Map { values: of, .. }, Json::Object(values)) => {
                values.values().for_each(|value| self.value(of, value));
            }
            (Kind::Either(kinds), _) => kinds.iter().for_each(|kind| self.value(kind, value)),
            _ => {}
        }
    }
}

#[test]
fn the_file_with_all_fields_has_all_fields() {
    let document = Document::read(FILE, Syntax::Yaml).unwrap();
    let policy: Json = serde_json::from_str(&document.value.to_json()).unwrap();
    let mut seen = Seen(BTreeSet::new());
    seen.object("configuration", &policy);
    let all = objects().into_iter().flat_map(|object| {
        object.fields.get().iter().map(|field| format!("{}.{}", object.name.get(), field.name))
    });
    // The other kinds of matches have the fields of a match.
    let like_a_match = |field: &str| field.replace("exception.", "match.").replace("return.", "match.");
    let is_seen = |field: &String| seen.0.contains(field) || seen.0.contains(&like_a_match(field));
    let missing: Vec<_> = all.filter(|field| !is_seen(field)).collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn the_file_with_all_fields_names_every_word() {
    for kind in objects().into_iter().flat_map(leaves_of) {
        for (word, _) in words(&kind) {
            assert!(FILE.contains(word), "{word}");
        }
    }
    for variable in Variable::usable(false, false) {
        assert!(FILE.contains(&format!("{{{}}}", variable.word())), "{}", variable.word());
    }
}
