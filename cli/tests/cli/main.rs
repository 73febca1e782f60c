//! The command line tool as its users meet it: the built program, its output and its exit status.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod bootstrap;
mod callers;
mod check;
mod deploy;
mod diff;
mod envoy_files;
mod explain;
mod forgive;
mod hash;
mod help;
mod labels;
mod language;
mod platforms;
mod policies;
mod quotas;
mod replay;
mod shell;
mod test;
mod version;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

const BILLIUM: &str = "envoy/policies/billium.yaml";

/// The output of the program, and its exit status.
struct Ran {
    status: i32,
    stdout: String,
    stderr: String,
}

impl Ran {
    /// Its standard output, if it succeeded.
    #[track_caller]
    fn success(self) -> String {
        assert_eq!((self.status, self.stderr.as_str()), (0, ""), "{}", self.stdout);
        self.stdout
    }
}

/// Runs the program in the folder of the repository.
fn tollgate(arguments: &[&str]) -> Ran {
    tollgate_reading(arguments, "")
}

/// Runs the program with this as its standard input.
fn tollgate_reading(arguments: &[&str], input: &str) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tollgate"))
        .args(arguments)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .env_remove("CLICOLOR_FORCE")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program");
    // It may have ended without reading it all.
    let _ = child.stdin.take().expect("its input").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("its end");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Ran {
        status: output.status.code().expect("an exit status"),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// Writes a file for a test.
fn file(name: &str, text: &str) -> PathBuf {
    static WRITTEN: AtomicUsize = AtomicUsize::new(0);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // Moved, so that a test that writes the same file at the same time never reads half of it.
    let part = format!("{}.{}.{}", path.display(), std::process::id(), WRITTEN.fetch_add(1, Relaxed));
    fs::write(&part, text).expect("a file for a test");
    fs::rename(&part, &path).expect("a file for a test");
    path
}

/// A policy for `client_ip` with these further lines.
fn policy(more: &str) -> String {
    format!(
        "keys: {{ client_ip: {{ client_ip: {{}} }} }}\npolicies:\n  - name: ip\n    key: client_ip\n    \
         limits: [{{ quota: 50, window: 60s }}]\n{more}"
    )
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).expect("JSON")
}
