//! What a decision costs in the native core: time, allocations and instructions, without Envoy and without
//! wasm.
//!
//! `make bench-core` prints one table and leaves the same in `target/bench-core.json`:
//!
//! ```text
//! { "cases": [ { "name": "…", "nanoseconds": 512.3, "fastest_nanoseconds": 498.0,
//!                "allocations": 7.0, "instructions": 4321.0 }, … ] }
//! ```
//!
//! All numbers are of one decision. `nanoseconds` is the median of samples of a thousand decisions each, and
//! `fastest_nanoseconds` the best of them: where others share the machine, compare that. `allocations` and
//! `instructions` are the means of a thousand decisions, and repeat; `instructions` is null where there is no
//! valgrind. What a request and the store hand over is allocated as the host would, and counted: one for each
//! value and page that is read. The store's own work is in all of them; the case of the store alone says how
//! much that is. Valgrind hides the processor's instructions for SHA-256, so consumers' keys take more of
//! others, as they do in wasm.
//!
//! `tools/cargo bench --profile measured --features cli --bench bench-core -- billium` only takes times, of
//! the cases with such names.
//!
//! divan and not criterion: 3 further crates and not 21, which each build of the tests would wait for; it is
//! released less often (0.1.21 is of 2025), and gives its times as text alone.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a bench may fail")]

// With its path, since the tests find its modules beside it, too.
#[path = "cases.rs"]
mod cases;
#[path = "../../tests/support/counting.rs"]
mod counting;
#[path = "../../tests/support/host.rs"]
mod host;
mod report;

use cases::{Case, Subject};
use std::path::Path;

/// Decisions of which a mean is taken.
const COUNTED: u32 = 1_000;

fn main() {
    let (modes, arguments): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument == "--bench");
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        // For what counts instructions: it is told to count in `counted` alone, so a set-up is not in it.
        ["--cases"] => cases::all().for_each(|case| println!("{}", case.name)),
        ["--count", name] => _ = counted(&mut *named(name).prepare()),
        ["--report", times, instructions, json] => {
            report::report(Path::new(times), Path::new(instructions), Path::new(json));
        }
        // `cargo test --benches`, which is to be short.
        [] if modes.is_empty() => cases::all().for_each(|case| drop(case.prepare())),
        _ => divan::main(),
    }
}

fn named(name: &str) -> &'static Case {
    cases::all().find(|case| case.name == name).unwrap_or_else(|| panic!("no case is named {name}"))
}

// A sample is long enough to have the rare costly decisions in it, such as those that take a lease.
#[divan::bench(args = cases::all().map(|case| case.name), sample_size = 1_000, sample_count = 1_000, max_time = 0.6)]
fn decision(bencher: divan::Bencher<'_, '_>, name: &str) {
    let mut subject = named(name).prepare();
    bencher.bench_local(|| subject.decide());
}

/// Many decisions. Answers how many allocations they have made. Its name is known to `tools/bench-core`.
#[inline(never)]
fn counted(subject: &mut dyn Subject) -> u64 {
    let before = counting::allocated().calls;
    for _ in 0..COUNTED {
        subject.decide();
    }
    counting::allocated().calls - before
}
