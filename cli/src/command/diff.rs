//! `tollgate diff`: what changes from one policy to another, and what becomes of the counts?

use crate::command::input::Input;
use crate::command::outcome::{Failure, Outcome, Status, counted};
use crate::command::styles::{ERROR, FAINT, HEADING, SUCCESS, WARNING};
use crate::diff::{Change, Diff, Fate, LimitCounts, SEVERITIES, Severity, Side, diff};
use crate::policy_file::{PolicyFile, PolicySource};
use clap::Args;
use tollgate::compile::Configuration;
use tollgate::config::Value;

/// Compare two policies: say what changes for whom, which counts are kept and which begin anew
#[derive(Args)]
#[command(name = "diff", after_help = EXAMPLES)]
pub struct Compare {
    /// The policy that is live, or an Envoy configuration with Tollgate filters; - for standard input
    old: String,
    /// The policy to come
    new: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Exit with 1 if there are differences
    #[arg(long)]
    exit_code: bool,
}

const EXAMPLES: &str = "\
Changes that are written differently and mean the same are no differences. Credentials are never shown.

Examples:
  tollgate diff live.yaml next.yaml
  git show HEAD:policy.yaml | tollgate diff - policy.yaml
  tollgate diff --json --exit-code live.yaml next.yaml

Exit status: 0 if both are valid, 1 if one is not, or with --exit-code if they differ, 2 if one cannot be read.";

/// A policy of a file.
struct One {
    /// The name of the filter, in an Envoy configuration.
    filter: Option<String>,
    value: Value,
    set: Configuration,
}

impl Compare {
    pub fn run(self) -> Result<Outcome, Failure> {
        if self.old == "-" && self.new == "-" {
            return Err(Failure::new("standard input can be only one of both"));
        }
        let (old, new) = (policies(&Input::read(&self.old)?), policies(&Input::read(&self.new)?));
        let (old, new) = match (old, new) {
            (Ok(old), Ok(new)) => (old, new),
            (old, new) => {
                return Ok(Outcome::invalid(old.err().unwrap_or_default() + &new.err().unwrap_or_default()));
            }
        };
        let pairs = pairs(&old, &new);
        let diffs: Vec<_> =
            pairs.iter().map(|(name, old, new)| (name.clone(), compare(*old, *new))).collect();
        let differs = diffs.iter().any(|(_, diff)| diff.as_ref().is_none_or(|diff| !diff.is_empty()));
        let stdout = if self.json {
            Value::List(diffs.iter().map(|(name, diff)| to_value(name.as_deref(), diff.as_ref())).collect())
                .to_json()
                + "\n"
        } else {
            diffs
                .iter()
                .map(|(name, diff)| to_text(name.as_deref(), diff.as_ref()))
                .collect::<Vec<_>>()
                .join("\n")
        };
        let status = if self.exit_code && differs { Status::Invalid } else { Status::Success };
        Ok(Outcome::of(status, stdout))
    }
}

/// The policies of a file, or its errors as a report.
fn policies(input: &Input) -> Result<Vec<One>, String> {
    let file = PolicyFile::read(&input.name, &input.text).map_err(|error| input.error_report(&[error]))?;
    let one = |policy: &PolicySource| {
        let errors = |errors| input.error_report(&file.locate_errors(policy, &errors));
        let set = policy.compile().map_err(errors)?;
        let value = policy.value.clone().unwrap_or(Value::Null);
        Ok(One { filter: policy.filter.as_ref().map(|filter| filter.name.clone()), value, set })
    };
    file.policies.iter().map(one).collect()
}

type Pair<'a> = (Option<String>, Option<&'a One>, Option<&'a One>);

/// Which policies are compared: those of filters of one name, or the only ones.
fn pairs<'a>(old: &'a [One], new: &'a [One]) -> Vec<Pair<'a>> {
    if let ([old], [new]) = (old, new) {
        return vec![(None, Some(old), Some(new))];
    }
    let mut pairs: Vec<Pair<'a>> = Vec::new();
    let mut rest: Vec<&One> = new.iter().collect();
    for one in old {
        let place = rest.iter().position(|other| other.filter == one.filter);
        pairs.push((one.filter.clone(), Some(one), place.map(|place| rest.remove(place))));
    }
    pairs.extend(rest.into_iter().map(|one| (one.filter.clone(), None, Some(one))));
    pairs
}

/// `None`: there is only one of both.
fn compare(old: Option<&One>, new: Option<&One>) -> Option<Diff> {
    let side = |one: &'_ One| -> (Value, Configuration) { (one.value.clone(), one.set.clone()) };
    let ((old_value, old_set), (new_value, new_set)) = (side(old?), side(new?));
    Some(diff(Side { value: &old_value, set: &old_set }, Side { value: &new_value, set: &new_set }))
}

fn to_text(name: Option<&str>, diff: Option<&Diff>) -> String {
    let heading = name.map_or_else(String::new, |name| format!("{HEADING}filter {name}{HEADING:#}: "));
    let Some(diff) = diff else { return format!("{heading}only in one of both\n") };
    if diff.is_empty() {
        return format!("{heading}no difference, and all counts are kept\n");
    }
    let mut text = format!("{heading}{}\n", counted(diff.changes.len(), "change"));
    for severity in SEVERITIES {
        let changes: Vec<&Change> =
            diff.changes.iter().filter(|change| change.severity == severity).collect();
        if changes.is_empty() {
            continue;
        }
        let style = style(severity);
        text += &format!("\n{style}{}{style:#}\n", severity.words());
        for Change { subject, what, follows, .. } in changes {
            text += &format!("  {HEADING}{}{HEADING:#}: {}\n", printable(subject), printable(what));
            if !follows.is_empty() {
                text += &format!("      {}\n", printable(follows));
            }
        }
    }
    text + "\n" + &counts_text(&diff.counts)
}

/// A text without control characters.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}

fn style(severity: Severity) -> anstyle::Style {
    match severity {
        Severity::Restart | Severity::Stricter => ERROR,
        Severity::Anew | Severity::Other => WARNING,
        Severity::Looser => SUCCESS,
        Severity::Clients | Severity::Operators => HEADING,
    }
}

fn counts_text(counts: &[LimitCounts]) -> String {
    let width = counts.iter().map(|one| one.limit.len()).max().unwrap_or_default();
    let mut text = format!("{HEADING}counts after a live update{HEADING:#}\n");
    for LimitCounts { limit, fate } in counts {
        text += &format!("  {FAINT}{limit:width$}{FAINT:#}  {}\n", fate_text(fate));
    }
    text
}

fn fate_text(fate: &Fate) -> String {
    match fate {
        Fate::Kept => "kept".into(),
        Fate::Partly(who) => format!("kept, but {who}"),
        Fate::Anew(why) => format!("begin anew: {why}"),
        Fate::New => "begin at zero".into(),
    }
}

fn to_value(name: Option<&str>, diff: Option<&Diff>) -> Value {
    let change = |change: &Change| {
        object([
            ("severity", change.severity.word().into()),
            ("subject", change.subject.as_str().into()),
            ("what", change.what.as_str().into()),
            ("follows", change.follows.as_str().into()),
        ])
    };
    let counts = |one: &LimitCounts| {
        let (word, why) = match &one.fate {
            Fate::Kept => ("kept", ""),
            Fate::Partly(who) => ("partly", who.as_str()),
            Fate::Anew(why) => ("anew", why.as_str()),
            Fate::New => ("new", ""),
        };
        object([("limit", one.limit.as_str().into()), ("counts", word.into()), ("why", why.into())])
    };
    let list = |all: Vec<Value>| Value::List(all);
    let changes = diff.map_or(Value::Null, |diff| list(diff.changes.iter().map(change).collect()));
    let fates = diff.map_or(Value::Null, |diff| list(diff.counts.iter().map(counts).collect()));
    object([("filter", name.map_or(Value::Null, Value::from)), ("changes", changes), ("counts", fates)])
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Object(fields.into_iter().map(|(name, value)| (name.to_string(), value)).collect())
}
