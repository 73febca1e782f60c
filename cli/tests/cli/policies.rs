//! The policies of the repository, with every command that takes one.

use super::*;

/// Where the files for published APIs are.
const PUBLISHED: &str = "envoy/policies/published";

/// What a published policy says of a warning that is meant: the path that it is about, with `*` for numbers, a
/// colon, and why.
const MEANT: &str = "# Warning meant: ";

/// The paths of the policies in a folder of the repository.
fn policies_in(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(folder)).unwrap();
    let is_policy = |path: &Path| path.is_file() && !path.to_string_lossy().contains(".test.");
    let files = entries.map(Result::unwrap).filter(|entry| is_policy(&entry.path()));
    let mut policies: Vec<String> =
        files.map(|entry| format!("{folder}/{}", entry.file_name().into_string().unwrap())).collect();
    policies.sort();
    policies
}

/// The paths of all policies in the repository.
fn policies() -> Vec<String> {
    let policies = [policies_in("envoy/policies"), policies_in(PUBLISHED)].concat();
    assert!(policies.len() > 5);
    policies
}

#[test]
fn each_is_valid_without_a_warning() {
    for policy in policies_in("envoy/policies") {
        assert_eq!(tollgate(&["check", "--quiet", "--deny-warnings", &policy]).success(), "");
    }
}

/// A service may have chosen what we warn of. Its file then says why, for each warning, and for no other.
#[test]
fn each_published_one_is_valid_and_explains_its_warnings() {
    for policy in policies_in(PUBLISHED) {
        let text = fs::read_to_string(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(&policy));
        let text = text.unwrap();
        let meant = text.lines().filter_map(|line| line.strip_prefix(MEANT)?.split_once(": "));
        let mut meant: Vec<String> = meant.map(|(path, _why)| path.to_owned()).collect();
        let report = &json(&tollgate(&["check", "--json", &policy]).success())[0];
        let warnings = report["warnings"].as_array().unwrap().iter();
        let number = regex_lite::Regex::new(r"\[\d+\]").unwrap();
        let path = |warning: &serde_json::Value| {
            number.replace_all(warning["path"].as_str().unwrap(), "[*]").into_owned()
        };
        let mut warned: Vec<String> = warnings.map(path).collect();
        meant.sort();
        warned.sort();
        warned.dedup();
        assert_eq!(warned, meant, "{policy}: {report:#}");
        assert!(text.starts_with("# ") && text.contains("as documented in \""), "{policy} names its source");
    }
}

#[test]
fn each_is_described() {
    for policy in policies() {
        let described = tollgate(&["check", &policy]).success();
        assert!(described.contains(&format!("{policy}: valid")), "{described}");
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
        let summary = |out: String| json(&out)[0]["summary"].clone();
        let envoy = tollgate(&["bootstrap", &policy]).success();
        let within = tollgate_reading(&["check", "--json", "-"], &envoy).success();
        assert_eq!(summary(within), summary(tollgate(&["check", "--json", &policy]).success()), "{policy}");
    }
}
