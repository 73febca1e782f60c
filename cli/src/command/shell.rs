//! `tollgate completions` and `tollgate man`: what a shell and `man` know of the tool.

use crate::command::manual;
use crate::command::outcome::{Failure, Outcome};
use clap::{Args, Command, ValueEnum};

/// Print a script that completes commands and options in a shell
#[derive(Args)]
#[command(after_help = COMPLETIONS_EXAMPLES)]
pub struct Completions {
    /// The shell
    shell: Shell,
}

/// Print the manual page, with all commands
#[derive(Args)]
#[command(after_help = MAN_EXAMPLES)]
pub struct Man {}

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  tollgate completions bash > ~/.local/share/bash-completion/completions/tollgate
  tollgate completions zsh > ~/.zfunc/_tollgate    # a folder of $fpath
  tollgate completions fish > ~/.config/fish/completions/tollgate.fish

Exit status: 0.";

const MAN_EXAMPLES: &str = "\
Examples:
  tollgate man > ~/.local/share/man/man1/tollgate.1
  tollgate man | man -l -

Exit status: 0.";

#[derive(Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Completions {
    /// `command` is the whole tool.
    pub fn run(self, mut command: Command) -> Outcome {
        let shell = match self.shell {
            Shell::Bash => clap_complete::Shell::Bash,
            Shell::Zsh => clap_complete::Shell::Zsh,
            Shell::Fish => clap_complete::Shell::Fish,
        };
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut command, "tollgate", &mut script);
        Outcome::success(String::from_utf8_lossy(&script))
    }
}

impl Man {
    /// `command` is the whole tool.
    pub fn run(self, command: Command) -> Result<Outcome, Failure> {
        let page = manual::page(command);
        page.map(Outcome::success).map_err(|error| Failure::new(format!("the page cannot be made: {error}")))
    }
}
