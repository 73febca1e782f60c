//! `tollgate schema` and `tollgate reference`: the language itself.

use crate::command::outcome::Outcome;
use crate::language;
use clap::Args;

/// Print the JSON Schema of policy files, for editors
#[derive(Args)]
#[command(after_help = EXAMPLES_OF_SCHEMA)]
pub struct Schema {}

/// Print the whole language as a page of Markdown
#[derive(Args)]
#[command(after_help = EXAMPLES_OF_REFERENCE)]
pub struct Reference {}

const EXAMPLES_OF_SCHEMA: &str = "\
Examples:
  tollgate schema > tollgate.schema.json

With this as the first line of a policy, editors that know the YAML language server check it while you write:
  # yaml-language-server: $schema=tollgate.schema.json

Exit status: 0.";

const EXAMPLES_OF_REFERENCE: &str = "\
Examples:
  tollgate reference | less

Exit status: 0.";

impl Schema {
    pub fn run(self) -> Outcome {
        Outcome::good(language::schema().to_json() + "\n")
    }
}

impl Reference {
    pub fn run(self) -> Outcome {
        Outcome::good(language::reference())
    }
}
