//! One Envoy process, tethered to the test process: however the tests end, Envoy ends with them.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

/// Envoy's parent is a shell that also watches its own standard input. The other end of that pipe is held by
/// the test process alone, so it closes when that process is done, crashed or interrupted; then Envoy is
/// killed.
const TETHER: &str = r#"
exec 3<&0
"$@" 3<&- </dev/null >&2 & envoy=$!
echo "$envoy"
{ read -r _ <&3; kill -9 "$envoy"; } >/dev/null 2>&1 & watch=$!
wait "$envoy" 2>/dev/null; status=$?
kill "$watch" 2>/dev/null
exit "$status"
"#;

pub struct Process {
    shell: Child,
    envoy: u32,
}

impl Process {
    /// Starts `binary` with `arguments` and further variables of its environment; what it says goes to the
    /// file `log`.
    pub fn start(
        binary: &Path,
        arguments: &[String],
        variables: Vec<(&'static str, PathBuf)>,
        log: &Path,
    ) -> Self {
        let mut shell = Command::new("sh")
            .args(["-c", TETHER, "tether"])
            .arg(binary)
            .args(arguments)
            .envs(variables)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(log).expect("a log file for Envoy"))
            .spawn()
            .expect("a shell to start Envoy");
        let envoy = first_line(&mut shell).parse().expect("the shell prints Envoy's process id");
        Self { shell, envoy }
    }

    /// Envoy's own process id.
    pub fn id(&self) -> u32 {
        self.envoy
    }

    /// Sends a signal, by its name without `SIG`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.envoy.to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "SIG{name}");
    }

    /// The memory in use (resident), in bytes.
    pub fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.envoy)).expect("a process status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|text| text.trim().strip_suffix(" kB"));
        kib.and_then(|text| text.parse::<u64>().ok()).expect("a line VmRSS in kB") * 1024
    }

    /// The exit status, if Envoy is no longer running.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.shell.try_wait().expect("the state of the shell")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

fn first_line(shell: &mut Child) -> String {
    let mut line = String::new();
    let out = shell.stdout.as_mut().expect("the shell's output is piped");
    BufReader::new(out).read_line(&mut line).expect("the shell's first line");
    line.trim().to_owned()
}
