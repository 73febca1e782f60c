//! Istio's `WasmPlugin`. Its configuration reaches the module as JSON text, and Istio sets no `vm_id`.

use super::{Context, Found, Object};
use crate::lint::Warning;
use tollgate::config::Value;

pub(super) fn wasm_plugin(context: &Context<'_>, found: &mut Found) {
    let text = |fields: &[&str]| context.get(fields).and_then(Value::text);
    let configuration = context.get(&["spec", "pluginConfig"]);
    let url = text(&["spec", "url"]);
    let names = [text(&["metadata", "name"]), url, text(&["spec", "pluginName"])];
    if !context.is_ours(&names, configuration, found) {
        return;
    }
    let at = context.at(&["spec", "pluginConfig"]);
    let mut object = Object::new(&context.name);
    if text(&["spec", "failStrategy"]) != Some("FAIL_RELOAD") {
        object.around.push(Warning::new(
            context.at(&["spec", "failStrategy"]),
            "not FAIL_RELOAD: if the module ever traps, that worker stops limiting, or serving, for good; with \
             FAIL_RELOAD the module is reloaded and the counts are kept",
        ));
    }
    if url.is_some_and(|url| url.starts_with("http")) && text(&["spec", "sha256"]).is_none() {
        object.around.push(Warning::new(
            context.at(&["spec", "sha256"]),
            "no sha256: whoever answers at the url decides what runs in the proxy",
        ));
    }
    object.without_table_name = Some(Warning::new(
        at.as_str(),
        "no table.name: Istio sets no vm_id, so all modules of a proxy share one namespace, and two Tollgates \
         one table; give each table a name of its own",
    ));
    found.policies.push(context.policy(configuration, &at, object));
}
