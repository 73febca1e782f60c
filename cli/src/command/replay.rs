//! `tollgate replay`: what would have happened to yesterday's traffic?

mod progress;

use crate::command::input::Input;
use crate::command::outcome::{Failure, Outcome, Status};
use crate::policy_file::PolicyFile;
use crate::replay::condition::{Condition, Share};
use crate::replay::format::{FORMATS, Format, SLOTS, Slot};
use crate::replay::log::{Log, Read};
use crate::replay::policy::{Fields, Given, Target, with_given_keys, with_pseudonyms};
use crate::replay::queue::Reorder;
use crate::replay::report::{self, Checked, Report, Smallest, SweepPoint, effect_of};
use crate::replay::request::Layout;
use crate::replay::run::Run;
use crate::replay::tally::MAX_CALLERS;
use crate::replay::{Runs, search};
use clap::Args;
use progress::Progress;
use std::time::Instant;
use tollgate::compile::compile;
use tollgate::config::Value;
use tollgate::time::SECOND;

/// Replay access logs: what a policy would have done to yesterday's traffic
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Replay {
    /// A policy, or an Envoy configuration with a Tollgate filter
    policy: String,
    /// Access logs in any order, plain or compressed by gzip or zstd; - for standard input
    #[arg(required = true, value_name = "LOG")]
    logs: Vec<String>,
    /// The format of the logs; by default it is recognised by their first lines
    #[arg(long, value_name = "NAME", value_parser = format)]
    format: Option<&'static Format>,
    /// Envoy's format string, if it is not one of the known ones
    #[arg(long, value_name = "STRING", conflicts_with = "format")]
    log_format: Option<String>,
    /// Where the log says something that its format does not, as WHAT=FIELD; may be repeated. FIELD is a path
    /// such as request.time in JSON, the number behind the combined format or the name in NAME=VALUE, or an
    /// operator of Envoy
    #[arg(long = "field", value_name = "WHAT=FIELD", value_parser = field)]
    fields: Vec<(Slot, String)>,
    /// The field of the log with the value of one of the policy's keys; may be repeated
    #[arg(long = "key", value_name = "KEY=FIELD", value_parser = pair)]
    keys: Vec<(String, String)>,
    /// The field of the log with a request header; may be repeated
    #[arg(long = "header", value_name = "NAME=FIELD", value_parser = header)]
    headers: Vec<(String, String)>,
    /// The field of the log with a response header; may be repeated
    #[arg(long = "response-header", value_name = "NAME=FIELD", value_parser = header)]
    response_headers: Vec<(String, String)>,
    /// Compare with this policy: who is newly rejected, and who no longer
    #[arg(long, value_name = "POLICY")]
    against: Option<String>,
    /// Try other quotas of a limit, as POLICY/LIMIT=FROM..TO or FROM..TO/STEP; may be repeated
    #[arg(long, value_name = "LIMIT=RANGE", value_parser = sweep)]
    sweep: Vec<Sweep>,
    /// Find the smallest quota of each limit that rejects at most this share of the requests it judges, such
    /// as 0.1%; reads the logs several times
    #[arg(long, value_name = "SHARE", value_parser = Share::parse)]
    share: Option<Share>,
    /// Fail, with exit status 1, if this holds, such as 'rejected > 0.1%'; may be repeated
    #[arg(long, value_name = "CONDITION", value_parser = Condition::parse)]
    fail_if: Vec<Condition>,
    /// How long before lines ahead of its own a request may have come
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(0..=86_400))]
    reorder: u64,
    /// How many callers are listed
    #[arg(long, value_name = "N", default_value_t = 10)]
    top: usize,
    /// Print JSON
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print comma-separated values: a row for each caller, or for each quota with --sweep
    #[arg(long)]
    csv: bool,
    /// Print to standard error how long it took
    #[arg(long)]
    speed: bool,
}

const EXAMPLES: &str = "\
What the log cannot say is said at the end, with the share of requests that it concerns. API keys are never
shown: only their first four characters and their length.

Fields: start, end, duration_s, duration_ms, duration_us, duration_ns, client, method, path, query, request,
host, status, bytes_in, bytes_out, user_agent, referer, forwarded, route, details, flags, tollgate, policy,
caller, tier.
Conditions: rejected, rejected_callers, newly_rejected, no_longer_rejected, unreadable, late, policy/NAME and
POLICY/LIMIT, each with > or >= and a number or a share.

Examples:
  tollgate replay policy.yaml /var/log/envoy/access.log
  tollgate replay policy.yaml access.log.*.gz --against old.yaml --fail-if 'newly_rejected > 0.1%'
  tollgate replay policy.yaml access.log --field duration_s=rt --key api_key=key
  tollgate replay policy.yaml access.log --sweep api/minute=50..200 --csv
  kubectl logs deploy/gateway | tollgate replay policy.yaml - --share 0.1% --json

Exit status: 0 if the logs are replayed, 1 if the policy has errors or a condition of --fail-if holds, 2 if a
file cannot be read.";

fn format(text: &str) -> Result<&'static Format, String> {
    let names: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
    let format = FORMATS.iter().find(|format| format.name == text);
    format.ok_or_else(|| format!("one of {}", names.join(", ")))
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, field) = text.split_once('=').ok_or("a name and a field of the log, such as api_key=key")?;
    Ok((name.trim().into(), field.trim().into()))
}

fn header(text: &str) -> Result<(String, String), String> {
    pair(text).map(|(name, field)| (name.to_ascii_lowercase(), field))
}

fn field(text: &str) -> Result<(Slot, String), String> {
    let (word, field) = pair(text)?;
    let words: Vec<&str> = SLOTS.iter().map(|(word, _)| *word).collect();
    let slot = SLOTS.iter().find(|(known, _)| *known == word).map(|(_, slot)| *slot);
    Ok((slot.ok_or_else(|| format!("one of {}", words.join(", ")))?, field))
}

/// Other quotas of a limit.
#[derive(Clone, Debug)]
struct Sweep {
    target: Target,
    quotas: Vec<u32>,
}

/// The maximum number of quotas in a sweep.
const MAX_QUOTAS: usize = 50;

fn sweep(text: &str) -> Result<Sweep, String> {
    const SUCH_AS: &str = "a limit and its quotas, such as api/minute=50..200 or api/minute=50..200/25";
    let (target, range) = text.rsplit_once('=').ok_or(SUCH_AS)?;
    let (range, step) = match range.split_once('/') {
        Some((range, step)) => {
            (range, Some(step.parse::<u32>().ok().filter(|step| *step > 0).ok_or(SUCH_AS)?))
        }
        None => (range, None),
    };
    let (from, to) = range.split_once("..").ok_or(SUCH_AS)?;
    let (from, to): (u32, u32) = (from.parse().map_err(|_| SUCH_AS)?, to.parse().map_err(|_| SUCH_AS)?);
    if from > to {
        return Err(SUCH_AS.into());
    }
    // Ten steps, if none is given.
    let step = step.unwrap_or_else(|| (to - from).div_ceil(10).max(1));
    let mut quotas: Vec<u32> =
        (from..=to).step_by(usize::try_from(step).unwrap_or(usize::MAX)).take(MAX_QUOTAS + 1).collect();
    if quotas.last() != Some(&to) {
        quotas.push(to);
    }
    match quotas.len() > MAX_QUOTAS {
        true => Err(format!("at most {MAX_QUOTAS} quotas: give a larger step, as api/minute=50..200/25")),
        false => Ok(Sweep { target: Target::parse(target), quotas }),
    }
}

/// A policy that was read, and what it is called in messages.
struct Loaded {
    input: Input,
    value: Value,
}

/// The policy of a file; as an outcome, its errors.
fn load(path: &str) -> Result<Result<Loaded, Outcome>, Failure> {
    let input = Input::read(path)?;
    let file = match PolicyFile::read(&input.name, &input.text) {
        Ok(file) => file,
        Err(error) => return Ok(Err(Outcome::invalid(input.error_report(&[error])))),
    };
    let [policy] = file.policies.as_slice() else {
        return Err(Failure::new(format!(
            "{} has several Tollgate filters: replay one at a time",
            input.name
        )));
    };
    match (policy.compile(), &policy.value) {
        (Ok(_), Ok(value)) => Ok(Ok(Loaded { value: value.clone(), input })),
        (Err(errors), _) => {
            Ok(Err(Outcome::invalid(input.error_report(&file.locate_errors(policy, &errors)))))
        }
        (Ok(_), Err(error)) => Err(Failure::new(error.to_string())),
    }
}

/// The logs, and how they are read.
struct Opened {
    layout: Layout,
    fields: Fields,
    has_query: bool,
    has_pseudonyms: bool,
}

impl Replay {
    pub fn run(self) -> Result<Outcome, Failure> {
        let began = Instant::now();
        let loaded = match load(&self.policy)? {
            Ok(loaded) => loaded,
            Err(outcome) => return Ok(outcome),
        };
        let against = match self.against.as_deref().map(load).transpose()? {
            None => None,
            Some(Ok(against)) => Some(against),
            Some(Err(outcome)) => return Ok(outcome),
        };
        let given = self.given();
        let policies: Vec<&Value> =
            [Some(&loaded), against.as_ref()].into_iter().flatten().map(|one| &one.value).collect();
        let fields = Fields::new(&given, &policies).map_err(Failure::new)?;
        let mut log = self.open(&fields)?;
        let files: Vec<_> = log.formats().map(|(name, format)| (name.to_string(), format.name)).collect();
        let opened = opened(&log, fields);

        let main = prepared(loaded, &given, &opened)?;
        let mut runs = Runs::new(main.run(&main.value, MAX_CALLERS)?);
        if let Some(other) = against {
            let other = prepared(other, &given, &opened)?;
            runs.against = Some(other.run(&other.value, MAX_CALLERS)?);
        }
        for sweep in &self.sweep {
            for quota in &sweep.quotas {
                runs.others.push(main.with_quota(&sweep.target, *quota)?);
            }
        }
        self.pass(&mut runs, &mut log);
        let smallest = self.smallest(&main, &runs, &opened)?;
        let read = std::mem::take(&mut log.read);
        let report = self.report(files, &read, &runs, smallest)?;
        let failed = report.conditions.iter().any(|one| one.holds);
        let stdout = match (self.json, self.csv) {
            (true, _) => report.to_value().to_json() + "\n",
            (false, true) => report.to_csv(),
            (false, false) => report.to_text(),
        };
        let status = if failed { Status::Invalid } else { Status::Success };
        let mut outcome = Outcome::of(status, stdout);
        if self.speed {
            outcome.stderr = speed(read.lines, began);
        }
        Ok(outcome)
    }

    fn given(&self) -> Given {
        Given {
            fields: self.fields.clone(),
            keys: self.keys.clone(),
            headers: self.headers.clone(),
            response_headers: self.response_headers.clone(),
            pattern: self.log_format.clone(),
        }
    }

    fn open(&self, fields: &Fields) -> Result<Log, Failure> {
        let by_pattern = self.log_format.as_ref().and_then(|_| format("envoy").ok());
        Log::open(&self.logs, self.format.or(by_pattern), &fields.mapping).map_err(Failure::new)
    }

    fn reorder(&self) -> Reorder {
        Reorder { time: self.reorder.saturating_mul(SECOND), ..Reorder::default() }
    }

    fn pass(&self, runs: &mut Runs, log: &mut Log) {
        let progress = Progress::new(&self.logs);
        runs.replay(log, self.reorder(), |log| progress.set(log.bytes.get(), log.read.requests));
        progress.finish();
    }

    /// The smallest quota of each limit, if they are asked for.
    fn smallest(
        &self,
        main: &Prepared,
        runs: &Runs,
        opened: &Opened,
    ) -> Result<Option<(Share, Vec<Smallest>)>, Failure> {
        let Some(share) = self.share else { return Ok(None) };
        if self.logs.iter().any(|log| log == "-") {
            return Err(Failure::new("--share reads the logs several times, so none can be standard input"));
        }
        let (rules, tally) = (runs.main.rules(), &runs.main.tally);
        let mut all = Vec::new();
        for policy in &rules.policies {
            for limit in &policy.limit_names {
                let target = Target { policy: policy.name.clone(), limit: Some(limit.clone()), tier: None };
                let declared = target.declared(&main.value).filter(|quota| *quota > 0);
                let effect = effect_of(rules, tally, &policy.name, Some(limit)).unwrap_or_default();
                let quota = match declared {
                    Some(declared) => search::smallest(share, (declared, effect), |quotas| {
                        self.effects(main, &target, quotas, opened)
                    })?,
                    None => None,
                };
                all.push(Smallest { target, declared, quota });
            }
        }
        Ok(Some((share, all)))
    }

    /// What each of these quotas does, in one pass over the logs.
    fn effects(
        &self,
        main: &Prepared,
        target: &Target,
        quotas: &[u32],
        opened: &Opened,
    ) -> Result<Vec<search::Effect>, Failure> {
        let mut others = Vec::new();
        for quota in quotas {
            others.push(main.with_quota(target, *quota)?);
        }
        let Some(first) = others.pop() else { return Ok(Vec::new()) };
        let mut runs = Runs::new(first);
        runs.others = others;
        self.pass(&mut runs, &mut self.open(&opened.fields)?);
        runs.others.push(runs.main);
        let effect = |run: &Run| effect_of(run.rules(), &run.tally, &target.policy, target.limit.as_deref());
        Ok(runs.others.iter().map(|run| effect(run).unwrap_or_default()).collect())
    }

    fn report<'r>(
        &self,
        files: Vec<(String, &'static str)>,
        read: &'r Read,
        runs: &'r Runs,
        smallest: Option<(Share, Vec<Smallest>)>,
    ) -> Result<Report<'r>, Failure> {
        let targets =
            self.sweep.iter().flat_map(|sweep| sweep.quotas.iter().map(move |quota| (&sweep.target, *quota)));
        let point = |((target, quota), run): ((&Target, u32), &Run)| SweepPoint {
            target: target.clone(),
            quota,
            rejected: run.tally.rejected,
            requests: run.tally.requests,
            by_limit: effect_of(run.rules(), &run.tally, &target.policy, target.limit.as_deref())
                .map_or(0, |(rejected, _)| rejected),
        };
        let conditions = self.fail_if.iter().map(|condition| Checked::new(condition, read, runs));
        Ok(Report {
            files,
            read,
            runs,
            notes: report::notes(read, runs, self.reorder()),
            sweep: targets.zip(&runs.others).map(point).collect(),
            smallest,
            conditions: conditions.collect::<Result<_, _>>().map_err(Failure::new)?,
            top: self.top,
        })
    }
}

/// What the logs that were opened can say.
fn opened(log: &Log, fields: Fields) -> Opened {
    let mut layout = Layout::default();
    for one in log.parsers().map(|parser| fields.layout(parser)) {
        let new = |known: &[(String, _)], name: &String| !known.iter().any(|(own, _)| own == name);
        for (name, extra) in one.headers {
            if new(&layout.headers, &name) {
                layout.headers.push((name, extra));
            }
        }
        for (name, extra) in one.response_headers {
            if new(&layout.response_headers, &name) {
                layout.response_headers.push((name, extra));
            }
        }
    }
    let has_query = !log.formats().any(|(_, format)| format.without_query);
    Opened { layout, fields, has_query, has_pseudonyms: log.has_pseudonyms }
}

/// A policy, changed for the log.
struct Prepared {
    name: String,
    value: Value,
    layout: Layout,
}

fn prepared(loaded: Loaded, given: &Given, opened: &Opened) -> Result<Prepared, Failure> {
    let Loaded { input, mut value } = loaded;
    let unknown = with_given_keys(&mut value, given);
    if let Some(key) = unknown.first() {
        return Err(Failure::new(format!("{} has no key {key}, which --key names", input.name)));
    }
    let mut layout = opened.layout.clone();
    if opened.has_pseudonyms {
        layout.pseudonyms = with_pseudonyms(&mut value, &layout, opened.has_query);
    }
    Ok(Prepared { name: input.name, value, layout })
}

impl Prepared {
    fn run(&self, value: &Value, max_callers: usize) -> Result<Run, Failure> {
        let configuration = compile(value).map_err(|errors| {
            let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
            Failure::new(format!("{} cannot be replayed like this: {}", self.name, errors.join("; ")))
        })?;
        Ok(Run::new(&configuration, self.layout.clone(), max_callers))
    }

    /// The policy with another quota. Its callers are not told apart.
    fn with_quota(&self, target: &Target, quota: u32) -> Result<Run, Failure> {
        self.run(&target.with_quota(&self.value, quota).map_err(Failure::new)?, 0)
    }
}

fn speed(lines: u64, began: Instant) -> String {
    let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
    let each_second = lines.saturating_mul(1_000) / millis;
    format!("{lines} lines in {}.{:03} s: {each_second} lines a second\n", millis / 1_000, millis % 1_000)
}
