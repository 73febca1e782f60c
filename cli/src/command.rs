//! The commands of `tollgate`. Each turns its arguments into an [`Outcome`].

mod bootstrap;
mod check;
mod diff;
mod explain;
mod forgive;
mod hash;
mod input;
mod language;
mod manual;
pub mod outcome;
mod replay;
mod shell;
pub(crate) mod styles;
mod test;

use crate::applicability::masked;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory as _, Parser, Subcommand};
use outcome::Outcome;
use std::sync::LazyLock;

/// `0.1.0 (1a2b3c4) language 1`
static BUILD: LazyLock<String> = LazyLock::new(|| {
    tollgate::language::build_name(env!("CARGO_PKG_VERSION"), env!("TOLLGATE_BUILD_COMMIT"))
});

/// Check, explain and set up rate-limiting policies for Tollgate, a filter for Envoy
#[derive(Parser)]
#[command(name = "tollgate", version = BUILD.as_str(), styles = styles::HELP, after_help = EXAMPLES, disable_help_subcommand = true, subcommand_value_name = "COMMAND")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  tollgate check policy.yaml
  tollgate explain policy.yaml 'GET /v1/invoices?page=2' --client-ip 192.0.2.7 --times 51
  tollgate bootstrap policy.yaml --upstream localhost:3000 > envoy.yaml

Exit status: 0 on success, 1 if a policy has errors, 2 if the command failed.";

#[derive(Subcommand)]
enum Command {
    Check(check::Check),
    Explain(Box<explain::Explain>),
    Replay(Box<replay::Replay>),
    Bootstrap(bootstrap::Bootstrap),
    Hash(hash::Hash),
    Forgive(forgive::Forgive),
    Schema(language::Schema),
    Reference(language::Reference),
    Completions(shell::Completions),
    Man(shell::Man),
    Test(test::Test),
    Diff(diff::Compare),
}

/// Runs the command that the arguments name. The first argument is the name of the program.
///
/// # Errors
/// The arguments are invalid, or ask for help.
pub fn run<T: Into<std::ffi::OsString> + Clone>(
    arguments: impl IntoIterator<Item = T>,
) -> Result<Outcome, clap::Error> {
    let outcome = match Arguments::try_parse_from(arguments).map_err(without_secrets)?.command {
        Command::Check(check) => check.run(),
        Command::Explain(explain) => explain.run(),
        Command::Replay(replay) => replay.run(),
        Command::Bootstrap(bootstrap) => bootstrap.run(),
        Command::Hash(hash) => hash.run(),
        Command::Forgive(forgive) => forgive.run(),
        Command::Schema(schema) => Ok(schema.run()),
        Command::Reference(reference) => Ok(reference.run()),
        Command::Completions(completions) => Ok(completions.run(Arguments::command())),
        Command::Man(man) => man.run(Arguments::command()),
        Command::Test(test) => test.run(),
        Command::Diff(diff) => diff.run(),
    };
    Ok(outcome.unwrap_or_else(Outcome::failed))
}

/// The same error, without what was typed: an API key in the wrong place must not be shown in a terminal or a
/// log. Options are shown, so that a typo in one is found.
fn without_secrets(mut error: clap::Error) -> clap::Error {
    let is_option = |text: &str| text.starts_with('-') && !text.contains(['=', ' ']);
    for kind in [ContextKind::InvalidValue, ContextKind::InvalidArg] {
        let shown = match (kind, error.get(kind)) {
            // The name of an argument of ours, such as `--times <N>`.
            (ContextKind::InvalidArg, Some(_)) if error.kind() != ErrorKind::UnknownArgument => None,
            (_, Some(ContextValue::String(text))) if !is_option(text) => Some(masked(text.as_bytes())),
            (_, _) => None,
        };
        if let Some(shown) = shown {
            error.insert(kind, ContextValue::String(shown));
        }
    }
    error
}
