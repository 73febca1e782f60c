//! The policies that histories are played with: each file that is shipped, and random ones.

use super::cast::Cast;
use super::random_policy;
use std::fs;
use std::path::Path;
use tollgate::config::Value;
use tollgate_cli::policy_file::PolicyFile;

/// A policy and those who play with it.
#[derive(Clone, Debug)]
pub struct Script {
    pub name: String,
    pub document: Value,
    pub cast: Cast,
}

/// All files of `envoy/policies` that are decided in one Envoy, by their names.
pub fn shipped() -> Vec<Script> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("envoy/policies");
    let entries = fs::read_dir(folder).expect("envoy/policies").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "yaml")).collect();
    files.retain(|path| !path.ends_with("fleet.yaml") && !path.to_string_lossy().ends_with(".test.yaml"));
    files.sort();
    files.iter().map(|path| Script::read(path)).collect()
}

/// The file of that name.
pub fn file(name: &str) -> Script {
    shipped().into_iter().find(|script| script.name == name).expect("a file of envoy/policies")
}

impl Script {
    /// The way that `tollgate check` goes.
    fn read(path: &Path) -> Script {
        let text = fs::read_to_string(path).expect("a policy");
        let file = PolicyFile::read("policy.yaml", &text).expect("YAML");
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let document = file.policies[0].value.clone().expect("a policy");
        Script { cast: Cast::of(&name), name, document }
    }

    pub fn random(seed: u64) -> Script {
        let document = random_policy::draw(seed);
        Script { name: "random".into(), document, cast: Cast::of_random() }
    }

    /// One of its policies as it was written, on one line.
    pub fn policy(&self, name: &str) -> String {
        let Some(Value::List(policies)) = self.document.get("policies") else { return String::new() };
        let of_name = |policy: &&Value| policy.get("name").and_then(Value::text) == Some(name);
        let json = policies.iter().find(of_name).map(Value::to_json).unwrap_or_default();
        json.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The same with so many percent of each quota.
    pub fn scaled(&self, percent: u64) -> Value {
        scaled(&self.document, percent)
    }
}

fn scaled(value: &Value, percent: u64) -> Value {
    // A quota below what a request holds would be an error.
    let part = |units: f64| (units * percent as f64 / 100.0).floor().max(units.min(2.0));
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(name, value)| match (name.as_str(), value) {
                    ("quota", Value::Number(units)) => (name.clone(), Value::Number(part(*units))),
                    ("quota", Value::Object(tiers)) => (name.clone(), Value::Object(of_each(tiers, part))),
                    _ => (name.clone(), scaled(value, percent)),
                })
                .collect(),
        ),
        Value::List(list) => Value::List(list.iter().map(|value| scaled(value, percent)).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => value.clone(),
    }
}

fn of_each(tiers: &[(String, Value)], part: impl Fn(f64) -> f64) -> Vec<(String, Value)> {
    let of_one = |(tier, quota): &(String, Value)| match quota {
        Value::Number(units) => (tier.clone(), Value::Number(part(*units))),
        other => (tier.clone(), other.clone()),
    };
    tiers.iter().map(of_one).collect()
}
