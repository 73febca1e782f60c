//! Gathers the shipped policies for the tests, which also run where there are no files: in a browser.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../envoy/policies");
    let mut files = Vec::new();
    for folder in [root.clone(), root.join("published")] {
        println!("cargo::rerun-if-changed={}", folder.display());
        for entry in fs::read_dir(&folder)? {
            files.push(entry?.path());
        }
    }
    let is_policy = |path: &Path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.ends_with(".yaml") && !name.ends_with(".test.yaml")
    };
    files.retain(|path| is_policy(path));
    files.sort();
    let entry = |path: &PathBuf| {
        let name = path.strip_prefix(&root).unwrap_or(path).display().to_string();
        format!("    ({name:?}, include_str!({:?})),\n", path.display().to_string())
    };
    let list: String = files.iter().map(entry).collect();
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("policies.rs");
    fs::write(out, format!("const POLICIES: &[(&str, &str)] = &[\n{list}];\n"))
}
