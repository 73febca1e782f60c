//! The program itself.

use super::{free_address, signal};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

pub fn binary() -> Command {
    Command::new(env!("CARGO_BIN_EXE_tollgate-fleet"))
}

/// A program that serves.
pub struct Process {
    child: Child,
    /// The lines of its log that have not been read.
    log: Receiver<String>,
    /// Those that have.
    seen: String,
    pub address: SocketAddr,
    pub operator: SocketAddr,
}

impl Process {
    pub fn start(arguments: &[&str]) -> Process {
        let [address, operator] = [(); 2].map(|()| free_address());
        let ports =
            ["--listen", &address.to_string(), "--operator-listen", &operator.to_string()].map(String::from);
        let mut command = binary();
        let mut child = command.args(ports).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (lines, log) = channel();
        thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| lines.send(line)));
        let mut process = Process { child, log, seen: String::new(), address, operator };
        process.until("\"ready\"");
        process
    }

    /// Reads the log until there is a line with a text, and returns all of it. The line may have been there
    /// before the one that was waited for last: what the service does at once is logged in any order.
    pub fn until(&mut self, text: &str) -> String {
        const PATIENCE: Duration = Duration::from_secs(60);
        while !self.seen.lines().any(|line| line.contains(text)) {
            let line = self.log.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("no {text} in the log: {}", self.seen));
            self.seen += &(line + "\n");
        }
        self.seen.clone()
    }

    pub fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    pub fn ended(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the program says if it does not serve.
pub fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
