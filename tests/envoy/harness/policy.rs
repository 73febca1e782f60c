//! The smallest policies, for tests that are about something else.

/// One limit, named `key/limit`, for each whole bearer key.
pub fn per_key(quota: u32, window: &str) -> String {
    per_key_limit(&format!("quota: {quota}, window: {window}"))
}

/// One limit with these fields, named `key/limit`, for each whole bearer key. Further fields of the policy
/// may be added at the end, indented by four.
pub fn per_key_limit(fields: &str) -> String {
    format!(
        "keys:
  api_key: {{ header: authorization, scheme: Bearer }}
policies:
  - name: key
    key: api_key
    limits: [{{ {fields} }}]
"
    )
}

/// One limit, named `ip/limit`, for each client address.
pub fn per_address(quota: u32, window: &str) -> String {
    format!(
        "keys:
  client_ip: {{ client_ip: {{}} }}
policies:
  - name: ip
    key: client_ip
    limits: [{{ quota: {quota}, window: {window} }}]
"
    )
}

/// For each whole bearer key and each path `/algorithm` one limit by that algorithm, with these further
/// fields of the limit and of the policy.
pub fn per_algorithm(algorithms: &[&str], limit: &str, policy: &str) -> String {
    let one = |algorithm: &&str| {
        format!(
            "  - name: {algorithm}
    key: api_key
    match: [{{ path: /{algorithm} }}]
    limits: [{{ algorithm: {algorithm}, {limit} }}]
    {policy}
"
        )
    };
    let policies: String = algorithms.iter().map(one).collect();
    format!("keys: {{ api_key: {{ header: authorization, scheme: Bearer }} }}\npolicies:\n{policies}")
}
