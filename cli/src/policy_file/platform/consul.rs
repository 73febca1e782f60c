//! Consul's config entries, and the custom resources that become them: the extension `builtin/wasm` of
//! `service-defaults` and `proxy-defaults`. Consul reads names in any case.

use super::{Context, Found, Object, PolicySource, from_json};
use crate::lint::Warning;
use tollgate::config::{ConfigError, Value, field_path};

const KINDS: [&str; 2] = ["service-defaults", "proxy-defaults"];

/// `service-defaults orders`, if this is a config entry that can have extensions.
pub(super) fn entry_name(value: &Value) -> Option<String> {
    let of = |name| field(value, name).and_then(|(_, value)| value.text());
    let kind = of("kind").filter(|kind| KINDS.contains(kind))?;
    Some(of("name").map_or_else(|| kind.into(), |name| format!("{kind} {name}")))
}

/// A config entry.
pub(super) fn entry(context: &Context<'_>, found: &mut Found) {
    extensions(context, context.value, &context.path, found);
}

/// A `ServiceDefaults` or `ProxyDefaults` of Kubernetes.
pub(super) fn custom_resource(context: &Context<'_>, found: &mut Found) {
    if let Some(spec) = context.value.get("spec") {
        extensions(context, spec, &context.at(&["spec"]), found);
    }
}

fn extensions(context: &Context<'_>, value: &Value, path: &str, found: &mut Found) {
    let Some((name, Value::List(extensions))) = field(value, "envoyextensions") else { return };
    for (i, extension) in extensions.iter().enumerate() {
        let path = format!("{}[{i}]", field_path(path, name));
        if below(extension, &path, &["name"]).and_then(|(_, name)| name.text()) == Some("builtin/wasm") {
            wasm(context, extension, &path, found);
        }
    }
}

fn wasm(context: &Context<'_>, extension: &Value, path: &str, found: &mut Found) {
    let get = |names: &[&str]| below(extension, path, names);
    let text = |names: &[&str]| get(names).and_then(|(_, value)| value.text());
    let plugin = ["arguments", "pluginconfig"];
    let Some((at, _)) = get(&plugin) else { return };
    let of_plugin = |names: &[&str]| text(&[&plugin[..], names].concat());
    let (configured_at, written) = match get(&[&plugin[..], &["configuration"]].concat()) {
        Some((path, value)) => (path, Some(value)),
        None => (field_path(&at, "Configuration"), None),
    };
    let parsed = written.and_then(Value::text).map(|text| from_json(text, &configured_at, context.lines));
    let names = [
        of_plugin(&["name"]),
        of_plugin(&["vmconfig", "code", "local", "filename"]),
        of_plugin(&["vmconfig", "code", "remote", "httpuri", "uri"]),
    ];
    let value = parsed.as_ref().and_then(|(value, _)| value.as_ref().ok());
    if !context.is_ours(&names, value.or(written), found) {
        return;
    }
    let mut object = Object::new(&context.name);
    if !get(&["required"]).is_some_and(|(_, value)| *value == Value::Bool(true)) {
        object.around.push(Warning::new(
            path,
            "not Required: if the module cannot be loaded or ever traps, every request passes without limits",
        ));
    }
    if of_plugin(&["vmconfig", "vmid"]).is_none_or(str::is_empty) {
        object.without_table_name = Some(Warning::new(
            field_path(&at, "VmConfig"),
            "no VmID: the filter shares its counts with every other module that has none; set one, or \
             table.name in the policy",
        ));
    }
    let mut policy = context.policy(written, &configured_at, object);
    if let Some((value, place)) = parsed {
        (policy.value, policy.place) = (value, place);
    } else if written.is_some() {
        let error =
            ConfigError::new("", "an object", "a text with the policy as JSON: Consul hands on only texts");
        policy.value = Err(error);
    }
    found.policies.push(PolicySource { ..policy });
}

/// A field by its name in small letters, and how it is written.
fn field<'a>(value: &'a Value, name: &str) -> Option<(&'a str, &'a Value)> {
    let Value::Object(fields) = value else { return None };
    let is = |own: &str| own.chars().filter(|c| *c != '_').map(|c| c.to_ascii_lowercase()).eq(name.chars());
    fields.iter().rev().find(|(own, _)| is(own)).map(|(own, value)| (own.as_str(), value))
}

/// A field of a field, with its path.
fn below<'a>(value: &'a Value, path: &str, names: &[&str]) -> Option<(String, &'a Value)> {
    names.iter().try_fold((path.to_string(), value), |(path, value), name| {
        let (own, value) = field(value, name)?;
        Some((field_path(&path, own), value))
    })
}
