//! `tollgate check`: are these policies valid, and what do they do?

use crate::cases::is_test_file;
use crate::command::input::Input;
use crate::command::outcome::{Failure, Outcome, Status, counted};
use crate::command::styles::{ERROR, FAINT, HEADING, SUCCESS, WARNING};
use crate::command::text::{object, printable};
use crate::describe::{PolicySummary, Summary, summary};
use crate::lint::Warning;
use crate::policy_file::{Located, Plugins, PolicyFile, PolicySource};
use clap::Args;
use std::time::{SystemTime, UNIX_EPOCH};
use tollgate::config::{ConfigError, Value, revision};
use tollgate::time::Micros;

/// Check policies: report all errors, or describe what is limited and warn about probable mistakes
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Check {
    /// Policies, Envoy configurations with Tollgate filters, or objects of Kubernetes or Consul with either, in
    /// YAML of one document or many, or JSON if the name ends in .json; - for standard input
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
    /// Check every Wasm plugin of Kubernetes or Consul, and not only those that are called tollgate or are
    /// configured by a policy
    #[arg(long)]
    all: bool,
}

const EXAMPLES: &str = "\
Examples:
  tollgate check policy.yaml
  tollgate check --quiet --deny-warnings policies/*.yaml
  tollgate check /etc/envoy/envoy.yaml
  tollgate check deploy/istio/*.yaml
  helm template . | tollgate check -

Exit status: 0 if all policies are valid, 1 if any is not, 2 if a file cannot be read.";

/// What the command reports about one policy.
struct Report {
    file: String,
    /// What of the file has the policy: `document 2, WasmPlugin shop/tollgate`.
    subject: Option<String>,
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
        // `policies/*.yaml` names the test files, too, which `tollgate test` reads.
        let all_are_tests = self.files.iter().all(|path| is_test_file(path));
        if all_are_tests {
            return Err(Failure::new(format!(
                "no policy among {}; run tollgate test",
                self.files.join(", ")
            )));
        }
        let plugins = if self.all { Plugins::All } else { Plugins::Recognized };
        let (mut reports, mut passed_over) = (Vec::new(), String::new());
        for path in self.files.iter().filter(|path| !is_test_file(path)) {
            let input = Input::read(path)?;
            match PolicyFile::read_with(&input.name, &input.text, plugins) {
                Ok(file) => {
                    reports.extend(file.policies.iter().map(|policy| report(&input, &file, policy)));
                    passed_over += &without_tollgate(&input, &file);
                }
                Err(error) => reports.push(unread(&input, error)),
            }
        }
        let bad =
            |report: &Report| !report.errors.is_empty() || self.deny_warnings && !report.warnings.is_empty();
        let status = if reports.iter().any(bad) { Status::Invalid } else { Status::Success };
        let stdout = if self.json {
            Value::List(reports.iter().map(Report::to_value).collect()).to_json() + "\n"
        } else {
            let text = reports.iter().map(|report| report.to_text(self.quiet)).collect::<String>();
            if self.quiet { text } else { text + &passed_over }
        };
        Ok(Outcome::of(status, stdout))
    }
}

/// The report about a file that cannot be read.
fn unread(input: &Input, error: Located<ConfigError>) -> Report {
    Report {
        file: input.name.clone(),
        subject: None,
        filter: None,
        errors: vec![(input.place(&error), error)],
        warnings: Vec::new(),
        summary: None,
        revision: None,
    }
}

/// What of a file was passed over.
fn without_tollgate(input: &Input, file: &PolicyFile) -> String {
    let note = |note: &Located<String>| {
        format!("{}: {FAINT}note{FAINT:#}: {}\n", input.place(note), printable(&note.item))
    };
    let notes = file.notes.iter().map(note).collect::<String>();
    match file.skipped {
        0 => notes,
        skipped => {
            let documents = counted(file.documents, "document");
            format!("{notes}{}: {documents}, {skipped} without Tollgate\n", input.name)
        }
    }
}

/// Since the UNIX epoch.
fn now() -> Micros {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Micros::try_from(now.as_micros()).unwrap_or(Micros::MAX)
}

fn report(input: &Input, file: &PolicyFile, policy: &PolicySource) -> Report {
    let compiled = policy.compile();
    let errors = compiled.as_ref().err().map(|errors| file.locate_errors(policy, errors));
    let warnings = compiled.as_ref().map(|set| file.warnings(policy, set, now())).unwrap_or_default();
    Report {
        file: input.name.clone(),
        subject: file.subject(policy),
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
        let subject = self.subject.iter().map(|subject| format!(", {subject}"));
        let filter = self.filter.iter().map(|filter| format!(", filter {filter}"));
        printable(&subject.chain(filter).fold(self.file.clone(), |name, part| name + &part))
    }

    fn to_text(&self, quiet: bool) -> String {
        let mut text = String::new();
        let subject =
            self.subject.as_ref().map_or_else(String::new, |subject| format!("{}: ", printable(subject)));
        for (place, error) in &self.errors {
            text += &format!("{place}: {ERROR}error{ERROR:#}: {subject}{}\n", error.item);
        }
        for (place, warning) in &self.warnings {
            text += &format!("{place}: {WARNING}warning{WARNING:#}: {subject}{}\n", warning.item);
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
            ("subject", self.subject.as_deref().map_or(Value::Null, text)),
            ("filter", self.filter.as_deref().map_or(Value::Null, text)),
            ("valid", Value::Bool(self.errors.is_empty())),
            ("errors", Value::List(self.errors.iter().map(error).collect())),
            ("warnings", Value::List(self.warnings.iter().map(warning).collect())),
            ("revision", self.revision.map_or(Value::Null, |number| Value::Number(number.into()))),
            ("summary", self.summary.as_ref().map_or(Value::Null, Summary::to_value)),
        ])
    }
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
