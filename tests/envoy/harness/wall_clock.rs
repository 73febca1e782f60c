//! A wall clock that a test sets, for one Envoy: other processes, and Envoy's monotonic clock, keep theirs.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use super::clock;
use super::files::Files;
use super::gateway::Gateway;

const SOURCE: &str = include_str!("wall_clock/preloaded.rs");

/// The library in `SOURCE`, built once for all tests of this process.
static LIBRARY: LazyLock<PathBuf> = LazyLock::new(|| {
    let files = Files::new();
    let source = files.file("preloaded.rs");
    fs::write(&source, SOURCE).expect("the library's source");
    let library = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("libwall_clock.so");
    // Another process may have the old one open.
    let next = files.file("next.so");
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let options = ["--edition", "2024", "--crate-type", "cdylib", "-Copt-level=2", "-o"];
    let built = Command::new(compiler).args(options).arg(&next).arg(&source).status();
    assert!(built.is_ok_and(|status| status.success()), "rustc, to build a clock that a test can set");
    fs::rename(next, &library).expect("the library in its place");
    library
});

/// What makes Envoy take its wall clock from these files, if they tell one.
pub fn variables(files: &Files) -> Vec<(&'static str, PathBuf)> {
    if !files.wall_clock().exists() {
        return Vec::new();
    }
    vec![("LD_PRELOAD", LIBRARY.clone()), ("TEST_WALL_CLOCK", files.wall_clock())]
}

/// Sets the wall clock that these files tell to an instant, in seconds since 1970, from where it runs on.
pub fn set(files: &Files, unix_time: u64) {
    let ahead = unix_time.cast_signed() - clock::unix_time().as_secs().cast_signed();
    fs::write(files.wall_clock(), ahead.to_le_bytes()).expect("the wall clock's file");
}

impl Gateway {
    /// Sets Envoy's wall clock to an instant, in seconds since 1970. A worker looks at it once a second.
    pub fn set_wall_clock(&self, unix_time: u64) {
        assert!(
            self.setup.wall_clock.is_some(),
            "a gateway with a wall clock of its own is started `at` an instant"
        );
        set(&self.envoy().files, unix_time);
    }
}
