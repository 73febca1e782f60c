//! Objects that Kubernetes or Consul turn into Envoy configurations: which of them have a Tollgate policy, and
//! what goes wrong around it.
//!
//! A platform is one file here, and one line in `platforms`.

mod config_map;
mod consul;
mod envoy_gateway;
mod istio;

use super::envoy;
use super::place::{Lines, PolicyPlace};
use super::{Plugins, PolicySource};
use crate::document::{Document, LineMap, Syntax};
use crate::lint::Warning;
use tollgate::compile::Configuration;
use tollgate::config::{ConfigError, Value, field_path};

/// The object that a policy is in.
#[derive(Debug)]
pub(super) struct Object {
    /// Its kind and name: `WasmPlugin shop/tollgate`.
    pub name: String,
    /// What is wrong around the policy, whatever it says.
    around: Vec<Warning>,
    /// What is wrong if the table has no name.
    without_table_name: Option<Warning>,
    /// What is wrong if no other object changes what happens after a trap.
    without_patch: Option<Warning>,
    /// Whether one does.
    pub is_patched: bool,
}

impl Object {
    fn new(name: &str) -> Object {
        Object {
            name: name.into(),
            around: Vec::new(),
            without_table_name: None,
            without_patch: None,
            is_patched: false,
        }
    }

    /// Warnings about what is around a policy.
    pub fn warnings(&self, set: &Configuration) -> Vec<Warning> {
        let unnamed = self.without_table_name.iter().filter(|_| set.rules.table_name.is_none());
        let unpatched = self.without_patch.iter().filter(|_| !self.is_patched);
        self.around.iter().chain(unnamed).chain(unpatched).cloned().collect()
    }
}

/// What was found in an object.
#[derive(Default)]
pub(super) struct Found {
    pub policies: Vec<PolicySource>,
    /// What may be Tollgate's and was passed over.
    pub notes: Vec<(Option<usize>, String)>,
    /// Whether it changes what Envoy Gateway does after a trap.
    pub is_patch: bool,
}

/// An object of a platform.
struct Context<'a> {
    value: &'a Value,
    /// Its path in the document.
    path: String,
    /// Its kind and name.
    name: String,
    lines: &'a Lines,
    plugins: Plugins,
}

/// How the objects of a kind are read.
type Read = fn(&Context<'_>, &mut Found);

/// The reader for a group of an API and a kind.
fn reader(group: &str, kind: &str) -> Read {
    match (group, kind) {
        ("extensions.istio.io", "WasmPlugin") => istio::wasm_plugin,
        ("gateway.envoyproxy.io", "EnvoyExtensionPolicy") => envoy_gateway::extension_policy,
        ("gateway.envoyproxy.io", "EnvoyPatchPolicy") => envoy_gateway::patch_policy,
        ("consul.hashicorp.com", "ServiceDefaults" | "ProxyDefaults") => consul::custom_resource,
        ("", "ConfigMap") => config_map::texts,
        // An EnvoyFilter, or any other object with a filter as Envoy has it.
        _ => filters,
    }
}

/// The policies of an object. `None`: the document is no object of a platform.
pub(super) fn policies(value: &Value, lines: &Lines, plugins: Plugins) -> Option<Found> {
    let mut found = Found::default();
    if let Some(name) = consul::entry_name(value) {
        let context = Context { value, path: String::new(), name, lines, plugins };
        consul::entry(&context, &mut found);
        return Some(found);
    }
    let (_, kind) = api_of(value)?;
    match repeated(value) {
        Some(error) => found.policies.push(PolicySource {
            object: Some(Object::new(&name_of(value, kind))),
            ..PolicySource::of(Err(error), PolicyPlace::Value(String::new()), lines)
        }),
        None => read_object(value, String::new(), lines, plugins, &mut found),
    }
    Some(found)
}

/// A field that an object has twice: two files, one after the other, without `---` between them are one document,
/// of which Kubernetes would see the second part.
fn repeated(value: &Value) -> Option<ConfigError> {
    let Value::Object(fields) = value else { return None };
    let twice = |name: &str| fields.iter().filter(|(own, _)| own == name).count() > 1;
    let name = ["apiVersion", "kind", "metadata", "spec", "data"].into_iter().find(|name| twice(name))?;
    Some(ConfigError::new(name, "the same name twice", "each name once, and --- between documents"))
}

/// The version of its API and the kind of an object.
fn api_of(value: &Value) -> Option<(&str, &str)> {
    Some((value.get("apiVersion")?.text()?, value.get("kind")?.text()?))
}

fn read_object(value: &Value, path: String, lines: &Lines, plugins: Plugins, found: &mut Found) {
    let Some((version, kind)) = api_of(value) else { return };
    if kind.ends_with("List")
        && let Some(Value::List(items)) = value.get("items")
    {
        for (i, item) in items.iter().enumerate() {
            let path = format!("{}[{i}]", field_path(&path, "items"));
            // A list in a list is nothing that Kubernetes has.
            if api_of(item).is_some_and(|(_, kind)| !kind.ends_with("List")) {
                read_object(item, path, lines, plugins, found);
            }
        }
        return;
    }
    let group = version.rsplit_once('/').map_or("", |(group, _)| group);
    let name = name_of(value, kind);
    let read = reader(group, kind);
    read(&Context { value, path, name, lines, plugins }, found);
}

/// `WasmPlugin shop/tollgate`.
fn name_of(value: &Value, kind: &str) -> String {
    let of = |field| value.get("metadata").and_then(|metadata| metadata.get(field)).and_then(Value::text);
    match (of("namespace"), of("name").or_else(|| of("generateName"))) {
        (Some(namespace), Some(name)) => format!("{kind} {namespace}/{name}"),
        (None, Some(name)) => format!("{kind} {name}"),
        (_, None) => kind.into(),
    }
}

/// Filters as Envoy has them, anywhere in an object.
fn filters(context: &Context<'_>, found: &mut Found) {
    let around = envoy::filters_below(context.value, &context.path, context.lines);
    found.policies.extend(
        around.into_iter().map(|policy| PolicySource { object: Some(Object::new(&context.name)), ..policy }),
    );
}

impl Context<'_> {
    /// The path of a field of a field.
    fn at(&self, fields: &[&str]) -> String {
        fields.iter().fold(self.path.clone(), |path, field| field_path(&path, field))
    }

    /// A field of a field.
    fn get(&self, fields: &[&str]) -> Option<&Value> {
        fields.iter().try_fold(self.value, |value, field| value.get(field))
    }

    /// Whether a plugin is Tollgate's, by what it is called and by how it is configured. If that is not certain
    /// it is passed over with a note.
    fn is_ours(&self, names: &[Option<&str>], configuration: Option<&Value>, found: &mut Found) -> bool {
        let is_called_so = |name: &Option<&str>| name.is_some_and(|name| name.contains("tollgate"));
        if self.plugins == Plugins::All || names.iter().any(is_called_so) {
            return true;
        }
        let has = |field| configuration.and_then(|value| value.get(field)).is_some();
        match (has("keys"), has("policies")) {
            (true, true) => true,
            (false, false) => false,
            (keys, _) => {
                let field = if keys { "keys" } else { "policies" };
                let note = format!(
                    "{}: passed over, because it may not be Tollgate's: nothing is called tollgate, but its \
                     configuration has {field}; --all checks every Wasm plugin",
                    self.name
                );
                found.notes.push((self.lines.of(&self.path), note));
                false
            }
        }
    }

    /// The policy in a plugin's configuration, which the platform hands over as JSON text.
    fn policy(&self, configuration: Option<&Value>, at: &str, object: Object) -> PolicySource {
        let value = configuration.cloned().ok_or_else(|| {
            ConfigError::new("", "a plugin without a configuration", "a policy as its configuration")
        });
        let place = PolicyPlace::Value(at.into());
        PolicySource { object: Some(object), ..PolicySource::of(value, place, self.lines) }
    }
}

/// A policy that is JSON in the text with this path, and where it is.
pub(super) fn from_json(text: &str, at: &str, lines: &Lines) -> (Result<Value, ConfigError>, PolicyPlace) {
    match Document::read(text, Syntax::Json) {
        Ok(document) => (Ok(document.value), PolicyPlace::Text(lines.of_text(at, document.lines))),
        Err(error) => {
            let found = format!("text that is not JSON ({})", error.found);
            let lines = lines.of_text(at, LineMap::default()).or_at(error.line);
            (Err(ConfigError::new("", &found, "a policy as JSON")), PolicyPlace::Text(lines))
        }
    }
}
