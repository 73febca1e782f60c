//! The labels of Tollgate's counters, which Envoy makes only if its bootstrap says how.

use super::envoy::either;
use crate::lint::Warning;
use tollgate::config::{Value, field_path};

/// A warning about a whole bootstrap that shows counters to somebody, but without the labels of Tollgate's.
pub(super) fn warning(bootstrap: &Value) -> Option<Warning> {
    let has = |name: &str, camel: &str| either(bootstrap, name, camel).is_some();
    let is_whole = has("static_resources", "staticResources") || has("dynamic_resources", "dynamicResources");
    let is_read = has("admin", "admin") || has("stats_sinks", "statsSinks");
    (is_whole && is_read && !has_tags(bootstrap)).then(|| {
        Warning::new(
            field_path("stats_config", "stats_tags"),
            "no tags for Tollgate's counters: the names of policies are parts of the metrics' names, so the board and \
             the alerts have no data; set those that tollgate bootstrap prints",
        )
    })
}

fn has_tags(bootstrap: &Value) -> bool {
    let tags = either(bootstrap, "stats_config", "statsConfig")
        .and_then(|config| either(config, "stats_tags", "statsTags"));
    let Some(Value::List(tags)) = tags else { return false };
    let regex = |tag: &Value| tag.get("regex").and_then(Value::text).map(str::to_owned);
    tags.iter().filter_map(regex).any(|regex| regex.contains("tollgate"))
}
