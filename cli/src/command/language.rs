//! `tollgate schema` and `tollgate reference`: the policy language.

use crate::command::outcome::Outcome;
use crate::language;
use clap::Args;

/// Print the JSON Schema of policy files or of test files, for editors
#[derive(Args)]
#[command(after_help = SCHEMA_EXAMPLES)]
pub struct Schema {
    /// Print the schema of the files of `tollgate test`
    #[arg(long)]
    test: bool,
}

/// Print the reference of the policy language as Markdown
#[derive(Args)]
#[command(after_help = REFERENCE_EXAMPLES)]
pub struct Reference {}

const SCHEMA_EXAMPLES: &str = "\
Examples:
  tollgate schema > tollgate.schema.json
  tollgate schema --test > tollgate-test.schema.json

Editors with the YAML language server check and complete a policy whose first line is:
  # yaml-language-server: $schema=tollgate.schema.json

Exit status: 0.";

const REFERENCE_EXAMPLES: &str = "\
Examples:
  tollgate reference | less

Exit status: 0.";

impl Schema {
    pub fn run(self) -> Outcome {
        let schema = if self.test { language::test_schema() } else { language::schema() };
        Outcome::success(schema.to_json() + "\n")
    }
}

impl Reference {
    pub fn run(self) -> Outcome {
        Outcome::success(language::reference())
    }
}
