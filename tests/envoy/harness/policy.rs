//! The two smallest policies, for tests that are about something else.

/// One limit, named `key/limit`, for each whole bearer key.
pub fn per_key(quota: u32, window: &str) -> String {
    format!(
        "keys:
  api_key: {{ header: authorization, scheme: Bearer }}
policies:
  - name: key
    key: api_key
    limits: [{{ quota: {quota}, window: {window} }}]
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
