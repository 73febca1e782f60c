//! The policies of the repository, with every command that takes one.

use super::*;

/// All of them, as a user would call them.
fn policies() -> Vec<String> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join("envoy/policies");
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut policies: Vec<String> = names.map(|name| format!("envoy/policies/{name}")).collect();
    policies.sort();
    assert!(policies.len() > 5);
    policies
}

#[test]
fn each_is_sound_without_a_warning() {
    for policy in policies() {
        assert_eq!(tollgate(&["check", "--quiet", "--deny-warnings", &policy]).good(), "");
    }
}

#[test]
fn each_is_told_in_words() {
    for policy in policies() {
        let told = tollgate(&["check", &policy]).good();
        assert!(told.starts_with(&format!("{policy}: sound\n")), "{told}");
        for beginning in ["  exempt ", "  rejection ", "  headers ", "  table "] {
            assert!(told.lines().any(|line| line.starts_with(beginning)), "{policy}: {beginning}");
        }
        assert!(!told.contains("sha256"), "{told}");
    }
}

#[test]
fn each_explains_a_request() {
    for policy in policies() {
        let out = tollgate(&["explain", &policy, "GET /", "--json"]).good();
        let told = &json(&out)[0];
        let report = &json(&tollgate(&["check", "--json", &policy]).good())[0];
        let names = |list: &serde_json::Value| {
            let list = list.as_array().unwrap().iter();
            list.map(|policy| policy["name"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(names(&told["policies"]), names(&report["summary"]["policies"]), "{policy}");
        assert_eq!(told["rejected"], false, "{policy}");
    }
}

#[test]
fn each_goes_into_an_envoy_file_as_it_is() {
    for policy in policies() {
        let told = |out: String| out.split_once('\n').unwrap().1.to_string();
        let envoy = tollgate(&["bootstrap", &policy]).good();
        let within = tollgate_reading(&["check", "--deny-warnings", "-"], &envoy).good();
        assert_eq!(told(within), told(tollgate(&["check", &policy]).good()), "{policy}");
    }
}
