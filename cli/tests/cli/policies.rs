//! The policies of the repository, with every command that takes one.

use super::*;

/// The paths of all policies in the repository.
fn policies() -> Vec<String> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join("envoy/policies");
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut policies: Vec<String> = names.map(|name| format!("envoy/policies/{name}")).collect();
    policies.sort();
    assert!(policies.len() > 5);
    policies
}

#[test]
fn each_is_valid_without_a_warning() {
    for policy in policies() {
        assert_eq!(tollgate(&["check", "--quiet", "--deny-warnings", &policy]).success(), "");
    }
}

#[test]
fn each_is_described() {
    for policy in policies() {
        let described = tollgate(&["check", &policy]).success();
        assert!(described.starts_with(&format!("{policy}: valid\n")), "{described}");
        for beginning in ["  exempt ", "  rejection ", "  headers ", "  table "] {
            assert!(described.lines().any(|line| line.starts_with(beginning)), "{policy}: {beginning}");
        }
        assert!(!described.contains("sha256"), "{described}");
    }
}

#[test]
fn each_explains_a_request() {
    for policy in policies() {
        let out = tollgate(&["explain", &policy, "GET /", "--json"]).success();
        let described = &json(&out)[0];
        let report = &json(&tollgate(&["check", "--json", &policy]).success())[0];
        let names = |list: &serde_json::Value| {
            let list = list.as_array().unwrap().iter();
            list.map(|policy| policy["name"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(names(&described["policies"]), names(&report["summary"]["policies"]), "{policy}");
        assert_eq!(described["rejected"], false, "{policy}");
    }
}

#[test]
fn each_goes_into_an_envoy_configuration_unchanged() {
    for policy in policies() {
        let described = |out: String| out.split_once('\n').unwrap().1.to_string();
        let envoy = tollgate(&["bootstrap", &policy]).success();
        let within = tollgate_reading(&["check", "--deny-warnings", "-"], &envoy).success();
        assert_eq!(described(within), described(tollgate(&["check", &policy]).success()), "{policy}");
    }
}
