//! A zoo of invalid policies: each file of `tests/zoo` has one error, a few have several, and beside it stands what is
//! told of it, to the letter. It goes the way of `tollgate check`, so also through YAML.
//!
//! To add one: write `cli/tests/zoo/NAME.yaml`, with what is wrong in a comment at its beginning, then run
//! `ZOO=write cargo test --test zoo --features cli`, and read `cli/tests/zoo/NAME.txt` as an operator would: does it say where
//! to look, and what to write instead? After a change of the words the same command writes all of them anew; read
//! the difference.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use tollgate::config::ConfigError;
use tollgate_cli::policy_file::{Located, PolicyFile};

fn files(ending: &str) -> Vec<PathBuf> {
    let zoo = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/zoo");
    let entries = fs::read_dir(zoo).expect("cli/tests/zoo").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|found| found == ending)).collect();
    files.sort();
    files
}

fn errors(path: &Path) -> Vec<Located<ConfigError>> {
    let text = fs::read_to_string(path).expect("a policy");
    let file = match PolicyFile::read("policy.yaml", &text) {
        Ok(file) => file,
        Err(error) => return vec![error],
    };
    let errors = |policy| {
        let policy: &tollgate_cli::policy_file::Written = policy;
        policy.compile().err().map(|errors| file.locate_errors(policy, &errors))
    };
    file.policies.iter().filter_map(errors).flatten().collect()
}

fn told(path: &Path) -> String {
    let mut told = String::new();
    for error in errors(path) {
        let line = error.line.map_or("?".into(), |line| line.to_string());
        writeln!(told, "line {line}: {}", error.what).expect("a text");
    }
    told
}

#[test]
fn each_error_is_told_as_is_written_beside_it() {
    let write = std::env::var_os("ZOO").is_some_and(|value| value == "write");
    let mut differing = Vec::new();
    for path in files("yaml") {
        let (found, beside) = (told(&path), path.with_extension("txt"));
        if found.is_empty() {
            differing.push(format!("{}:\nno error at all\n", path.display()));
        } else if write {
            fs::write(&beside, &found).expect("the text beside a policy");
        } else if fs::read_to_string(&beside).unwrap_or_default() != found {
            differing.push(format!("{}:\n{found}", path.display()));
        }
    }
    assert!(
        differing.is_empty(),
        "what is told differs from what is written beside these; `ZOO=write cargo test --test zoo --features cli` \
         writes it:\n{}",
        differing.join("\n")
    );
}

#[test]
fn the_zoo_has_its_animals_and_nothing_else() {
    let (policies, texts) = (files("yaml"), files("txt"));
    assert!(policies.len() >= 300, "{} files", policies.len());
    let alone = |paths: &[PathBuf], others: &[PathBuf], ending: &str| {
        let has = |path: &&PathBuf| others.contains(&path.with_extension(ending));
        let names = paths.iter().filter(|path| !has(path)).map(|path| path.display().to_string());
        names.collect::<Vec<_>>().join("\n")
    };
    assert_eq!(alone(&policies, &texts, "txt"), "", "policies without a text");
    assert_eq!(alone(&texts, &policies, "yaml"), "", "texts without a policy");
}
