//! The folder of one gateway's files: it goes when the gateway does, and a failing test shows the log in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

const LOG_LINES_SHOWN: usize = 40;

pub struct Files(PathBuf);

impl Files {
    pub fn new() -> Self {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        let folder = format!("gateway-{}-{number}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
        fs::create_dir_all(&folder).expect("a folder for the gateway's files");
        Self(folder)
    }

    pub fn bootstrap(&self) -> PathBuf {
        self.0.join("envoy.yaml")
    }

    pub fn write_bootstrap(&self, text: &str) {
        fs::write(self.bootstrap(), text).expect("a bootstrap file");
    }

    /// Where Envoy writes the address of its admin interface.
    pub fn admin_address(&self) -> PathBuf {
        self.0.join("admin")
    }

    /// Where Envoy's wall clock is told, if it is not the machine's.
    pub fn wall_clock(&self) -> PathBuf {
        self.0.join("wall-clock")
    }

    /// A further file.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn listeners(&self) -> PathBuf {
        self.0.join("listeners.yaml")
    }

    /// Puts the listener file into place in one step, as Envoy wants it.
    pub fn publish_listeners(&self, text: &str) {
        self.publish(&self.listeners(), text);
    }

    pub fn clusters(&self) -> PathBuf {
        self.0.join("clusters.yaml")
    }

    /// The same of the clusters.
    pub fn publish_clusters(&self, text: &str) {
        self.publish(&self.clusters(), text);
    }

    fn publish(&self, place: &Path, text: &str) {
        let next = self.0.join("next.yaml");
        fs::write(&next, text).expect("a file for Envoy's discovery");
        fs::rename(next, place).expect("the file in its place");
    }

    pub fn log_file(&self) -> PathBuf {
        self.0.join("log")
    }

    pub fn log(&self) -> String {
        self.log_from(0)
    }

    /// In bytes.
    pub fn log_length(&self) -> usize {
        fs::metadata(self.log_file()).map_or(0, |file| usize::try_from(file.len()).expect("a short log"))
    }

    /// The log without so many bytes at its beginning.
    pub fn log_from(&self, begin: usize) -> String {
        let bytes = fs::read(self.log_file()).unwrap_or_default();
        String::from_utf8_lossy(bytes.get(begin..).unwrap_or_default()).into_owned()
    }

    /// Shows the end of the log if a test is failing just now.
    pub fn show_log_of_failure(&self) {
        if thread::panicking() {
            let log = self.log();
            let lines: Vec<_> = log.lines().collect();
            let tail = lines.len().saturating_sub(LOG_LINES_SHOWN);
            eprintln!("the end of {}:\n{}", self.log_file().display(), lines[tail..].join("\n"));
        }
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        self.show_log_of_failure();
        let _ = fs::remove_dir_all(&self.0);
    }
}
