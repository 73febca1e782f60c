//! No field is without effect: with every algorithm, each field either changes something that can be seen, or
//! is an error.
//!
//! The fields, their words and the algorithms are those that the language declares, so a new one fails here
//! until it has a value to try.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod fields;
mod gateway;
mod scenario;

use fields::{Trial, elsewhere, same_by_nature, trials};
use scenario::trace;
use serde_json::{Value as Json, json};
use tollgate::config::Object;
use tollgate::language::limit;
use tollgate_cli::language::{objects, words};

/// The words of an algorithm, as the language declares them.
fn algorithms() -> Vec<&'static str> {
    words(&limit::ALGORITHM.erased().kind).into_iter().map(|(word, _)| word).collect()
}

/// A configuration whose second policy, `p`, has one limit with this algorithm.
fn base(algorithm: &str) -> Json {
    let mut limit = json!({ "algorithm": algorithm, "quota": 3 });
    match algorithm {
        "concurrency" | "stock" => {}
        "calendar" => limit["window"] = json!("day"),
        _ => limit["window"] = json!("10s"),
    }
    json!({
        "keys": { "k": { "header": "x-key" }, "ip": { "client_ip": {} } },
        "policies": [
            {
                "name": "other", "key": "k", "match": [{ "path": "/v1/b", "cost": 4 }, {}],
                "limits": [{ "quota": 5, "window": "10s" }], "on_contention": "allow"
            },
            { "name": "p", "key": "k", "limits": [limit] }
        ],
        "headers": { "preset": "x-ratelimit", "describes": "p" },
        "access_log": true
    })
}

/// What becomes of one field with one algorithm: `None` if it has an effect or is an error.
fn fault(object: &Object, field: &str, trial: &Trial, algorithm: &str, effects: &mut u32) -> Option<String> {
    let before = trial.beside(&base(algorithm));
    let object = object.name.get();
    let name = format!("{object}.{field}: {} with {algorithm}", trial.value);
    let without = match trace(&before) {
        Ok(without) => without,
        // What it needs is an error with this algorithm, and so it is too.
        Err(_) if trial.needs_more() => return None,
        Err(errors) => return Some(format!("{name}: without it: {errors}")),
    };
    let Ok(with) = trace(&trial.with(&before, field)) else { return None };
    let same = same_by_nature(object, field, &trial.value, algorithm);
    *effects += u32::from(with != without);
    match (with == without, same) {
        (true, None) => Some(format!("{name} changes nothing")),
        (false, Some(_)) => Some(format!("{name} changes something")),
        (true, Some(_)) | (false, None) => None,
    }
}

#[test]
fn every_field_has_an_effect_with_every_algorithm_or_is_an_error() {
    let mut faults = Vec::new();
    for object in objects().into_iter().filter(|object| elsewhere(object.name.get()).is_none()) {
        for field in object.fields.get() {
            let trials = trials(object.name.get(), field);
            let mut effects = 0;
            for (trial, algorithm) in
                trials.iter().flat_map(|trial| algorithms().into_iter().map(move |one| (trial, one)))
            {
                faults.extend(fault(object, field.name, trial, algorithm, &mut effects));
            }
            if effects == 0 && !trials.is_empty() {
                faults.push(format!("{}.{} never has an effect", object.name.get(), field.name));
            }
        }
    }
    assert!(faults.is_empty(), "{} fields:\n{}", faults.len(), faults.join("\n"));
}

/// The policy of a tree, as `tollgate diff` takes it. `None`: it is invalid.
fn side(policy: &Json) -> Option<(tollgate::config::Value, tollgate::compile::Configuration)> {
    let value = serde_json::from_str(&policy.to_string()).unwrap();
    let set = tollgate::compile::compile(&value).ok()?;
    Some((value, set))
}

/// Whether `tollgate diff` sees one.
fn differ(one: &Json, other: &Json) -> Option<bool> {
    let (old, new) = (side(one)?, side(other)?);
    let of = |side: &(_, _)| -> (tollgate::config::Value, tollgate::compile::Configuration) { side.clone() };
    let (old, new) = (of(&old), of(&new));
    let old = tollgate_cli::diff::Side { value: &old.0, set: &old.1 };
    let new = tollgate_cli::diff::Side { value: &new.0, set: &new.1 };
    let diff = tollgate_cli::diff::diff(old, new);
    assert!(diff.changes.iter().all(|change| !change.what.is_empty()), "{diff:?}");
    Some(!diff.is_empty())
}

#[test]
fn every_change_of_a_field_is_a_difference_to_diff() {
    let (mut tried, mut faults) = (0, Vec::new());
    for object in objects().into_iter().filter(|object| elsewhere(object.name.get()).is_none()) {
        for field in object.fields.get() {
            for trial in trials(object.name.get(), field) {
                for algorithm in algorithms() {
                    let before = trial.beside(&base(algorithm));
                    let after = trial.with(&before, field.name);
                    let same = same_by_nature(object.name.get(), field.name, &trial.value, algorithm);
                    let both = [differ(&before, &after), differ(&after, &before)];
                    tried += u32::from(both[0].is_some());
                    if both.contains(&Some(false)) && same.is_none() {
                        faults.push(format!(
                            "{}.{}: {} with {algorithm}",
                            object.name.get(),
                            field.name,
                            trial.value
                        ));
                    }
                    if let Some(differs) = differ(&before, &before) {
                        assert!(!differs, "itself: {before}");
                    }
                }
            }
        }
    }
    assert!(tried > 300, "{tried}");
    assert!(faults.is_empty(), "{} changes are not told:\n{}", faults.len(), faults.join("\n"));
}
