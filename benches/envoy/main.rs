//! What Tollgate costs in a real Envoy, beside what a user would pick instead: run it with `make bench`.
//!
//! `subjects → measurement (gateway, backend, load, paced) → results → goals → report`
//!
//! Variables, all with defaults: `BENCH_GENERATIONS`, `BENCH_ROUNDS` (of one generation), `BENCH_TURN_MS`,
//! `BENCH_GROUPS` and `BENCH_CASES` (names, with commas between them; the case `none` is always there),
//! `BENCH_OTHER_BUILD` (a module to measure beside the one of this tree). The JSON file's shape is told in
//! `report`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a step that goes wrong is the end of the benchmark, and says so where it happens"
)]

#[allow(dead_code, reason = "the tests do more with a process")]
#[path = "../../tests/envoy/harness/process.rs"]
mod process;

#[path = "../plenty.rs"]
mod plenty;
#[path = "../../tests/support/ports.rs"]
mod ports;

mod backend;
mod filters;
mod gateway;
mod goals;
mod load;
mod measurement;
mod paced;
mod policies;
mod program;
mod report;
mod results;
mod statistics;
mod subjects;

use backend::Programs;
use measurement::Bench;
use report::Report;
use results::Results;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs};
use subjects::{Group, NONE, Places};

fn main() {
    // `cargo test --all-targets` starts benchmarks, too; only `cargo bench` says that it means it.
    if !env::args().any(|argument| argument == "--bench") {
        println!("the benchmark in Envoy runs with `make bench`");
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let places = Places {
        root: root.into(),
        tollgate: file("TOLLGATE_WASM"),
        others: file("BENCH_FILTERS"),
        other_build: env::var_os("BENCH_OTHER_BUILD").map(PathBuf::from),
    };
    let folder = root.join("target/bench");
    fs::create_dir_all(&folder).expect("a folder for Envoy's files");
    let (generations, turn) = (number("BENCH_GENERATIONS", 5), number("BENCH_TURN_MS", 250));
    let rounds = number("BENCH_ROUNDS", 6);
    let bench = Bench {
        envoy: file("ENVOY"),
        script: root.join("benches/envoy/keys.lua"),
        folder,
        turn: Duration::from_millis(turn.into()),
        programs: env::var_os("BENCH_SERVICES")
            .map(|_| Programs { folder: file("BENCH_SERVICES"), redis: file("REDIS") }),
    };
    let results: Vec<Results> = chosen(places.groups())
        .map(|group| {
            let mut results = Results::new(group);
            // What is filled first takes minutes to start, and has no layout to speak of: it is memory that
            // counts.
            let filled = results.group.cases.iter().any(|case| case.before > 0);
            let (generations, rounds) =
                if filled { (1, generations * rounds) } else { (generations, rounds) };
            for generation in 0..generations {
                eprintln!("{}: generation {}", results.group.name, generation + 1);
                results.add(bench.generation(&results.group, generation, rounds));
            }
            results
        })
        .collect();
    let asks = |results: &Results| results.group.cases.iter().any(|case| case.backend.is_some());
    let programs = bench.programs.as_ref().filter(|_| results.iter().any(asks));
    let batched = programs.and_then(|programs| {
        eprintln!("fleet: batched entries");
        backend::batched_entry(programs, &bench.folder)
    });
    let conditions = json!({ "generations": generations, "rounds": rounds, "turn_ms": turn });
    let report = Report::new(&results, &places.tollgate, batched, conditions);
    print!("{report}");
    report.save(&root.join("target/bench.json"));
}

fn chosen(groups: Vec<Group>) -> impl Iterator<Item = Group> {
    let (of_groups, of_cases) = (names("BENCH_GROUPS"), names("BENCH_CASES"));
    let is_in = |names: &[String], name: &str| names.is_empty() || names.iter().any(|one| one == name);
    groups.into_iter().filter(move |group| is_in(&of_groups, group.name)).filter_map(move |mut group| {
        group.cases.retain(|case| case.name == NONE || is_in(&of_cases, case.name));
        (group.cases.len() > 1).then_some(group)
    })
}

fn names(variable: &str) -> Vec<String> {
    let text = env::var(variable).unwrap_or_default();
    text.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// A file or folder that `tools/bench` names in a variable.
fn file(variable: &str) -> PathBuf {
    let path = PathBuf::from(
        env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set: run `make bench`")),
    );
    assert!(path.exists(), "{variable}={}: there is no such file", path.display());
    path
}

fn number(variable: &str, default: u32) -> u32 {
    let Ok(text) = env::var(variable) else { return default };
    let number = text.parse().ok().filter(|number| (1..=10_000).contains(number));
    number.unwrap_or_else(|| panic!("{variable}={text} is not a number from 1 to 10000"))
}
