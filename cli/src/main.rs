//! `tollgate`: checks, explains and sets up rate-limiting policies.

use std::process::ExitCode;
use tollgate_cli::command;

fn main() -> ExitCode {
    match command::run(std::env::args_os()) {
        Ok(outcome) => outcome.tell(),
        Err(error) => error.exit(),
    }
}
