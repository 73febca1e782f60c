//! `tollgate check` on a complete Envoy configuration: what stands around the policy.

use super::*;

/// An Envoy file with these options of the connection manager, the plugin and its configuration.
pub fn envoy(manager: &str, plugin: &str, configuration: &str) -> String {
    format!(
        r#"static_resources:
  listeners:
    - name: gateway
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                {manager}
                http_filters:
                  - name: limits
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
                      config:
                        {plugin}
                        configuration:
                          {configuration}
"#
    )
}

const STRUCT: &str = r#""@type": type.googleapis.com/google.protobuf.Struct
                          value:
                            keys: { ip: { client_ip: {} } }
                            policies: [{ name: p, key: ip, match: [{ path: /v1 }], limits: [{ quota: 5, window: 1m }] }]"#;

#[test]
fn probable_mistakes_around_a_policy_are_warned_about() {
    let path = file("check-envoy.yaml", &envoy("", "", STRUCT));
    let ran = tollgate(&["check", "-q", path.to_str().unwrap()]);
    let warnings: Vec<&str> = ran.stdout.lines().collect();
    let manager = "static_resources.listeners[0].filter_chains[0].filters[0].typed_config";
    let filter = format!("{manager}.http_filters[0].typed_config.config");
    let expected = [
        ("14", format!("{filter}.vm_config: no vm_id: the filter shares its counts")),
        ("14", format!("{filter}.failure_policy: not FAIL_RELOAD: ")),
        (
            "7",
            format!(
                "{manager}.use_remote_address: a policy counts by client_ip, but clients can choose their address"
            ),
        ),
        (
            "7",
            format!("{manager}.normalize_path: a policy matches by path, and without normalize_path: true"),
        ),
        ("7", format!("{manager}.merge_slashes: ")),
        ("7", format!("{manager}.path_with_escaped_slashes_action: ")),
    ];
    assert_eq!(warnings.len(), expected.len(), "{}", ran.stdout);
    for (warning, (line, says)) in warnings.iter().zip(expected) {
        let beginning = format!("{}:{line}: warning: {says}", path.display());
        assert!(warning.starts_with(&beginning), "{warning}\n{beginning}");
    }
}

#[test]
fn a_good_envoy_configuration_has_no_warnings() {
    let lines = |options: &[&str], indent: usize| options.join(&format!("\n{}", " ".repeat(indent)));
    let manager = [
        "use_remote_address: true",
        "normalizePath: { value: true }",
        "merge_slashes: true",
        "path_with_escaped_slashes_action: REJECT_REQUEST",
    ];
    let plugin = ["failure_policy: FAIL_RELOAD", "vm_config: { vm_id: tollgate }"];
    let text = envoy(&lines(&manager, 16), &lines(&plugin, 24), STRUCT);
    let path = file("check-envoy-well.yaml", &text);
    assert_eq!(tollgate(&["check", "-q", path.to_str().unwrap()]).success(), "");
}

#[test]
fn a_policy_as_json_text_in_an_envoy_configuration_is_checked_too() {
    let configuration = r#""@type": type.googleapis.com/google.protobuf.StringValue
                          value: '{"keys": {"h": {"header": "x"}}, "policies": [{"name": "p", "key": "h", "limits": [{"quota": -1, "window": "1m"}]}]}'"#;
    let path = file("check-envoy-text.yaml", &envoy("", "", configuration));
    let ran = tollgate(&["check", path.to_str().unwrap()]);
    let name = path.display();
    assert_eq!(
        (ran.status, ran.stdout),
        (
            1,
            format!(
                "{name}:18: error: policies[0].limits[0].quota: found -1; allowed: a whole number from 0 to 4294967295, unlimited\n\
                 {name}, filter limits: invalid, 1 error\n"
            )
        )
    );
}

#[test]
fn an_envoy_configuration_without_tollgate_is_an_error() {
    let text = "static_resources: { listeners: [] }\n";
    let ran = tollgate_reading(&["check", "-"], text);
    assert_eq!(ran.status, 1);
    assert!(ran.stdout.contains("found an Envoy configuration without a Tollgate filter"), "{}", ran.stdout);
}

/// The warnings about CORS of an Envoy file with these HTTP filters before and after Tollgate, and with this
/// CORS policy.
fn cors_warnings(name: &str, before: &str, after: &str, exposed: &str, policy: &str) -> Vec<String> {
    let typed = "\"@type\": type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy";
    let manager = format!(
        "use_remote_address: true
                route_config: {{ typed_per_filter_config: {{ cors: {{ {typed}{exposed} }} }} }}"
    );
    let plugin = "failure_policy: FAIL_RELOAD\n                        vm_config: { vm_id: a }";
    let policy = STRUCT.replace("policies:", &format!("{policy}\n                            policies:"));
    let text = envoy(&manager, plugin, &policy.replace("match: [{ path: /v1 }], ", ""));
    let cors = |place: &str| {
        match place {
        "" => String::new(),
        _ => "                  - name: cors
                    typed_config: { \"@type\": type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors }
"
        .to_string(),
    }
    };
    let text = text.replace("http_filters:\n", &format!("http_filters:\n{}", cors(before))) + &cors(after);
    let ran = tollgate(&["check", "-q", file(name, &text).to_str().unwrap()]);
    ran.stdout
        .lines()
        .filter_map(|line| line.split_once("warning: "))
        .map(|(_, says)| says.to_string())
        .collect()
}

#[test]
fn what_a_page_in_a_browser_could_not_read_is_warned_about() {
    let shown = "headers: { preset: x-ratelimit }";
    let all = ", expose_headers: \"Retry-After, x-ratelimit-limit,x-ratelimit-remaining, x-ratelimit-reset\"";
    let none: [String; 0] = [];
    assert_eq!(cors_warnings("cors-1.yaml", "cors", "", all, shown), none);
    assert_eq!(cors_warnings("cors-2.yaml", "cors", "", ", expose_headers: \"*\"", shown), none);
    assert_eq!(cors_warnings("cors-3.yaml", "", "", "", shown), none, "nobody has asked for CORS");
    let found = cors_warnings("cors-4.yaml", "", "cors", all, shown);
    let [after] = found.as_slice() else { panic!("{found:?}") };
    assert!(after.contains("http_filters[1]: the cors filter comes after Tollgate"), "{after}");
    let found = cors_warnings("cors-5.yaml", "cors", "", ", expose_headers: retry-after", shown);
    let [hidden] = found.as_slice() else { panic!("{found:?}") };
    assert!(
        hidden.contains("cannot read x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset"),
        "{hidden}"
    );
    let found = cors_warnings("cors-6.yaml", "cors", "", "", "access_log: true");
    let [hidden] = found.as_slice() else { panic!("{found:?}") };
    assert!(hidden.contains("cors.expose_headers: a page in a browser cannot read retry-after"), "{hidden}");
}
