//! A6: the cap holds for busy callers, too: 300 per 60 s, asked at one and a half times that.

use super::*;
use crate::call::Call;
use crate::random::Random;
use std::collections::VecDeque;
use std::fmt;
use std::num::NonZeroU32;
use tollgate::compile::compile;
use tollgate::engine::Engine;
use tollgate::identity::Seed;
use tollgate::limiter::concurrency::WorkerId;
use tollgate::table::memory::MemoryStore;
use tollgate::table::{Table, TableSize, TableStats};
use tollgate::time::{Now, SECOND};

const QUOTA: usize = 300;
const WINDOW: Micros = 60 * SECOND;
/// Requests of one caller in a window.
const ASKED: u64 = 450;
/// The first windows are full by then, and callers have been rejected for a while.
const LENGTH: Micros = 90 * SECOND;

/// What became of a crowd.
struct Crowd {
    callers: usize,
    /// Those who passed their cap, and the most that one of them had in a window.
    breaking: usize,
    worst: usize,
    /// Requests that were rejected although their caller had room.
    wrongly_rejected: u64,
    requests: u64,
    stats: TableStats,
}

impl fmt::Display for Crowd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Crowd { callers, breaking, worst, wrongly_rejected, requests, stats } = self;
        write!(
            f,
            "{breaking} of {callers} callers passed their cap of {QUOTA}, one had {worst}; of {requests} requests \
             {wrongly_rejected} were rejected although their caller had room; {stats:?}"
        )
    }
}

/// So many busy callers for each page of a table.
fn crowd(pages: u32, per_page: u32) -> Crowd {
    let document = policies(r#"{"name": "p", "key": "ip", "limits": [{"quota": 300, "window": "60s"}]}"#);
    let set = compile(&document).expect("a policy").rules;
    let table_size = TableSize { pages: NonZeroU32::new(pages).expect("pages"), ..set.table_size };
    let mut table = Table::new(Seed::new([7; Seed::LEN]), table_size, WorkerId(1));
    let (engine, store, mut random) = (Engine::new(set), MemoryStore::default(), Random::new(6));
    let callers = (pages * per_page) as usize;
    let mut admitted: Vec<VecDeque<Micros>> = vec![VecDeque::new(); callers];
    let mut most = vec![0; callers];
    let start = 864_000 * SECOND;
    let requests = callers as u64 * ASKED * LENGTH / WINDOW;
    let mut wrongly_rejected = 0;
    for request in 0..requests {
        let mono = start + LENGTH * request / requests;
        let now = Now { mono, wall: 1_781_500_000 * SECOND + mono - start };
        let caller = random.below(callers as u64);
        let call = Call::get("/").from(caller);
        let passed = &mut admitted[caller as usize];
        while passed.front().is_some_and(|at| at + WINDOW <= mono) {
            passed.pop_front();
        }
        if !engine.decide(&call, &mut table.begin(&store, now)).rejected() {
            passed.push_back(mono);
            most[caller as usize] = passed.len().max(most[caller as usize]);
        } else if passed.len() < QUOTA {
            wrongly_rejected += 1;
        }
    }
    let breaking = most.iter().filter(|most| **most > QUOTA).count();
    let worst = most.into_iter().max().unwrap_or_default();
    Crowd { callers, breaking, worst, wrongly_rejected, requests, stats: table.take_stats() }
}

/// A sample of the default table's pages, with as many callers for each; `ADVERSARY_TIMES=64` takes all of
/// them.
fn pages() -> u32 {
    256 * std::env::var("ADVERSARY_TIMES").map_or(1, |times| times.parse().expect("a number"))
}

/// As many as 131,072 in the default table of 16,384 pages.
#[test]
fn a6_no_busy_caller_passes_its_cap_at_eight_to_a_page() {
    let crowd = crowd(pages(), 8);
    println!("{crowd}");
    assert_eq!((crowd.breaking, crowd.worst), (0, QUOTA), "{crowd}");
}
