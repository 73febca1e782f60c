//! The command line tool and Envoy agree about policy files: what the one prints the other takes, and what the one finds
//! fault with the other does.

use std::fs;
use std::path::Path;
use std::process::Command;
use tollgate_cli::command::{self, outcome::Status};

use crate::harness::{Files, Setup, envoy, in_repository, module};

/// The Envoy file that the tool prints for a policy.
fn bootstrap(policy: &Path, more: &[&str]) -> String {
    let (policy, module) = (policy.display().to_string(), module().display().to_string());
    let arguments = [&["tollgate", "bootstrap", &policy, "--wasm", &module], more].concat();
    let outcome = command::run(arguments).expect("sound arguments");
    assert_eq!(outcome.status, Status::Good, "{policy}: {}", outcome.complaint);
    outcome.answer
}

fn assert_valid(bootstrap: &str) {
    let files = Files::new();
    fs::write(files.bootstrap(), bootstrap).expect("a bootstrap file");
    let arguments = ["--mode", "validate", "--log-level", "warning", "--config-path"];
    let ran = Command::new(envoy()).args(arguments).arg(files.bootstrap()).output().expect("Envoy");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}

#[test]
fn envoy_takes_the_bootstrap_of_every_policy() {
    let policies = fs::read_dir(in_repository("envoy/policies")).expect("policies");
    for policy in policies {
        assert_valid(&bootstrap(&policy.expect("a policy").path(), &[]));
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

/// The YAML of these is as odd as Envoy's reading of it. What Envoy can't read at all, or takes the last of, is left out.
#[test]
fn the_tool_finds_the_faults_that_the_filter_finds_in_envoys_yaml() {
    for name in [
        "yaml_scalars",
        "yaml_flag_for_a_name",
        "yaml_fraction",
        "yaml_merge",
        "yaml_octal_quota",
        "quota_large",
        "many_faults",
    ] {
        let file = |ending: &str| {
            fs::read_to_string(in_repository(format!("cli/tests/zoo/{name}.{ending}")))
                .expect("a policy of the zoo")
        };
        let refusal = Setup::yaml(file("yaml")).start_refused();
        let told = refusal.log.lines().filter_map(|line| line.split_once("wasm log tollgate: "));
        let mut told: Vec<&str> =
            told.map(|(_, fault)| fault).filter(|fault| fault.contains("; allowed: ")).collect();
        let tools = file("txt");
        let mut tools: Vec<&str> =
            tools.lines().filter_map(|line| line.split_once(": ").map(|(_, fault)| fault)).collect();
        // Envoy has no order of fields, and may tell all again for another worker.
        told.sort_unstable();
        told.dedup();
        tools.sort_unstable();
        assert_eq!(told, tools, "{name}");
    }
}
