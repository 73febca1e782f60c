//! One program that is measured, and what the operating system says of its process.

use crate::process::Process;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Far beyond what a loaded machine needs.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub struct Program {
    name: String,
    process: Process,
    log: PathBuf,
}

impl Program {
    /// Starts it. `log` is where its words go.
    pub fn start(binary: &Path, arguments: &[&str], log: PathBuf) -> Program {
        let name = binary.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        Program { name, process: Process::start(binary, &arguments, Vec::new(), &log), log }
    }

    /// Waits until it serves.
    pub fn await_ready(&mut self, is_ready: impl Fn() -> bool) {
        let start = Instant::now();
        while !is_ready() {
            let said = || fs::read_to_string(&self.log).unwrap_or_default();
            assert!(self.process.ended().is_none(), "{} ended by itself:\n{}", self.name, said());
            assert!(start.elapsed() < PATIENCE, "{} does not serve:\n{}", self.name, said());
            sleep(Duration::from_millis(1));
        }
    }

    /// Processor time of all its threads so far, to the nanosecond, as the kernel's scheduler has it.
    pub fn cpu(&self) -> Duration {
        let threads = fs::read_dir(format!("/proc/{}/task", self.process.id())).expect("its threads");
        let nanoseconds = |thread: fs::DirEntry| -> u64 {
            // A thread may end while the list is read.
            let text = fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
            text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or_default()
        };
        Duration::from_nanos(threads.flatten().map(nanoseconds).sum())
    }

    /// Resident memory, in bytes.
    pub fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("its status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line VmRSS");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number of kB") * 1024
    }
}
