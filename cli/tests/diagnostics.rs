//! The text of every configuration error, pinned once: each file of `tests/diagnostics` is an invalid policy,
//! most of them with a single error, and ends with the errors that `tollgate check` reports for it:
//!
//! ```yaml
//! charge: sometimes
//! # error: line 8: charge: found "sometimes"; allowed: all_or_nothing, sequential
//! ```
//!
//! The policy is what stands before those comments, so they cannot change what they describe.
//!
//! To add a case, write `cli/tests/diagnostics/NAME.yaml`, with a comment that says what is wrong as its
//! first line. Run `DIAGNOSTICS=write cargo test -p tollgate-cli --test diagnostics`, then read the errors at
//! the end of the file as an operator would: do they say where to look and what to write instead? After a
//! change of wording the same command rewrites all files; review the diff.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::fs;
use std::path::{Path, PathBuf};
use tollgate::config::ConfigError;
use tollgate_cli::policy_file::{Located, PolicyFile};

/// What the comment of an expected error begins with.
const EXPECTED: &str = "# error: ";

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics");
    let entries = fs::read_dir(folder).expect("cli/tests/diagnostics");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

/// The policy, and the comments with its expected errors.
fn split(text: &str) -> (&str, &str) {
    let begins =
        |(at, _): &(usize, &str)| *at == 0 || text.get(..*at).is_some_and(|before| before.ends_with('\n'));
    let at = text.match_indices(EXPECTED).find(begins).map_or(text.len(), |(at, _)| at);
    text.split_at(at)
}

fn errors(policy: &str) -> Vec<Located<ConfigError>> {
    let file = match PolicyFile::read("policy.yaml", policy) {
        Ok(file) => file,
        Err(error) => return vec![error],
    };
    let [policy] = file.policies.as_slice() else { panic!("one policy") };
    policy.compile().err().map(|errors| file.locate_errors(policy, &errors)).unwrap_or_default()
}

/// The comments for all errors of a policy.
fn comments(policy: &str) -> String {
    let comment = |error: Located<ConfigError>| {
        let line = error.line.map_or("?".into(), |line| line.to_string());
        format!("{EXPECTED}line {line}: {}\n", error.item)
    };
    errors(policy).into_iter().map(comment).collect()
}

#[test]
fn every_invalid_policy_has_exactly_the_errors_that_its_file_ends_with() {
    let write = std::env::var_os("DIAGNOSTICS").is_some_and(|value| value == "write");
    let mut differing = Vec::new();
    for path in files() {
        let text = fs::read_to_string(&path).expect("a policy");
        let (policy, expected) = split(&text);
        let found = comments(policy);
        if found.is_empty() {
            differing.push(format!("{}:\nno error at all\n", path.display()));
        } else if write {
            fs::write(&path, format!("{policy}{found}")).expect("a policy with its errors");
        } else if expected != found {
            differing.push(format!("{}:\n{found}", path.display()));
        }
    }
    assert!(
        differing.is_empty(),
        "these policies have other errors than their files end with; \
         `DIAGNOSTICS=write cargo test -p tollgate-cli --test diagnostics` rewrites them:\n{}",
        differing.join("\n")
    );
}

#[test]
fn every_file_is_a_policy_that_says_what_is_wrong_with_it() {
    let files = files();
    assert!(files.len() >= 300, "{} files", files.len());
    for path in files {
        assert_eq!(path.extension().and_then(|ending| ending.to_str()), Some("yaml"), "{}", path.display());
        let text = fs::read_to_string(&path).expect("a policy");
        let first = text.lines().next().unwrap_or_default();
        assert!(first.starts_with("# ") && !first.starts_with(EXPECTED), "{}: {first}", path.display());
    }
}
