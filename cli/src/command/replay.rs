//! `tollgate replay`: what would have happened to yesterday's traffic?

mod arguments;
mod prepared;
mod progress;

use crate::command::outcome::{Failure, Outcome, Status};
use crate::replay::condition::{Condition, Share};
use crate::replay::format::{Format, Slot};
use crate::replay::log::{Log, Read};
use crate::replay::policy::{Fields, Given, Target};
use crate::replay::queue::Reorder;
use crate::replay::report::{self, Checked, Report, Smallest, SweepPoint, effect_of};
use crate::replay::run::Run;
use crate::replay::tally::MAX_CALLERS;
use crate::replay::{Runs, search};
use arguments::{Sweep, field, format, header, pair, sweep};
use clap::Args;
use prepared::{Opened, Prepared, load, opened, prepared};
use progress::Progress;
use std::time::Instant;
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
  tollgate replay policy.yaml access.log --share 0.1%
  kubectl logs deploy/gateway | tollgate replay policy.yaml - --json

Exit status: 0 if the logs are replayed, 1 if the policy has errors or a condition of --fail-if holds, 2 if a
file cannot be read or the logs have no request.";

impl Replay {
    pub fn run(self) -> Result<Outcome, Failure> {
        let began = Instant::now();
        if self.share.is_some() && self.logs.iter().any(|log| log == "-") {
            return Err(Failure::new("--share reads the logs several times, so none can be standard input"));
        }
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
        log.read.unseen = fields.given_extras();
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
        let mut report = self.report(files, &read, &runs, smallest)?;
        report.notes.extend(report::unseen(&read, &opened.fields));
        let failed = report.conditions.iter().any(|one| one.holds);
        let stdout = match (self.json, self.csv) {
            (true, _) => report.to_value().to_json() + "\n",
            (false, true) => report.to_csv(),
            (false, false) => report.to_text(),
        };
        let status = if failed { Status::Invalid } else { Status::Success };
        let mut outcome = Outcome::of(status, stdout);
        if read.requests == 0 {
            // A condition that holds for nothing must not pass in CI.
            outcome.status = Status::Failed;
            outcome.stderr = "tollgate: the logs have no request that can be read\n".into();
        }
        if self.speed {
            outcome.stderr += &speed(read.lines, began);
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

fn speed(lines: u64, began: Instant) -> String {
    let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
    let each_second = lines.saturating_mul(1_000) / millis;
    format!("{lines} lines in {}.{:03} s: {each_second} lines a second\n", millis / 1_000, millis % 1_000)
}
