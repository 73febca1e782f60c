//! What the table costs: bytes for each algorithm's records, and a flood of a million keys that neither passes the
//! stated ceiling, nor frees a throttled client, nor makes decisions dearer once pages are full. No host.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "all of this is a test")]

#[path = "support/counting.rs"]
mod counting;
#[path = "support/host.rs"]
mod host;

use counting::allocated;
use host::Host;
use std::num::NonZeroU32;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};
use tollgate::key::{Encoder, Identity, Seed};
use tollgate::limiter::calendar::Calendar;
use tollgate::limiter::concurrency::Holder;
use tollgate::limiter::sliding_window::Slots;
use tollgate::limiter::{Algorithm, Limit, LimitId};
use tollgate::table::{Charge, Charging, Count, Geometry, OnContention, Table};
use tollgate::time::{MILLISECOND, Micros, Now, Period, SECOND, Zone};

const HOUR: Micros = 3_600 * SECOND;
/// Uptime of the process, which the length of some numbers depends on: 10 days.
const START: Now = Now { mono: 240 * HOUR, wall: 1_747_314_000 * SECOND };
const KEYS: u32 = 1_000_000;
/// The default table.
const DEFAULT: Geometry = Geometry { pages: NonZeroU32::new(16_384).unwrap(), page_bytes: 1_536 };
/// What the README says that the host adds to each page.
const HOST_BYTES_PER_PAGE: usize = 100;

/// The tests measure time.
static ALONE: Mutex<()> = Mutex::new(());

/// Every algorithm with a quota of 10 per hour, or 10 in all.
fn limits() -> Vec<(&'static str, Limit)> {
    let quota = NonZeroU32::new(10).unwrap();
    let month = Calendar { period: Period::Month, zone: Zone::named("UTC").unwrap() };
    let algorithms = [
        (
            "sliding_window",
            Algorithm::SlidingWindow(Slots::that_fit(quota, HOUR, DEFAULT.room_for_one_state())),
        ),
        ("sliding_counter", Algorithm::SlidingCounter),
        ("fixed_window", Algorithm::FixedWindow),
        ("calendar", Algorithm::Calendar(month)),
        ("token_bucket", Algorithm::TokenBucket { burst: quota }),
        ("concurrency", Algorithm::Concurrency),
        ("stock", Algorithm::Stock { reported: false }),
    ];
    let limit = |(name, algorithm): (&'static str, Algorithm)| {
        let window = if algorithm == Algorithm::Calendar(month) { month.longest() } else { HOUR };
        (name, Limit { id: LimitId::new(name, "limit"), quota, window, algorithm })
    };
    algorithms.into_iter().map(limit).collect()
}

/// One worker with its store and its clock.
struct House {
    table: Table,
    store: Host,
    now: Now,
}

impl House {
    fn new(geometry: Geometry) -> House {
        let table = Table::new(Seed::new([7; Seed::LEN]), geometry, Holder(7));
        House { table, store: Host::default(), now: START }
    }

    /// One request of one unit. Answers whether it passed.
    fn ask(&mut self, client: &str, limits: &[Limit]) -> bool {
        let charge = Charge {
            identity: self.identity(client),
            limits,
            cost: 1,
            count: Count::Accepted,
            on_contention: OnContention::Deny,
        };
        self.table.transact(&self.store, &[charge], Charging::AllOrNothing, self.now)[0].admitted()
    }

    fn identity(&self, client: &str) -> Identity {
        let mut encoder = Encoder::new(self.table.seed());
        encoder.add("key", client.as_bytes());
        encoder.finish()
    }

    fn wait(&mut self, time: Micros) {
        let seconds = self.now.mono / SECOND;
        self.now = Now { mono: self.now.mono + time, wall: self.now.wall + time };
        if self.now.mono / SECOND > seconds {
            self.table.settle(&self.store, self.now);
        }
    }
}

/// Bytes of a page for each of 20 clients that have each made so many requests, one every 2 minutes.
fn bytes_per_client(limits: &[Limit], requests: u32) -> usize {
    const CLIENTS: usize = 20;
    let mut house = House::new(Geometry { pages: NonZeroU32::MIN, page_bytes: u16::MAX });
    for request in 0..requests {
        if request > 0 {
            house.wait(120 * SECOND);
        }
        for client in 0..CLIENTS {
            assert!(house.ask(&format!("client {client}"), limits), "a quota of 10 has room for {requests}");
        }
    }
    let bytes = house.store.record_bytes();
    assert_eq!(bytes % CLIENTS, 0, "all have the same history, and so records of the same length");
    bytes / CLIENTS
}

#[test]
fn a_record_of_each_algorithm_takes_the_bytes_that_are_documented() {
    let _alone = ALONE.lock();
    let stated: [(&str, usize, usize); 7] = [
        ("sliding_window", 34, 63),
        ("sliding_counter", 29, 29),
        ("fixed_window", 32, 32),
        ("calendar", 32, 32),
        ("token_bucket", 33, 33),
        ("concurrency", 33, 33),
        ("stock", 26, 26),
    ];
    let counted = limits()
        .into_iter()
        .map(|(name, limit)| (name, bytes_per_client(&[limit], 1), bytes_per_client(&[limit], 10)));
    let counted: Vec<_> = counted.collect();
    println!("| algorithm | bytes, 1 request | bytes, 10 requests |\n|---|---|---|");
    for (name, one, ten) in &counted {
        println!("| `{name}` | {one} | {ten} |");
    }
    let all: Vec<Limit> = limits().into_iter().map(|(_, limit)| limit).collect();
    println!("| all seven in one record | {} | {} |", bytes_per_client(&all, 1), bytes_per_client(&all, 10));
    assert_eq!(counted, stated);
}

/// Time that this thread has computed for, where the system tells: others share the machine.
fn computed() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.and_then(|told| told.split(' ').next()?.parse().ok());
    nanos.map_or_else(|| START.get_or_init(Instant::now).elapsed(), Duration::from_nanos)
}

/// One request each of so many new keys, ten every millisecond. Answers how many passed, and the nanoseconds per
/// decision in each tenth. What a thread has computed is known to some milliseconds, so a tenth is not cut finer.
fn flood(house: &mut House, limit: Limit, keys: u32) -> (u32, Vec<u64>) {
    let mut passed = 0;
    let mut tenth = |tenth: u32| {
        let start = computed();
        for key in 0..keys / 10 {
            passed += u32::from(house.ask(&format!("{tenth} {key}"), &[limit]));
            if key % 10 == 0 {
                house.wait(MILLISECOND);
            }
        }
        (computed() - start).as_nanos() as u64 / u64::from(keys / 10)
    };
    let prices = (0..10).map(&mut tenth).collect();
    (passed, prices)
}

/// A hundred clients of each algorithm, all of them throttled.
fn throttle(house: &mut House) -> Vec<(String, Limit)> {
    let mut throttled = Vec::new();
    for (name, limit) in limits() {
        for client in 0..100 {
            let client = format!("{name} {client}");
            while house.ask(&client, &[limit]) {}
            throttled.push((client, limit));
        }
    }
    throttled
}

fn survives(limit: Limit) {
    let _alone = ALONE.lock();
    let before = allocated().live;
    let mut house = House::new(DEFAULT);
    let throttled = throttle(&mut house);
    let tally = house.table.take_tally();
    assert_eq!((tally.evictions, tally.overflow), (0, 0), "the throttled have records of their own");

    let (passed, prices) = flood(&mut house, limit, KEYS);
    let tally = house.table.take_tally();
    let (pages, page_bytes) = (DEFAULT.pages.get() as usize, usize::from(DEFAULT.page_bytes));
    let (stored, allocated) = (house.store.bytes(), allocated().live - before);
    let ceiling = pages * (page_bytes + HOST_BYTES_PER_PAGE);
    println!("{KEYS} keys, {passed} passed, {tally:?}");
    println!("{stored} bytes in {pages} pages, {allocated} allocated in all, stated {ceiling}");
    // The host ends each value with a byte of its own.
    assert!(house.store.longest() < page_bytes);
    assert!(stored <= pages * (page_bytes - 1));
    assert!(allocated <= ceiling + ceiling / 10, "{allocated} bytes allocated, stated {ceiling}");

    for (client, limit) in &throttled {
        assert!(!house.ask(client, &[*limit]), "{client} was throttled before the flood");
    }

    // A page holds 39 such records. So seven tenths of the flood fill the pages, and what a decision costs grows
    // with them; from then on a new key costs as much as the one before.
    let (second, eighth, last) = (prices[1], prices[7], prices[9]);
    let ratio = |price: u64| last as f64 / price as f64;
    println!("ns per decision, in tenths of the flood: {prices:?}");
    println!("the last costs {:.2} × the eighth, {:.2} × the second", ratio(eighth), ratio(second));
    assert!(ratio(eighth) <= 3.0, "decisions grow dearer though pages are full: {prices:?}");
    // With tens of records in each page instead of ten, it can't be for another reason than these.
    assert!(ratio(second) <= 12.0, "decisions grow dearer: {prices:?}");
}

#[test]
fn a_million_keys_stay_under_the_ceiling_free_nobody_and_cost_the_same_to_the_last() {
    survives(limits()[0].1);
}

/// The worst that keys can do: each has spent its whole quota with one request, so that none may be dropped.
#[test]
fn so_do_a_million_keys_that_are_throttled_at_once() {
    survives(Limit { quota: NonZeroU32::MIN, ..limits()[0].1 });
}

/// What became of busy callers in the fullest pages of a table.
#[derive(Debug, Default)]
struct Busy {
    callers: usize,
    /// Callers of the fullest page.
    fullest: usize,
    /// Of those, how many were once above their cap, and the worst by how much.
    above: usize,
    worst: f64,
    /// Rejections of a caller that was below its cap, of all requests.
    wrongly_rejected: f64,
    evictions: u64,
    overflowed: u64,
}

/// So many proven callers of a default table ask steadily for half as much again as the limit allows, for three windows. Only
/// the callers of the fullest pages are served: the others have more room than these.
fn busy(callers: u32, limit: Limit, choices: u32, proven: bool) -> Busy {
    const FULLEST: usize = 32;
    let mut house = House::new(DEFAULT);
    let mut pages: std::collections::HashMap<u64, Vec<Identity>> = Default::default();
    for caller in 0..callers {
        let candidates =
            (0..choices).map(|choice| house.identity(&format!("caller {caller} {choice}")).known(proven));
        let page = |identity: &Identity| identity.page % u64::from(DEFAULT.pages.get());
        let load = |identity: &Identity| pages.get(&page(identity)).map_or(0, Vec::len);
        let identity = candidates.min_by_key(load).unwrap();
        pages.entry(page(&identity)).or_default().push(identity);
    }
    let mut pages: Vec<_> = pages.into_values().collect();
    pages.sort_by_key(|page| std::cmp::Reverse(page.len()));
    let fullest = pages[0].len();
    let served: Vec<Identity> = pages.into_iter().take(FULLEST).flatten().collect();

    let quota = u64::from(limit.quota.get());
    let step = limit.window * 2 / 3 / quota;
    let limits = [limit];
    let mut logs: Vec<std::collections::VecDeque<Micros>> = vec![Default::default(); served.len()];
    let mut report = Busy { callers: served.len(), fullest, ..Busy::default() };
    let mut above = vec![false; served.len()];
    let (mut asked, mut wrong) = (0u64, 0u64);
    let rounds = quota * 9 / 2;
    for _ in 0..rounds {
        for (who, identity) in served.iter().enumerate() {
            // One after the other, evenly within the step.
            let start = house.now.mono;
            let at = start + step * who as u64 / served.len() as u64;
            let now = Now { mono: at, wall: house.now.wall + (at - start) };
            let (count, on_contention) = (Count::Accepted, OnContention::Deny);
            let charge = Charge { identity: *identity, limits: &limits, cost: 1, count, on_contention };
            let outcome = &house.table.transact(&house.store, &[charge], Charging::AllOrNothing, now)[0];
            let log = &mut logs[who];
            while log.front().is_some_and(|first| first + limit.window <= at) {
                log.pop_front();
            }
            asked += 1;
            report.overflowed += u64::from(outcome.overflowed);
            if outcome.admitted() {
                log.push_back(at);
                let used = log.len() as f64 / quota as f64;
                above[who] |= used > 1.0;
                report.worst = report.worst.max(used);
            } else {
                wrong += u64::from((log.len() as u64) < quota);
            }
        }
        house.wait(step);
    }
    report.above = above.iter().filter(|above| **above).count();
    report.wrongly_rejected = wrong as f64 / asked as f64;
    report.evictions = house.table.take_tally().evictions;
    report
}

fn per(quota: u32, window: Micros) -> Limit {
    let quota = NonZeroU32::new(quota).unwrap();
    let slots = Slots::that_fit(quota, window, DEFAULT.room_for_one_state());
    Limit { id: LimitId(1), quota, window, algorithm: Algorithm::SlidingWindow(slots) }
}

#[test]
#[ignore]
fn a6_explore() {
    for (choices, proven) in [(1, true), (2, true), (1, false)] {
        for callers in [65_536, 131_072, 196_608, 229_376, 262_144, 327_680, 393_216, 458_752, 524_288] {
            println!(
                "{choices} {proven} {callers} 300/60s {:?}",
                busy(callers, per(300, 60 * SECOND), choices, proven)
            );
        }
    }
}
