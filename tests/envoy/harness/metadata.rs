//! What an earlier filter found out about a request, for a test to say.

/// The name that a request's dynamic metadata has, the first segment of its path.
pub const METADATA: &str = "test.auth";

/// The header that says what the metadata's text `key` is.
pub fn header_of(key: &str) -> String {
    format!("x-meta-{key}")
}

/// An item of the list of HTTP filters. It leaves the metadata under this name and takes the headers away, as
/// a filter that authenticates takes credentials.
pub fn filter(name: &str) -> String {
    format!(
        r#"- name: earlier
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua
    default_source_code:
      inline_string: |
        function envoy_on_request(request)
          local found = {{}}
          for name, value in pairs(request:headers()) do
            local key = name:match("^x%-meta%-(.+)$")
            if key then found[key] = value end
          end
          for key, value in pairs(found) do
            request:streamInfo():dynamicMetadata():set("{name}", key, value)
            request:headers():remove("x-meta-" .. key)
          end
        end"#
    )
}
