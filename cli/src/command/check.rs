//! `tollgate check`: are these policies valid, and what do they do?

use crate::command::input::Input;
use crate::command::outcome::{Failure, Outcome, Status, counted};
use crate::command::styles::{ERROR, FAINT, HEADING, SUCCESS, WARNING};
use crate::describe::{PolicySummary, Summary, summary};
use crate::lint::Warning;
use crate::policy_file::{Located, PolicyFile, PolicySource};
use clap::Args;
use tollgate::config::{ConfigError, Value, revision};

/// Check policies: report all errors, or describe what is limited and warn about probable mistakes
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Check {
    /// Policies, or Envoy configurations with Tollgate filters, in YAML, or JSON if the name ends in .json; -
    /// for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// Print a JSON list with one report for each policy
    #[arg(long)]
    json: bool,
    /// Print only errors and warnings
    #[arg(short, long)]
    quiet: bool,
    /// Treat warnings as errors
    #[arg(long)]
    deny_warnings: bool,
}

const EXAMPLES: &str = "\
Examples:
  tollgate check policy.yaml
  tollgate check --quiet --deny-warnings policies/*.yaml
  tollgate check /etc/envoy/envoy.yaml
  helm template . | tollgate check -

Exit status: 0 if all policies are valid, 1 if any is not, 2 if a file cannot be read.";

/// What the command reports about one policy.
struct Report {
    file: String,
    /// The name of the filter, in an Envoy configuration.
    filter: Option<String>,
    /// Each with its place, such as `policy.yaml:7`.
    errors: Vec<(String, Located<ConfigError>)>,
    warnings: Vec<(String, Located<Warning>)>,
    summary: Option<Summary>,
    /// What the gauge `config.revision` shows while the policy is live.
    revision: Option<u32>,
}

impl Check {
    pub fn run(self) -> Result<Outcome, Failure> {
        let mut reports = Vec::new();
        for path in &self.files {
            reports.extend(reports_of(&Input::read(path)?));
        }
        let bad =
            |report: &Report| !report.errors.is_empty() || self.deny_warnings && !report.warnings.is_empty();
        let status = if reports.iter().any(bad) { Status::Invalid } else { Status::Success };
        let stdout = if self.json {
            Value::List(reports.iter().map(Report::to_value).collect()).to_json() + "\n"
        } else {
            reports.iter().map(|report| report.to_text(self.quiet)).collect()
        };
        Ok(Outcome::of(status, stdout))
    }
}

fn reports_of(input: &Input) -> Vec<Report> {
    match PolicyFile::read(&input.name, &input.text) {
        Ok(file) => file.policies.iter().map(|policy| report(input, &file, policy)).collect(),
        Err(error) => vec![Report {
            file: input.name.clone(),
            filter: None,
            errors: vec![(input.place(&error), error)],
            warnings: Vec::new(),
            summary: None,
            revision: None,
        }],
    }
}

fn report(input: &Input, file: &PolicyFile, policy: &PolicySource) -> Report {
    let compiled = policy.compile();
    let errors = compiled.as_ref().err().map(|errors| file.locate_errors(policy, errors));
    let warnings = compiled.as_ref().map(|set| file.warnings(policy, set)).unwrap_or_default();
    Report {
        file: input.name.clone(),
        filter: policy.filter.as_ref().map(|filter| filter.name.clone()),
        errors: placed(input, errors.unwrap_or_default()),
        warnings: placed(input, warnings),
        revision: compiled.as_ref().ok().and(policy.value.as_ref().ok()).map(revision),
        summary: compiled.ok().map(|set| summary(&set)),
    }
}

fn placed<T>(input: &Input, located: Vec<Located<T>>) -> Vec<(String, Located<T>)> {
    located.into_iter().map(|one| (input.place(&one), one)).collect()
}

impl Report {
    fn name(&self) -> String {
        match &self.filter {
            Some(filter) => format!("{}, filter {filter}", self.file),
            None => self.file.clone(),
        }
    }

    fn to_text(&self, quiet: bool) -> String {
        let mut text = String::new();
        for (place, error) in &self.errors {
            text += &format!("{place}: {ERROR}error{ERROR:#}: {}\n", error.item);
        }
        for (place, warning) in &self.warnings {
            text += &format!("{place}: {WARNING}warning{WARNING:#}: {}\n", warning.item);
        }
        let name = self.name();
        let warnings = match self.warnings.len() {
            0 => String::new(),
            number => format!(", {}", counted(number, "warning")),
        };
        match &self.summary {
            None => {
                let errors = counted(self.errors.len(), "error");
                text += &format!("{HEADING}{name}{HEADING:#}: {ERROR}invalid{ERROR:#}, {errors}\n");
            }
            Some(_) if quiet => {}
            Some(summary) => {
                text += &format!("{HEADING}{name}{HEADING:#}: {SUCCESS}valid{SUCCESS:#}{warnings}\n");
                if let Some(revision) = self.revision {
                    text += &format!("  {FAINT}revision {revision}{FAINT:#}\n");
                }
                text += &summary_text(summary);
            }
        }
        text
    }

    fn to_value(&self) -> Value {
        let text = |text: &str| Value::from(text);
        let line = |line: Option<usize>| line.map_or(Value::Null, |line| Value::Number(line as f64));
        let error = |(_, located): &(String, Located<ConfigError>)| {
            let error = &located.item;
            object([
                ("path", text(error.path())),
                ("line", line(located.line)),
                ("found", text(error.found())),
                ("allowed", text(error.allowed())),
                ("did_you_mean", error.suggestion().map_or(Value::Null, text)),
            ])
        };
        let warning = |(_, located): &(String, Located<Warning>)| {
            let warning = &located.item;
            object([
                ("path", text(&warning.path)),
                ("line", line(located.line)),
                ("message", text(&warning.message)),
            ])
        };
        object([
            ("file", text(&self.file)),
            ("filter", self.filter.as_deref().map_or(Value::Null, text)),
            ("valid", Value::Bool(self.errors.is_empty())),
            ("errors", Value::List(self.errors.iter().map(error).collect())),
            ("warnings", Value::List(self.warnings.iter().map(warning).collect())),
            ("revision", self.revision.map_or(Value::Null, |number| Value::Number(number.into()))),
            ("summary", self.summary.as_ref().map_or(Value::Null, Summary::to_value)),
        ])
    }
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Object(fields.into_iter().map(|(name, value)| (name.to_string(), value)).collect())
}

fn summary_text(summary: &Summary) -> String {
    let names = summary.policies.iter().map(|policy| policy.name.len());
    let labels = summary.general.iter().map(|(label, _)| label.len());
    let width = names.chain(labels).max().unwrap_or_default();
    let mut text = String::new();
    for policy in &summary.policies {
        let PolicySummary { name, applies, limits, notes } = policy;
        text += &format!("  {HEADING}{name:width$}{HEADING:#}  {applies}\n");
        for line in limits.iter().chain(notes) {
            text += &format!("  {:width$}  {line}\n", "");
        }
    }
    for (label, words) in &summary.general {
        text += &format!("  {FAINT}{label:width$}{FAINT:#}  {words}\n");
    }
    text
}
