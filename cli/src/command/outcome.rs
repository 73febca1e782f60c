//! What a command has to say, and how it went.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

/// How a command went.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Status {
    /// The answer is yes.
    Good,
    /// A policy has errors, or warnings that were to be taken for errors.
    Invalid,
    /// There is no answer.
    Failed,
}

/// What to say, and where.
pub struct Outcome {
    /// How it went.
    pub status: Status,
    /// For standard output.
    pub answer: String,
    /// For standard error.
    pub complaint: String,
}

/// What kept a command from being carried out.
pub struct Failure(String);

impl Failure {
    pub fn new(what: impl Into<String>) -> Failure {
        Failure(what.into())
    }
}

impl Outcome {
    pub fn good(answer: impl Into<String>) -> Outcome {
        Outcome::of(Status::Good, answer)
    }

    pub fn of(status: Status, answer: impl Into<String>) -> Outcome {
        Outcome { status, answer: answer.into(), complaint: String::new() }
    }

    /// There is nothing to give out, only something to say.
    pub fn rejected(complaint: impl Into<String>) -> Outcome {
        Outcome { status: Status::Invalid, answer: String::new(), complaint: complaint.into() }
    }

    pub fn failed(failure: Failure) -> Outcome {
        let complaint = format!("tollgate: {}\n", failure.0);
        Outcome { status: Status::Failed, answer: String::new(), complaint }
    }

    /// Says it, without colours where nobody would see them.
    pub fn tell(self) -> ExitCode {
        let told = write(anstream::stdout(), &self.answer).and(write(anstream::stderr(), &self.complaint));
        match (told, self.status) {
            (Err(_), _) | (Ok(()), Status::Failed) => ExitCode::from(2),
            (Ok(()), Status::Invalid) => ExitCode::from(1),
            (Ok(()), Status::Good) => ExitCode::SUCCESS,
        }
    }
}

fn write(mut to: impl Write, text: &str) -> io::Result<()> {
    match to.write_all(text.as_bytes()).and_then(|()| to.flush()) {
        // Whoever reads has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        told => told,
    }
}

/// `1 error`, `2 errors`.
pub fn counted(number: usize, what: impl Display) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
