//! The command `tollgate`.

use std::process::ExitCode;
use tollgate_cli::command;

fn main() -> ExitCode {
    match command::run(std::env::args_os()) {
        Ok(outcome) => outcome.print(),
        Err(error) => error.exit(),
    }
}
