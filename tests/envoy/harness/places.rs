//! Where the files and programs are that the tests need.

use std::path::{Path, PathBuf};

/// A path of the repository.
pub fn in_repository(path: impl AsRef<Path>) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The Envoy to test with.
pub fn envoy() -> PathBuf {
    found("ENVOY", ".tools/envoy-1.40.0/envoy")
}

/// The module to test.
pub fn module() -> PathBuf {
    found("TOLLGATE_WASM", "target/tollgate.wasm")
}

/// A program or file that the tests need: `variable` names it, or else it is at `default`.
pub fn found(variable: &str, default: &str) -> PathBuf {
    let path = in_repository(std::env::var(variable).unwrap_or_else(|_| default.to_owned()));
    assert!(
        path.is_file(),
        "{} is missing: `make e2e` provides it and runs these tests; or name another with {variable}=",
        path.display()
    );
    path
}
