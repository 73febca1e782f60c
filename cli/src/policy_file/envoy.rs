//! Tollgate filters in an Envoy configuration, with warnings about the configuration around them.

use super::cors::warn_cors;
use super::place::{Lines, PolicyPlace};
use super::{PolicySource, base64, platform, stats_tags};
use crate::inspect::{counts_addresses, matches_paths};
use crate::lint::Warning;
use tollgate::compile::Configuration;
use tollgate::config::{ConfigError, Value, field_path};

const WASM_FILTER: &str = "envoy.extensions.filters.http.wasm.v3.Wasm";
/// How a control plane wraps a configuration that it has no type for, now and before.
const TYPED_STRUCTS: [&str; 2] = ["xds.type.v3.TypedStruct", "udpa.type.v1.TypedStruct"];
const CONNECTION_MANAGER: &str = "filters.network.http_connection_manager.v3.HttpConnectionManager";

/// Fields of a policy that no Envoy configuration has.
const OF_A_POLICY: [&str; 2] = ["policies", "keys"];

/// Fields of an Envoy configuration, a file of resources or a single resource that no policy has.
const OF_ENVOY: [&str; 8] = [
    "static_resources",
    "staticResources",
    "dynamic_resources",
    "dynamicResources",
    "resources",
    "filter_chains",
    "http_filters",
    "@type",
];

/// A Tollgate filter of an Envoy configuration.
#[derive(Debug)]
pub struct Filter {
    /// Its name in the list of HTTP filters.
    pub name: String,
    /// The path of the plugin configuration.
    path: String,
    /// The plugin configuration.
    config: Value,
    /// The path of its connection manager and the manager itself; `None` if the filter is in a file of its
    /// own.
    manager: Option<(String, Value)>,
    /// What is wrong with the bootstrap, if this is its first Tollgate filter.
    of_bootstrap: Option<Warning>,
}

/// Whether this is an Envoy configuration rather than a policy.
pub(super) fn is_envoy(value: &Value) -> bool {
    let has = |names: &[&str]| names.iter().any(|name| value.get(name).is_some());
    has(&OF_ENVOY) && !has(&OF_A_POLICY)
}

/// Whether a value has a field that only policies have.
pub(super) fn has_policy_fields(value: &Value) -> bool {
    OF_A_POLICY.iter().any(|name| value.get(name).is_some())
}

/// All policies in an Envoy configuration, in the order of the file.
pub(super) fn filters(file: &Value, lines: &Lines) -> Vec<PolicySource> {
    let mut found = filters_below(file, "", lines);
    if let Some(first) = found.iter_mut().find_map(|policy| policy.filter.as_mut()) {
        first.of_bootstrap = stats_tags::warning(file);
    }
    found
}

/// All policies in a value with this path.
pub(super) fn filters_below(value: &Value, path: &str, lines: &Lines) -> Vec<PolicySource> {
    let mut found = Vec::new();
    walk(value, &Surroundings { at: At::Root(path), name: "", manager: None, lines }, &mut found);
    found
}

/// What surrounds a value.
#[derive(Clone, Copy)]
struct Surroundings<'a> {
    at: At<'a>,
    /// The nearest field `name`.
    name: &'a str,
    manager: Option<(&'a At<'a>, &'a Value)>,
    lines: &'a Lines,
}

/// Where a value is. Only few of the paths in a file are ever written out.
#[derive(Clone, Copy)]
enum At<'a> {
    /// At this path.
    Root(&'a str),
    /// The field with this name.
    Field(&'a At<'a>, &'a str),
    /// The entry with this index.
    Entry(&'a At<'a>, usize),
}

impl At<'_> {
    fn path(&self) -> String {
        match self {
            At::Root(path) => (*path).into(),
            At::Field(object, name) => field_path(&object.path(), name),
            At::Entry(list, index) => format!("{}[{index}]", list.path()),
        }
    }
}

fn walk(value: &Value, around: &Surroundings<'_>, found: &mut Vec<PolicySource>) {
    match value {
        Value::List(entries) => {
            for (i, entry) in entries.iter().enumerate() {
                walk(entry, &Surroundings { at: At::Entry(&around.at, i), ..*around }, found);
            }
        }
        Value::Object(fields) => {
            if has_type(value, WASM_FILTER) {
                found.extend(policy_source(value, around));
                return;
            }
            if TYPED_STRUCTS.iter().any(|name| has_type(value, name))
                && let Some(inner) = value.get("value")
                && either(value, "type_url", "typeUrl")
                    .and_then(Value::text)
                    .is_some_and(|url| url.ends_with(WASM_FILTER))
            {
                let at = At::Field(&around.at, "value");
                found.extend(policy_source(inner, &Surroundings { at, ..*around }));
                return;
            }
            let name = value.get("name").and_then(Value::text).unwrap_or(around.name);
            let manager =
                if has_type(value, CONNECTION_MANAGER) { Some((&around.at, value)) } else { around.manager };
            for (field, value) in fields {
                let at = At::Field(&around.at, field);
                walk(value, &Surroundings { at, name, manager, ..*around }, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {}
    }
}

fn has_type(value: &Value, name: &str) -> bool {
    value.get("@type").and_then(Value::text).is_some_and(|found| found.ends_with(name))
}

/// The policy of a Wasm filter, if it is a Tollgate filter.
fn policy_source(filter: &Value, around: &Surroundings<'_>) -> Option<PolicySource> {
    let config = filter.get("config")?;
    let path = field_path(&around.at.path(), "config");
    let ours = [around.name, name_of(config)].iter().any(|name| name.contains("tollgate"));
    let written = written(config, &path, around.lines);
    // Whatever cannot be read is a policy if it is called so, or if it looks like one.
    let is_ours = match &written.value {
        Ok(value) => ours || has_policy_fields(value),
        Err(_) => ours || written.is_meant,
    };
    if !is_ours {
        return None;
    }
    let manager = around.manager.as_ref().map(|(at, manager)| (at.path(), (*manager).clone()));
    let filter =
        Filter { name: around.name.into(), path, config: config.clone(), manager, of_bootstrap: None };
    Some(PolicySource {
        filter: Some(filter),
        ..PolicySource::of(written.value, written.place, around.lines)
    })
}

/// What a plugin gets as its configuration.
struct Written {
    value: Result<Value, ConfigError>,
    place: PolicyPlace,
    /// Whether a text that cannot be read has the words of a policy.
    is_meant: bool,
}

/// The configuration of the plugin with this path.
fn written(config: &Value, path: &str, lines: &Lines) -> Written {
    const ALLOWED: &str = "a google.protobuf.Struct, StringValue or BytesValue";
    let at = field_path(path, "configuration");
    let wrong = |found: &str, allowed: &str| Written {
        value: Err(ConfigError::new("", found, allowed)),
        place: PolicyPlace::Value(at.clone()),
        is_meant: false,
    };
    let Some(configuration) = config.get("configuration").filter(|value| **value != Value::Null) else {
        return wrong("a filter without a configuration", "a policy as its configuration");
    };
    let value = configuration.get("value");
    let text = value.and_then(Value::text).unwrap_or_default();
    let at = field_path(&at, "value");
    let json = |text: &str, lines: &Lines| {
        let (value, place) = platform::from_json(text, &at, lines);
        Written { value, place, is_meant: platform::has_words_of_a_policy(text) }
    };
    if has_type(configuration, "google.protobuf.StringValue") {
        return json(text, lines);
    }
    if has_type(configuration, "google.protobuf.BytesValue") {
        let decoded = base64::decode(text).and_then(|bytes| String::from_utf8(bytes).ok());
        return match decoded {
            Some(text) => json(&text, &Lines::at(lines.of(&at))),
            None => wrong("bytes that are not base64 of text", "a policy as JSON"),
        };
    }
    match value.filter(|_| has_type(configuration, "google.protobuf.Struct")) {
        Some(value) => Written { value: Ok(value.clone()), place: PolicyPlace::Value(at), is_meant: false },
        None => wrong("a configuration of another type, or without a value", ALLOWED),
    }
}

fn name_of(config: &Value) -> &str {
    config.get("name").and_then(Value::text).unwrap_or_default()
}

impl Filter {
    /// Warnings about the configuration around the policy.
    pub(super) fn warnings(&self, set: &Configuration) -> Vec<Warning> {
        let mut warnings = Vec::new();
        self.warn_plugin(set, &mut warnings);
        if let Some((path, manager)) = &self.manager {
            if counts_addresses(set) {
                warn_address(path, manager, &mut warnings);
            }
            if matches_paths(set) {
                warn_paths(path, manager, &mut warnings);
            }
            warn_cors(set, &self.config, (path, manager), &mut warnings);
        }
        warnings.extend(self.of_bootstrap.clone());
        warnings
    }

    fn warn_plugin(&self, set: &Configuration, warnings: &mut Vec<Warning>) {
        let vm = either(&self.config, "vm_config", "vmConfig");
        let id = vm.and_then(|vm| either(vm, "vm_id", "vmId")).and_then(Value::text);
        if id.is_none_or(str::is_empty) && set.rules.table_name.is_none() {
            warnings.push(Warning::new(
                field_path(&self.path, "vm_config"),
                "no vm_id: the filter shares its counts with every other module that has none; set one, or \
                 table.name in the policy",
            ));
        }
        let policy = either(&self.config, "failure_policy", "failurePolicy").and_then(Value::text);
        if !policy.is_some_and(|word| word.eq_ignore_ascii_case("FAIL_RELOAD")) {
            warnings.push(Warning::new(
                field_path(&self.path, "failure_policy"),
                "not FAIL_RELOAD: if the module ever traps, that worker stops limiting, or serving, for good; \
                 with FAIL_RELOAD the module is reloaded and the counts are kept",
            ));
        }
    }
}

/// Without the peer's address and without trusted proxies, Envoy believes the address that the client claims.
fn warn_address(path: &str, manager: &Value, warnings: &mut Vec<Warning>) {
    let peer = is_true(either(manager, "use_remote_address", "useRemoteAddress"));
    let hops = either(manager, "xff_num_trusted_hops", "xffNumTrustedHops");
    let trusted = matches!(hops, Some(Value::Number(hops)) if *hops > 0.0);
    let extension =
        either(manager, "original_ip_detection_extensions", "originalIpDetectionExtensions").is_some();
    if !peer && !trusted && !extension {
        warnings.push(Warning::new(
            field_path(path, "use_remote_address"),
            "a policy counts by client_ip, but clients can choose their address with x-forwarded-for; \
             set use_remote_address: true and, behind your own proxies, xff_num_trusted_hops",
        ));
    }
}

/// Without normalization, a differently written path bypasses a policy that matches by path.
fn warn_paths(path: &str, manager: &Value, warnings: &mut Vec<Warning>) {
    for (name, camel, slip) in
        [("normalize_path", "normalizePath", "/a/../v1 or /%761"), ("merge_slashes", "mergeSlashes", "//v1")]
    {
        if !is_true(either(manager, name, camel)) {
            let says = format!(
                "a policy matches by path, and without {name}: true a request for {slip} bypasses it"
            );
            warnings.push(Warning::new(field_path(path, name), says));
        }
    }
    let slashes = either(manager, "path_with_escaped_slashes_action", "pathWithEscapedSlashesAction");
    let kept = ["KEEP_UNCHANGED", "IMPLEMENTATION_SPECIFIC_DEFAULT"];
    if slashes.and_then(Value::text).is_none_or(|word| kept.contains(&word)) {
        warnings.push(Warning::new(
            field_path(path, "path_with_escaped_slashes_action"),
            "a policy matches by path, and an upstream may take %2F for a slash, which Envoy does not; \
             set UNESCAPE_AND_REDIRECT or REJECT_REQUEST",
        ));
    }
}

/// A field by its name in the API, or by its name in JSON: Envoy accepts both.
pub(super) fn either<'a>(value: &'a Value, name: &str, camel: &str) -> Option<&'a Value> {
    value.get(name).or_else(|| value.get(camel)).filter(|value| **value != Value::Null)
}

/// Whether a flag is true. Flags may be wrapped: `{ value: true }`.
fn is_true(value: Option<&Value>) -> bool {
    value.is_some_and(|value| *value == Value::Bool(true) || value.get("value") == Some(&Value::Bool(true)))
}
