//! The command line tool and Envoy agree about policy files: Envoy accepts what the tool prints, and the
//! filter reports the errors that the tool reports.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tollgate_cli::command::{self, outcome::Status};

use crate::harness::{Files, Setup, envoy, in_repository, module};

/// The Envoy configuration that the tool prints for a policy.
fn bootstrap(policy: &Path, more: &[&str]) -> String {
    let (policy, module) = (policy.display().to_string(), module().display().to_string());
    let arguments = [&["tollgate", "bootstrap", &policy, "--wasm", &module], more].concat();
    let outcome = command::run(arguments).expect("valid arguments");
    assert_eq!(outcome.status, Status::Success, "{policy}: {}", outcome.stderr);
    outcome.stdout
}

fn assert_valid(bootstrap: &str) {
    let files = Files::new();
    fs::write(files.bootstrap(), bootstrap).expect("a bootstrap file");
    let arguments = ["--mode", "validate", "--log-level", "warning", "--config-path"];
    let ran = Command::new(envoy()).args(arguments).arg(files.bootstrap()).output().expect("Envoy");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}

/// The policies of a folder of the repository.
fn policies(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(in_repository(folder)).expect(folder).map(|entry| entry.expect("an entry"));
    let is_policy = |path: &PathBuf| path.is_file() && !path.to_string_lossy().contains(".test.");
    let files = entries.map(|entry| entry.path()).filter(is_policy);
    let policies: Vec<_> = files.collect();
    assert!(!policies.is_empty(), "{folder}");
    policies
}

#[test]
fn envoy_takes_the_bootstrap_of_every_policy() {
    for policy in policies("envoy/policies") {
        assert_valid(&bootstrap(&policy, &[]));
    }
}

#[test]
fn envoy_takes_the_bootstrap_of_every_published_policy() {
    for policy in policies("envoy/policies/published") {
        assert_valid(&bootstrap(&policy, &[]));
    }
}

#[test]
fn envoy_takes_the_bootstrap_with_an_upstream_of_ones_own() {
    let policy = in_repository("envoy/policies/billium.yaml");
    for upstream in ["localhost:3000", "127.0.0.1:80", "[::1]:65535"] {
        assert_valid(&bootstrap(&policy, &["--upstream", upstream, "--port", "0", "--admin-port", "0"]));
    }
}

#[test]
fn envoy_takes_the_bootstrap_of_a_policy_in_json() {
    let files = Files::new();
    let policy = files.bootstrap().with_file_name("policy.json");
    let text = r#"{"keys": {"ip": {"client_ip": {}}}, "policies":
	[{"name": "p", "key": "ip", "limits": [{"quota": 4000000000, "window": "1m"}]}],
	"reject": {"body": "\"no\"\\\n"}}"#;
    fs::write(&policy, text).expect("a policy");
    assert_valid(&bootstrap(&policy, &["--vm-id", "no: \"id\""]));
}

/// These files depend on how Envoy reads YAML. Those that Envoy cannot read at all, and those with a repeated
/// field, of which it keeps the last, are left out.
#[test]
fn the_tool_reports_the_errors_that_the_filter_reports_for_envoys_yaml() {
    for name in [
        "yaml_scalars",
        "yaml_flag_for_a_name",
        "yaml_fraction",
        "yaml_merge",
        "yaml_octal_quota",
        "quota_large",
        "many_errors",
    ] {
        let file = fs::read_to_string(in_repository(format!("cli/tests/diagnostics/{name}.yaml")))
            .expect("an invalid policy");
        // The file ends with the errors that the tool reports, as `cli/tests/diagnostics.rs` checks.
        let (policy, _) = file.split_once("# error: ").expect("an expected error");
        let expected = file.lines().filter_map(|line| line.strip_prefix("# error: ")?.split_once(": "));
        // Only the tool sees how a value was written that YAML takes for another one.
        let as_written = regex_lite::Regex::new(" \\([^()]* without quotes\\)").unwrap();
        let mut of_tool: Vec<_> = expected.map(|(_line, error)| as_written.replace_all(error, "")).collect();
        let rejection = Setup::yaml(policy).start_rejected();
        let logged = rejection.log.lines().filter_map(|line| line.split_once("wasm log tollgate: "));
        let mut of_filter: Vec<&str> =
            logged.map(|(_, text)| text).filter(|text| text.contains("; allowed: ")).collect();
        // A Struct has no order of fields, and another worker may log the same errors again.
        of_filter.sort_unstable();
        of_filter.dedup();
        of_tool.sort_unstable();
        assert_eq!(of_filter, of_tool, "{name}");
    }
}
