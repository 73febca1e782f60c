//! Envoy Gateway's `EnvoyExtensionPolicy`, and the `EnvoyPatchPolicy` that it needs for a trap.

use super::{Context, Found, Object, filters};
use crate::lint::Warning;
use tollgate::config::{Value, field_path};

pub(super) fn extension_policy(context: &Context<'_>, found: &mut Found) {
    let Some(Value::List(plugins)) = context.get(&["spec", "wasm"]) else { return };
    for (i, plugin) in plugins.iter().enumerate() {
        let path = format!("{}[{i}]", context.at(&["spec", "wasm"]));
        let code = |source: &str| plugin.get("code")?.get(source)?.get("url")?.text();
        let names = [
            context.get(&["metadata", "name"]).and_then(Value::text).filter(|_| plugins.len() == 1),
            plugin.get("name").and_then(Value::text),
            code("http"),
            code("image"),
        ];
        let configuration = plugin.get("config");
        if !context.is_ours(&names, configuration, found) {
            continue;
        }
        let mut object = Object::new(&context.name);
        if plugin.get("failOpen") == Some(&Value::Bool(true)) {
            object.around.push(Warning::new(
                field_path(&path, "failOpen"),
                "if the module cannot be loaded or ever traps, every request passes without limits",
            ));
        }
        if plugins.len() > 1 {
            object.around.push(Warning::new(
                path.as_str(),
                "the vm_id contains the position in this list: if you reorder it, counts begin at zero",
            ));
        }
        object.without_patch = Some(Warning::new(
            path.as_str(),
            "no EnvoyPatchPolicy here sets failure_policy to FAIL_RELOAD: if the module ever traps, that worker \
             answers 503, or with failOpen stops limiting, until Envoy restarts",
        ));
        found.policies.push(context.policy(configuration, &field_path(&path, "config"), object));
    }
}

pub(super) fn patch_policy(context: &Context<'_>, found: &mut Found) {
    let patches = context.get(&["spec", "jsonPatches"]);
    let Some(Value::List(patches)) = patches else { return };
    let reloads = |patch: &Value| {
        let operation = patch.get("operation");
        let of = |name| operation.and_then(|operation| operation.get(name));
        let path = of("path").and_then(Value::text).unwrap_or_default();
        path.ends_with("/failure_policy") && of("value").and_then(Value::text) == Some("FAIL_RELOAD")
    };
    found.is_patch |= patches.iter().any(reloads);
    filters(context, found);
}
