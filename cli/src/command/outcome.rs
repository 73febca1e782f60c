//! The outcome of a command: its output and its exit status.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
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
        let stdout = for_reader(&self.stdout, io::stdout().is_terminal());
        let stderr = for_reader(&self.stderr, io::stderr().is_terminal());
        let printed = write(anstream::stdout(), &stdout).and(write(anstream::stderr(), &stderr));
        match (printed, self.status) {
            (Err(_), _) | (Ok(()), Status::Failed) => ExitCode::from(2),
            (Ok(()), Status::Invalid) => ExitCode::from(1),
            (Ok(()), Status::Success) => ExitCode::SUCCESS,
        }
    }
}

/// The output as a terminal may have it: whatever stands in names of files or in what they say, the terminal
/// follows nothing but the tool's own colours.
fn for_reader(text: &str, is_terminal: bool) -> Cow<'_, str> {
    let is_plain = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
    if !is_terminal || text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = if is_plain(c) { c.len_utf8() } else { colour(rest) };
        match rest.get(..length) {
            Some(kept) if length > 0 => shown.push_str(kept),
            Some(_) | None => shown.push('\u{FFFD}'),
        }
        rest = rest.get(length.max(c.len_utf8())..).unwrap_or_default();
    }
    Cow::Owned(shown)
}

/// The length of a colour or a style, such as `ESC [ 1 m`, with which a text begins. 0: it does not.
fn colour(text: &str) -> usize {
    let Some(numbers) = text.strip_prefix("\u{1B}[") else { return 0 };
    let end = numbers.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(numbers.len());
    let is_colour = numbers.get(end..).is_some_and(|rest| rest.starts_with('m'));
    if is_colour { end + 3 } else { 0 }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_follows_nothing_but_colours() {
        let text =
            "\u{1B}[1m\u{1B}[31merror\u{1B}[0m:\ta\u{1B}]0;title\u{7}\u{9B}2J\u{1B}[2J\u{1B}[1\r\n\u{1B}";
        let shown = "\u{1B}[1m\u{1B}[31merror\u{1B}[0m:\ta?]0;title??2J?[2J?[1?\n?";
        assert_eq!(for_reader(text, true), shown.replace('?', "\u{FFFD}"));
        assert_eq!(for_reader(text, false), text, "a file has what was written");
        assert_eq!(for_reader("a\n\tb é", true), "a\n\tb é");
    }
}
