//! Which policy a test file is about.

use tollgate::config::Value;

/// The ends of the names of test files.
const ENDINGS: [&str; 3] = [".test.yaml", ".test.yml", ".test.json"];

/// The file with the policy, from the folder of the test file: what `policy` says, or what the test file's own
/// name says. `None`: neither does.
pub fn policy_name(name: &str, file: &Value) -> Option<String> {
    let said = file.get(super::language::file::POLICY.name).and_then(Value::text).map(String::from);
    said.or_else(|| {
        let own = name.rsplit('/').next()?;
        let (stem, ending) = own.split_once(".test.").filter(|_| is_test_file(own))?;
        Some(format!("{stem}.{ending}"))
    })
}

/// Whether a file's name is that of a test file.
pub fn is_test_file(name: &str) -> bool {
    ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// The name of the test file that stands beside a policy: `billium.test.yaml` for `billium.yaml`.
pub fn sibling(name: &str) -> Option<String> {
    let (stem, ending) = name.rsplit_once('.').filter(|_| !is_test_file(name))?;
    Some(format!("{stem}.test.{ending}"))
}
