//! Policies of one fleet.

use super::FLEET;

/// One policy of the fleet for each whole bearer key and each path `/NAME`, with these limits and these further
/// fields.
pub fn by_path(policies: &[(&str, &str, &str)]) -> String {
    by_path_in(FLEET, policies)
}

/// The same in this fleet.
pub fn by_path_in(fleet: &str, policies: &[(&str, &str, &str)]) -> String {
    let one = |(name, limits, more): &(&str, &str, &str)| {
        let more = if more.is_empty() { String::new() } else { format!("    {more}\n") };
        format!(
            "  - name: {name}
    key: api_key
    scope: fleet
    match: [{{ path: /{name} }}]
    limits: [{{ {limits} }}]
{more}"
        )
    };
    let policies: String = policies.iter().map(one).collect();
    format!("keys: {{ api_key: {{ header: authorization, scheme: Bearer }} }}\npolicies:\n{policies}{fleet}")
}
