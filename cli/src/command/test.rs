//! `tollgate test`: does the policy do what its cases say?

use crate::cases::run::Runner;
use crate::cases::{
    Case, Difference, MAX_BYTES, Ran, TestFile, compare, junit, language, policy_name, run, sibling,
};
use crate::command::input::Input;
use crate::command::outcome::{Failure, Outcome, Status, counted};
use crate::command::styles::{ERROR, FAINT, HEADING, SUCCESS};
use crate::command::text::{object, printable};
use crate::document::{Document, LineMap, Syntax};
use crate::policy_file::{Located, PolicyFile, PolicySource};
use clap::Args;
use std::fs;
use std::path::Path;
use tollgate::compile::Configuration;
use tollgate::config::{ConfigError, ConfigErrors, Value};

/// Test policies: run the cases that stand beside them, and show where they differ from what is expected
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Test {
    /// Test files, in YAML, or JSON if the name ends in .json; or policies that have one beside them
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// Run only cases whose name contains this
    #[arg(long, value_name = "NAME")]
    filter: Option<String>,
    /// Also write the results to this file as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<String>,
    /// Print a JSON list with one report for each file
    #[arg(long, conflicts_with = "verbose")]
    json: bool,
    /// Also name the cases that pass
    #[arg(short, long)]
    verbose: bool,
}

const EXAMPLES: &str = "\
billium.test.yaml has the cases of billium.yaml, unless it names another policy. Nothing is sent: the filter's
own engine decides, with the clock that the cases say.

Examples:
  tollgate test envoy/policies/billium.test.yaml
  tollgate test policies/*.test.yaml --junit results.xml
  tollgate test policy.yaml --filter 'the month'

Exit status: 0 if all cases pass, 1 if one fails or a policy has errors, 2 if a test file cannot be read or has
errors.";

/// The cases of a file, and what came of them.
struct Report {
    file: String,
    policy: String,
    cases: Vec<Reported>,
}

struct Reported {
    name: String,
    line: Option<usize>,
    ran: Ran,
    /// The line of each difference.
    lines: Vec<Option<usize>>,
}

/// Why a file has no results: what is printed about it.
enum Trouble {
    /// Its policy is invalid.
    Policy(String),
    /// It is invalid, or a file cannot be read.
    File(String),
}

impl Trouble {
    fn text(&self) -> &str {
        match self {
            Trouble::Policy(text) | Trouble::File(text) => text,
        }
    }

    fn status(&self) -> Status {
        match self {
            Trouble::Policy(_) => Status::Invalid,
            Trouble::File(_) => Status::Failed,
        }
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Trouble {
        Trouble::File(Outcome::failed(failure).stderr)
    }
}

impl Test {
    pub fn run(self) -> Result<Outcome, Failure> {
        let results: Vec<_> = self.files.iter().map(|path| (path, self.report(path))).collect();
        let reports: Vec<&Report> = results.iter().filter_map(|(_, result)| result.as_ref().ok()).collect();
        let filter = self.filter.as_deref();
        if let Some(filter) =
            filter.filter(|_| !reports.is_empty() && reports.iter().all(|one| one.cases.is_empty()))
        {
            return Err(Failure::new(format!("no case has a name that contains {filter:?}")));
        }
        if let Some(path) = &self.junit {
            let suites: Vec<_> = results.iter().map(|(path, result)| suite(path, result)).collect();
            fs::write(path, junit::document(&suites))
                .map_err(|error| Failure::new(format!("{path} cannot be written: {error}")))?;
        }
        let stdout = if self.json {
            Value::List(reports.iter().map(|report| report.to_value()).collect()).to_json() + "\n"
        } else {
            reports.iter().map(|report| report.to_text(self.verbose)).collect()
        };
        let statuses = results.iter().map(|(_, result)| match result {
            Ok(report) if report.failed() > 0 => Status::Invalid,
            Ok(_) => Status::Success,
            Err(trouble) => trouble.status(),
        });
        let status = statuses.fold(Status::Success, worse);
        let troubles = results.iter().filter_map(|(_, result)| result.as_ref().err());
        Ok(Outcome { status, stdout, stderr: troubles.map(Trouble::text).collect() })
    }

    fn report(&self, path: &str) -> Result<Report, Trouble> {
        let input = read(path)?;
        let syntax = Syntax::of(&input.name, &input.text);
        let invalid = |errors: &[Located<ConfigError>]| Trouble::File(input.error_report(errors));
        let document = Document::read(&input.text, syntax)
            .map_err(|error| invalid(&[Located { line: error.line, item: error.to_config_error() }]))?;
        let Some(policy) = policy_name(&input.name, &document.value) else {
            return Err(without_policy(path, &input));
        };
        let policy = beside(&input.name, &policy);
        let filter = document.value.get(language::file::FILTER.name).and_then(Value::text);
        let set = compiled(&Input::read(&policy)?, filter).map_err(Trouble::Policy)?;
        let file = TestFile::read(&document.value, &set)
            .map_err(|errors| invalid(&located(&errors, &document.lines)))?;
        Ok(self.ran(input.name, policy, &set, &file, &document.lines))
    }

    fn ran(
        &self,
        name: String,
        policy: String,
        set: &Configuration,
        file: &TestFile,
        lines: &LineMap,
    ) -> Report {
        let runner = Runner::new(set);
        let wanted = |case: &&Case| self.filter.as_ref().is_none_or(|filter| case.name.contains(filter));
        let cases = file.cases.iter().filter(wanted).map(|case| {
            let ran = run(&runner, case);
            let of = ran.differences.iter().map(|one| lines.of(&one.path)).collect();
            Reported { name: case.name.clone(), line: lines.of(&case.path), ran, lines: of }
        });
        Report { file: name, policy, cases: cases.collect() }
    }
}

/// What the exit status says of two files.
fn worse(one: Status, other: Status) -> Status {
    match (one, other) {
        (Status::Failed, _) | (_, Status::Failed) => Status::Failed,
        (Status::Invalid, _) | (_, Status::Invalid) => Status::Invalid,
        (Status::Success, Status::Success) => Status::Success,
    }
}

fn suite(path: &str, result: &Result<Report, Trouble>) -> junit::Suite {
    match result {
        Ok(report) => report.suite(),
        Err(trouble) => junit::Suite { name: path.into(), cases: Err(trouble.text().trim_end().into()) },
    }
}

/// The error of a file that does not say which policy it is about.
fn without_policy(path: &str, input: &Input) -> Trouble {
    if let Some(sibling) = sibling(path).filter(|_| PolicyFile::read(path, &input.text).is_ok()) {
        return Trouble::from(Failure::new(format!(
            "{path} is a policy, and no test file stands beside it: {sibling} does not exist"
        )));
    }
    let error = ConfigError::new(
        language::file::POLICY.name,
        "nothing",
        "the file with the policy; it can be left out only if this file is named like billium.test.yaml",
    );
    Trouble::File(input.error_report(&[Located { line: None, item: error }]))
}

/// Reads a test file, or that beside a policy.
fn read(path: &str) -> Result<Input, Failure> {
    let path = match sibling(path) {
        Some(sibling) if Path::new(&sibling).is_file() => sibling,
        Some(_) | None => path.to_owned(),
    };
    let size = fs::metadata(&path).map(|file| file.len()).unwrap_or_default();
    if size > MAX_BYTES {
        return Err(Failure::new(format!("{path} has {size} bytes; a test file has at most {MAX_BYTES}")));
    }
    let input = Input::read(&path)?;
    if input.text.len() as u64 > MAX_BYTES {
        return Err(Failure::new(format!("{path} is too large; a test file has at most {MAX_BYTES} bytes")));
    }
    Ok(input)
}

/// A file that is named in another one.
fn beside(name: &str, other: &str) -> String {
    match Path::new(name).parent() {
        Some(folder) => folder.join(other).display().to_string(),
        None => other.into(),
    }
}

/// The policy of a file, or of one filter in it. The error is a report. A test file may name any file, so what is in
/// one is shown only if it is a policy without doubt.
fn compiled(input: &Input, filter: Option<&str>) -> Result<Configuration, String> {
    let file = PolicyFile::read(&input.name, &input.text).map_err(|error| hidden(input, error.line))?;
    let name = |policy: &&PolicySource| policy.filter.as_ref().map(|filter| filter.name.clone());
    let wanted = |policy: &&PolicySource| filter.is_none() || name(policy).as_deref() == filter;
    let chosen: Vec<&PolicySource> = file.policies.iter().filter(wanted).collect();
    let [policy] = chosen.as_slice() else {
        let names: Vec<String> = file.policies.iter().filter_map(|policy| name(&policy)).collect();
        let found = format!("{} Tollgate filters that fit", chosen.len());
        let allowed = format!("filter in the test file: the name of one of {}", names.join(", "));
        return Err(
            input.error_report(&[Located { line: None, item: ConfigError::new("", &found, &allowed) }])
        );
    };
    policy.compile().map_err(|errors| match policy.is_clear() {
        true => input.error_report(&file.locate_errors(policy, &errors)),
        false => hidden(input, None),
    })
}

/// The report about a file that may be no policy: nothing of what is in it.
fn hidden(input: &Input, line: Option<usize>) -> String {
    let found = "a file that cannot be read as a policy";
    let allowed = format!("a policy; tollgate check {} shows its errors", input.name);
    input.error_report(&[Located { line, item: ConfigError::new("", found, &allowed) }])
}

fn located(errors: &ConfigErrors, lines: &LineMap) -> Vec<Located<ConfigError>> {
    errors.iter().map(|error| Located { line: lines.of(error.path()), item: error.clone() }).collect()
}

impl Report {
    fn failed(&self) -> usize {
        self.cases.iter().filter(|case| !case.ran.passed()).count()
    }

    fn to_text(&self, verbose: bool) -> String {
        let mut text = String::new();
        for case in &self.cases {
            match case.ran.passed() {
                true if verbose => {
                    text += &format!("{SUCCESS}passed{SUCCESS:#}  {}\n", printable(&case.name))
                }
                true => {}
                false => text += &case.to_text(&self.file),
            }
        }
        let requests: u64 = self.cases.iter().map(|case| u64::from(case.ran.requests)).sum();
        let cases = counted(self.cases.len(), "case");
        let verdict = match self.failed() {
            0 => format!("{SUCCESS}passed{SUCCESS:#}"),
            failed => format!("{ERROR}{failed} failed{ERROR:#}"),
        };
        text + &format!("{HEADING}{}{HEADING:#}: {cases}, {verdict}; {requests} requests\n", self.file)
    }

    fn suite(&self) -> junit::Suite {
        let case = |case: &Reported| {
            let first = case.ran.differences.first();
            let message =
                |one: &Difference| format!("{}: expected {}, found {}", one.what, one.expected, one.actual);
            let failure = first.map(|one| (message(one), case.plain(&self.file)));
            junit::SuiteCase { name: case.name.clone(), line: case.line, failure }
        };
        junit::Suite { name: self.file.clone(), cases: Ok(self.cases.iter().map(case).collect()) }
    }

    fn to_value(&self) -> Value {
        let case = |case: &Reported| {
            let differences = case.ran.differences.iter().zip(&case.lines);
            object([
                ("name", case.name.as_str().into()),
                ("line", number_or_null(case.line)),
                ("passed", Value::Bool(case.ran.passed())),
                ("requests", Value::Number(f64::from(case.ran.requests))),
                ("differences", Value::List(differences.map(|(one, line)| difference(one, *line)).collect())),
            ])
        };
        object([
            ("file", self.file.as_str().into()),
            ("policy", self.policy.as_str().into()),
            ("passed", Value::Bool(self.failed() == 0)),
            ("cases", Value::List(self.cases.iter().map(case).collect())),
        ])
    }
}

fn difference(one: &Difference, line: Option<usize>) -> Value {
    let number = |number: u32| Value::Number(f64::from(number));
    object([
        ("path", one.path.as_str().into()),
        ("line", number_or_null(line)),
        ("request", one.request.as_str().into()),
        ("number", if one.number == 0 { Value::Null } else { number(one.number) }),
        ("times", number(one.times)),
        ("at", compare::instant_text(one.at).as_str().into()),
        ("more", number(one.more)),
        ("what", one.what.as_str().into()),
        ("expected", one.expected.as_str().into()),
        ("actual", one.actual.as_str().into()),
    ])
}

fn number_or_null(number: Option<usize>) -> Value {
    number.map_or(Value::Null, |number| Value::Number(number as f64))
}

impl Reported {
    fn to_text(&self, file: &str) -> String {
        let place = self.line.map_or_else(|| file.to_owned(), |line| format!("{file}:{line}"));
        let mut text =
            format!("{place}: {ERROR}failed{ERROR:#}: {HEADING}{}{HEADING:#}\n", printable(&self.name));
        let mut about = String::new();
        for (one, line) in self.ran.differences.iter().zip(&self.lines) {
            let request = printable(&request(one));
            if request != about {
                text += &format!("  {request}\n");
                about = request;
            }
            let line = line.map_or_else(String::new, |line| format!(" {FAINT}(line {line}){FAINT:#}"));
            text += &format!("    {}{line}\n", one.what);
            text += &lines("expected", '-', &one.expected, ERROR);
            text += &lines("found   ", '+', &one.actual, SUCCESS);
        }
        text
    }

    /// The same without colours.
    fn plain(&self, file: &str) -> String {
        anstream::adapter::strip_str(&self.to_text(file)).to_string()
    }
}

/// Which request a difference is about, and when it was sent.
fn request(one: &Difference) -> String {
    let which = match (one.number, one.times) {
        (0, times) => format!("{times} requests {}, from", one.request),
        (_, 1) => format!("{} at", one.request),
        (number, times) => format!("request {number} of {times} {} at", one.request),
    };
    let more = match one.more {
        0 => String::new(),
        more => format!(", and {more} more of them"),
    };
    format!("{which} {}{more}", compare::instant_text(one.at))
}

/// A text, each line behind a sign.
fn lines(label: &str, sign: char, text: &str, style: anstyle::Style) -> String {
    const MOST: usize = 20;
    let shown = text.split('\n').take(MOST).enumerate().map(|(index, line)| {
        let label = if index == 0 { label } else { "        " };
        format!("      {style}{sign} {label} {}{style:#}\n", printable(line))
    });
    shown.collect()
}
