//! The tables, and `target/bench.json`:
//!
//! ```json
//! {
//!   "generations": 5, "rounds": 6, "turn_ms": 250,
//!   "machine": { "processors": 2, "model": "…", "kernel": "…" },
//!   "groups": [{
//!     "name": "subjects", "about": "…",
//!     "cases": [{
//!       "name": "two_layers", "about": "…", "workers": 1, "module_bytes": 340000,
//!       "cpu_us": SUMMARY, "added_cpu_us": SUMMARY, "over_empty": SUMMARY,
//!       "requests_per_second": SUMMARY, "refused": SUMMARY,
//!       "added_p50_us": SUMMARY, "added_p99_us": SUMMARY,
//!       "memory_mb": SUMMARY, "started_in_ms": SUMMARY, "turns_cpu_us": [42.1, 43.0],
//!       "asked": {
//!         "service_cpu_us": SUMMARY, "redis_cpu_us": SUMMARY, "all_cpu_us": SUMMARY,
//!         "exchanges": SUMMARY, "service_cpu_us_per_exchange": SUMMARY
//!       }
//!     }]
//!   }],
//!   "goals": [{ "name": "…", "unit": "", "at_most": 1.15, "found": SUMMARY, "reached": true, "floor": SUMMARY }]
//! }
//! ```
//!
//! A SUMMARY is `{ "median": 4.2, "low": 4.1, "high": 4.4 }`, low and high being the quartiles, or null if
//! the figure was not measured. Of a quotient, such as most goals are, they hold nine tenths of those that
//! other rounds might have given ([`quotient`](crate::statistics::quotient)). `cpu_us` is the processor time
//! of the whole Envoy process a request. What is added is over the case `none` of the same round, and
//! `over_empty` is added processor time as a quotient of the empty filter's. `rejected` is a part of all
//! requests, memory is resident and in units of 2^20 bytes. A goal's floor is the same figure of a filter
//! that makes the host calls and does nothing else. Only a case whose filter asks a service has `asked`: the
//! processor time a request of that service, of its Redis, and of both and Envoy; the number of exchanges a
//! request, if it is the fleet's service, and the service's processor time for one.

use crate::goals::{self, Goal, MEGABYTE};
use crate::measurement::{Asked, Sample};
use crate::results::Results;
use crate::statistics::Summary;
use crate::subjects::Case;
use serde_json::{Value, json};
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::Path;

pub struct Report {
    /// How it was measured.
    pub conditions: Value,
    groups: Vec<Table>,
    goals: Vec<Goal>,
}

struct Table {
    name: &'static str,
    about: &'static str,
    rows: Vec<Row>,
}

struct Row {
    name: &'static str,
    about: &'static str,
    workers: usize,
    module: Option<u64>,
    cpu: Option<Summary>,
    added: Option<Summary>,
    over_empty: Option<Summary>,
    per_second: Option<Summary>,
    rejected: Option<Summary>,
    p50: Option<Summary>,
    p99: Option<Summary>,
    memory: Option<Summary>,
    start: Option<Summary>,
    turns: Vec<f64>,
    /// `None`: its filter asks nobody.
    asked: Option<AskedRow>,
}

/// The processes beside Envoy.
#[derive(Clone, Copy)]
struct AskedRow {
    service: Option<Summary>,
    redis: Option<Summary>,
    /// With Envoy.
    all: Option<Summary>,
    exchanges: Option<Summary>,
    exchange: Option<Summary>,
}

impl Report {
    /// `batched`: as [`goals::all`] takes it.
    pub fn new(results: &[Results], module: &Path, batched: Option<f64>, conditions: Value) -> Report {
        let table = |results: &Results| Table {
            name: results.group.name,
            about: results.group.about,
            rows: results.group.cases.iter().map(|case| Row::of(results, case)).collect(),
        };
        let goals = goals::all(results, module, batched);
        Report { conditions, groups: results.iter().map(table).collect(), goals }
    }

    /// Writes the JSON file.
    pub fn save(&self, file: &Path) {
        let mut json = self.conditions.clone();
        json["machine"] = machine();
        json["groups"] = self.groups.iter().map(Table::json).collect();
        json["goals"] = self.goals.iter().map(goal_json).collect();
        fs::write(file, format!("{json:#}\n")).expect("the JSON file");
    }
}

impl Row {
    fn of(results: &Results, case: &Case) -> Row {
        let name = case.name;
        let module = case.module.as_ref().and_then(|module| fs::metadata(module).ok());
        Row {
            name,
            about: case.about,
            workers: case.workers,
            module: module.map(|module| module.len()),
            cpu: results.each(name, |sample| sample.cpu),
            added: results.added(name),
            over_empty: results.added_ratio(name, "empty"),
            per_second: results.each(name, |sample| sample.per_second),
            rejected: results.each(name, |sample| sample.rejected),
            p50: results.once_added(name, |once| Some(once.latency?.p50)),
            p99: results.once_added(name, |once| Some(once.latency?.p99)),
            memory: results.once(name, |once| Some(once.memory as f64 / MEGABYTE)),
            start: results.once(name, |once| Some(once.started_in * 1e3)),
            turns: results.turns(name).collect(),
            asked: case.backend.map(|_| AskedRow::of(results, name)),
        }
    }

    /// A figure of the processes beside Envoy.
    fn of_asked(&self, figure: impl Fn(AskedRow) -> Option<Summary>) -> Option<Summary> {
        self.asked.and_then(figure)
    }

    fn json(&self) -> Value {
        let mut json = json!({
            "name": self.name,
            "about": self.about,
            "workers": self.workers,
            "module_bytes": self.module,
            "cpu_us": summary(self.cpu),
            "added_cpu_us": summary(self.added),
            "over_empty": summary(self.over_empty),
            "requests_per_second": summary(self.per_second),
            "refused": summary(self.rejected),
            "added_p50_us": summary(self.p50),
            "added_p99_us": summary(self.p99),
            "memory_mb": summary(self.memory),
            "started_in_ms": summary(self.start),
            "turns_cpu_us": self.turns,
        });
        if let Some(asked) = &self.asked {
            json["asked"] = asked.json();
        }
        json
    }
}

impl AskedRow {
    fn of(results: &Results, name: &str) -> AskedRow {
        let beside = |asked: &Asked| asked.service_cpu + asked.redis_cpu.unwrap_or_default();
        let all = |sample: &Sample| sample.cpu + sample.asked.as_ref().map_or(0.0, beside);
        AskedRow {
            service: results.asked(name, |asked| Some(asked.service_cpu)),
            redis: results.asked(name, |asked| asked.redis_cpu),
            all: results.each(name, all),
            exchanges: results.asked(name, |asked| asked.exchanges),
            exchange: results.asked(name, |asked| asked.exchange_cpu),
        }
    }

    fn json(&self) -> Value {
        json!({
            "service_cpu_us": summary(self.service),
            "redis_cpu_us": summary(self.redis),
            "all_cpu_us": summary(self.all),
            "exchanges": summary(self.exchanges),
            "service_cpu_us_per_exchange": summary(self.exchange),
        })
    }
}

fn summary(summary: Option<Summary>) -> Value {
    summary.map_or(Value::Null, Summary::json)
}

impl Table {
    fn json(&self) -> Value {
        let cases: Vec<Value> = self.rows.iter().map(Row::json).collect();
        json!({ "name": self.name, "about": self.about, "cases": cases })
    }
}

fn goal_json(goal: &Goal) -> Value {
    json!({
        "name": goal.name,
        "unit": goal.unit,
        "at_most": goal.at_most,
        "found": goal.found.map_or(Value::Null, Summary::json),
        "reached": goal.reached(),
        "floor": goal.floor.map_or(Value::Null, Summary::json),
    })
}

fn machine() -> Value {
    let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
    let processors = read("/proc/cpuinfo");
    let model = processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    json!({
        "processors": std::thread::available_parallelism().map_or(0, usize::from),
        "model": model.map_or("unknown", |(_, model)| model),
        "kernel": read("/proc/sys/kernel/osrelease").trim(),
    })
}

/// The median with so many digits after the point; a dash if there is none.
fn figure(summary: Option<Summary>, digits: usize) -> String {
    summary.map_or("–".into(), |summary| format!("{:.digits$}", summary.median))
}

/// The median and the quartiles.
fn spread(summary: Option<Summary>, digits: usize) -> String {
    let words = |Summary { median, low, high }| format!("{median:.digits$} ({low:.digits$}–{high:.digits$})");
    summary.map_or("–".into(), words)
}

/// Columns that a group may not have are left out of its table.
impl Display for Table {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let has = |figure: fn(&Row) -> Option<Summary>| self.rows.iter().any(|row| figure(row).is_some());
        let (empty, latency) = (has(|row| row.over_empty), has(|row| row.p50));
        let asked = self.rows.iter().any(|row| row.asked.is_some());
        let columns = [
            (true, "CPU, µs/request"),
            (true, "added, µs"),
            (empty, "÷ empty"),
            (true, "requests/s"),
            (true, "refused"),
            (latency, "added p50, µs"),
            (latency, "added p99, µs"),
            (true, "memory, MB"),
            (true, "start-up, ms"),
            (latency, "module, B"),
            (asked, "service CPU, µs/request"),
            (asked, "Redis CPU, µs/request"),
            (asked, "all CPU, µs/request"),
            (asked, "exchanges/request"),
            (asked, "service CPU, µs/exchange"),
        ];
        write!(f, "| {}: {} |", self.name, self.about)?;
        let shown = columns.iter().filter(|(shown, _)| *shown);
        shown.clone().try_for_each(|(_, name)| write!(f, " {name} |"))?;
        writeln!(f, "\n|---|{}", "---|".repeat(shown.count()))?;
        for row in &self.rows {
            let cells = [
                figure(row.cpu, 2),
                spread(row.added, 2),
                figure(row.over_empty, 2),
                figure(row.per_second, 0),
                row.rejected.map_or("–".into(), |rejected| format!("{:.0} %", rejected.median * 100.0)),
                figure(row.p50, 0),
                figure(row.p99, 0),
                figure(row.memory, 0),
                figure(row.start, 0),
                row.module.map_or("–".into(), |bytes| bytes.to_string()),
                figure(row.of_asked(|asked| asked.service), 2),
                figure(row.of_asked(|asked| asked.redis), 2),
                figure(row.of_asked(|asked| asked.all).or(row.cpu), 2),
                figure(row.of_asked(|asked| asked.exchanges), 3),
                figure(row.of_asked(|asked| asked.exchange), 1),
            ];
            write!(f, "| `{}` {} |", row.name, row.about)?;
            let shown = columns.iter().zip(&cells).filter(|((shown, _), _)| *shown);
            shown.into_iter().try_for_each(|(_, cell)| write!(f, " {cell} |"))?;
            writeln!(f)?;
        }
        Ok(())
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "Medians of {}; in brackets quartiles, of goals' quotients a range of 90 %\n",
            self.conditions
        )?;
        self.groups.iter().try_for_each(|table| writeln!(f, "{table}"))?;
        writeln!(f, "| goal | at most | found | | floor |")?;
        writeln!(f, "|---|---|---|---|---|")?;
        for goal in &self.goals {
            let Goal { name, unit, at_most, found, floor } = goal;
            let mark =
                goal.reached().map_or("not measured", |reached| if reached { "reached" } else { "missed" });
            let digits = if unit.is_empty() { 2 } else { 0 };
            let figure = |summary: Option<Summary>| match summary {
                Some(_) if !unit.is_empty() => format!("{} {unit}", spread(summary, digits)),
                Some(_) | None => spread(summary, digits),
            };
            let [found, floor] = [*found, *floor].map(figure);
            let at_most = [&at_most.to_string(), " ", unit].concat();
            writeln!(f, "| {name} | {} | {found} | {mark} | {floor} |", at_most.trim_end())?;
        }
        Ok(())
    }
}
