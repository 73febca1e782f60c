//! The program itself.

use super::{free_port, signal};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};

pub fn binary() -> Command {
    Command::new(env!("CARGO_BIN_EXE_tollgate-fleet"))
}

/// A program that serves.
pub struct Process {
    child: Child,
    log: BufReader<ChildStdout>,
    pub address: SocketAddr,
    pub operator: SocketAddr,
}

impl Process {
    pub fn start(arguments: &[&str]) -> Process {
        let [address, operator] = [(); 2].map(|()| SocketAddr::from(([127, 0, 0, 1], free_port())));
        let ports =
            ["--listen", &address.to_string(), "--operator-listen", &operator.to_string()].map(String::from);
        let mut command = binary();
        let mut child = command.args(ports).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stdout.take().unwrap());
        let mut process = Process { child, log, address, operator };
        process.until("\"ready\"");
        process
    }

    /// Reads the log up to a line with a text, and returns all of it.
    pub fn until(&mut self, text: &str) -> String {
        let mut all = String::new();
        while self.log.read_line(&mut all).unwrap() > 0 {
            if all.lines().last().unwrap_or_default().contains(text) {
                return all;
            }
        }
        panic!("no {text} in the log: {all}");
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
