//! The outcome of a command: its output and its exit status.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

/// Whether a command succeeded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Status {
    /// Success: exit status 0.
    Success,
    /// A policy has errors, or warnings that count as errors: exit status 1.
    Invalid,
    /// The command could not be run: exit status 2.
    Failed,
}

/// The output of a command, and whether it succeeded.
pub struct Outcome {
    /// Whether the command succeeded.
    pub status: Status,
    /// The text for standard output.
    pub stdout: String,
    /// The text for standard error.
    pub stderr: String,
}

/// Why a command could not be run.
pub struct Failure(String);

impl Failure {
    pub(crate) fn new(reason: impl Into<String>) -> Failure {
        Failure(reason.into())
    }
}

impl Outcome {
    pub(crate) fn success(stdout: impl Into<String>) -> Outcome {
        Outcome::of(Status::Success, stdout)
    }

    pub(crate) fn of(status: Status, stdout: impl Into<String>) -> Outcome {
        Outcome { status, stdout: stdout.into(), stderr: String::new() }
    }

    /// A policy has errors, which go to standard error, and there is no other output.
    pub(crate) fn invalid(stderr: impl Into<String>) -> Outcome {
        Outcome { status: Status::Invalid, stdout: String::new(), stderr: stderr.into() }
    }

    pub(crate) fn failed(failure: Failure) -> Outcome {
        let stderr = format!("tollgate: {}\n", failure.0);
        Outcome { status: Status::Failed, stdout: String::new(), stderr }
    }

    /// Prints the output, without colours where they would not be seen.
    pub fn print(self) -> ExitCode {
        let printed = write(anstream::stdout(), &self.stdout).and(write(anstream::stderr(), &self.stderr));
        match (printed, self.status) {
            (Err(_), _) | (Ok(()), Status::Failed) => ExitCode::from(2),
            (Ok(()), Status::Invalid) => ExitCode::from(1),
            (Ok(()), Status::Success) => ExitCode::SUCCESS,
        }
    }
}

fn write(mut to: impl Write, text: &str) -> io::Result<()> {
    match to.write_all(text.as_bytes()).and_then(|()| to.flush()) {
        // The reader has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// `1 error`, `2 errors`.
pub(crate) fn counted(number: usize, what: impl Display) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
