//! What the table costs: bytes for each algorithm's records, and a flood of a million keys that neither
//! passes the stated ceiling, nor frees a throttled client, nor makes decisions dearer once pages are full.
//! No host.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "all of this is a test")]

#[path = "support/counting.rs"]
mod counting;
#[path = "support/host.rs"]
mod host;

use counting::allocated;
use host::Host;
use std::cmp::Reverse;
use std::collections::{HashMap, VecDeque};
use std::num::NonZeroU32;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};
use tollgate::config::Word;
use tollgate::identity::{Encoder, Identity, Seed};
use tollgate::limiter::concurrency::WorkerId;
use tollgate::limiter::sliding_window::Slots;
use tollgate::limiter::{Algorithm, Limit, LimitId, Parameters, SlidingWindow};
use tollgate::table::{Charge, ChargeMode, Count, OnContention, Table, TableSize};
use tollgate::time::{MILLISECOND, Micros, Now, Period, SECOND, Zone};

const HOUR: Micros = 3_600 * SECOND;
/// Uptime of the process, which the length of some numbers depends on: 10 days.
const START: Now = Now { mono: 240 * HOUR, wall: 1_747_314_000 * SECOND };
const KEYS: u32 = 1_000_000;
/// The default table.
const DEFAULT: TableSize = TableSize { pages: NonZeroU32::new(16_384).unwrap(), page_bytes: 1_536 };
/// What the README says that the host adds to each page.
const HOST_BYTES_PER_PAGE: usize = 100;

/// The tests measure time.
static ALONE: Mutex<()> = Mutex::new(());

/// Every algorithm with a quota of 10 per hour, or 10 in all.
fn limits() -> Vec<(&'static str, Limit)> {
    let quota = NonZeroU32::new(10).unwrap();
    let parameters = Parameters {
        slot_shift: Some(Slots::that_fit(quota, HOUR, DEFAULT.max_state_bytes()).shift()),
        burst: Some(quota),
        period: Some(Period::Month),
        zone: Some(Zone::UTC),
        ..Parameters::default()
    };
    let limit = |word: &Word<Algorithm>| {
        let algorithm = word.means.with(&parameters).unwrap();
        let window = algorithm.max_window().unwrap_or(HOUR);
        (word.word, Limit { id: LimitId::new(word.word, "limit"), quota, window, algorithm })
    };
    Algorithm::WORDS.0.iter().map(limit).collect()
}

/// One worker with its store and its clock.
struct Fixture {
    table: Table,
    store: Host,
    now: Now,
}

impl Fixture {
    fn new(table_size: TableSize) -> Fixture {
        let table = Table::new(Seed::new([7; Seed::LEN]), table_size, WorkerId(7));
        Fixture { table, store: Host::default(), now: START }
    }

    /// One request of one unit. Answers whether it passed.
    fn ask(&mut self, identity: Identity, limits: &[Limit]) -> bool {
        let charge = Charge {
            identity,
            limits,
            cost: 1,
            count: Count::Accepted,
            on_contention: OnContention::Deny,
            held: false,
            fleet: None,
        };
        self.table.begin(&self.store, self.now).charge(&[charge], ChargeMode::AllOrNothing)[0].admitted()
    }

    /// Whoever shows a key that anybody can make up.
    fn identity(&self, client: &str) -> Identity {
        let mut encoder = Encoder::new(self.table.seed());
        encoder.add("key", client.as_bytes());
        encoder.finish()
    }

    fn wait(&mut self, time: Micros) {
        let seconds = self.now.mono / SECOND;
        self.now = Now { mono: self.now.mono + time, wall: self.now.wall + time };
        if self.now.mono / SECOND > seconds {
            self.table.begin(&self.store, self.now).settle();
        }
    }
}

/// Bytes of a page for each of 20 clients that have each made so many requests, one every 6 minutes.
fn bytes_per_client(limits: &[Limit], requests: u32) -> usize {
    const CLIENTS: usize = 20;
    let mut house = Fixture::new(TableSize { pages: NonZeroU32::MIN, page_bytes: u16::MAX });
    for request in 0..requests {
        if request > 0 {
            house.wait(360 * SECOND);
        }
        for client in 0..CLIENTS {
            let client = house.identity(&format!("client {client}"));
            assert!(house.ask(client, limits), "a quota of 10 has room for {requests}");
        }
    }
    let bytes = house.store.record_bytes();
    assert_eq!(bytes % CLIENTS, 0, "all have the same history, and so records of the same length");
    bytes / CLIENTS
}

#[test]
fn a_record_of_each_algorithm_takes_the_bytes_that_are_documented() {
    let _alone = ALONE.lock();
    let stated = [
        ("sliding_window", 34, 64),
        ("sliding_counter", 29, 29),
        ("fixed_window", 32, 32),
        ("calendar", 32, 32),
        ("token_bucket", 35, 35),
        ("leaky_bucket", 37, 37),
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
    println!("| all in one record | {} | {} |", bytes_per_client(&all, 1), bytes_per_client(&all, 10));
    assert_eq!(counted, stated);
}

/// Time that this thread has computed for, where the system tells: others share the machine.
fn computed() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.and_then(|told| told.split(' ').next()?.parse().ok());
    nanos.map_or_else(|| START.get_or_init(Instant::now).elapsed(), Duration::from_nanos)
}

/// One request each of so many new keys, ten every millisecond. Answers how many passed, and the nanoseconds
/// per decision in each tenth. What a thread has computed is known to some milliseconds, so a tenth is not
/// cut finer.
fn flood(house: &mut Fixture, limit: Limit, keys: u32) -> (u32, Vec<u64>) {
    let mut passed = 0;
    let mut tenth = |tenth: u32| {
        let start = computed();
        for key in 0..keys / 10 {
            let key_made_up = house.identity(&format!("{tenth} {key}"));
            passed += u32::from(house.ask(key_made_up, &[limit]));
            if key % 10 == 0 {
                house.wait(MILLISECOND);
            }
        }
        (computed() - start).as_nanos() as u64 / u64::from(keys / 10)
    };
    let prices = (0..10).map(&mut tenth).collect();
    (passed, prices)
}

/// A hundred clients of each algorithm, all of them throttled. They are proven, as is whoever the upstream
/// has answered well: of what anybody can make up, as the keys of the flood, a full page keeps nothing for
/// long, used up or not.
fn throttle(house: &mut Fixture) -> Vec<(Identity, Limit)> {
    let mut throttled = Vec::new();
    for (name, limit) in limits() {
        for client in 0..100 {
            let client = house.identity(&format!("{name} {client}")).known(true);
            while house.ask(client, &[limit]) {}
            throttled.push((client, limit));
        }
    }
    throttled
}

fn survives(limit: Limit) {
    let _alone = ALONE.lock();
    let before = allocated().live;
    let mut house = Fixture::new(DEFAULT);
    let throttled = throttle(&mut house);
    let stats = house.table.take_stats();
    assert_eq!((stats.evictions, stats.overflow), (0, 0), "the throttled have records of their own");

    let (passed, prices) = flood(&mut house, limit, KEYS);
    let stats = house.table.take_stats();
    let (pages, page_bytes) = (DEFAULT.pages.get() as usize, usize::from(DEFAULT.page_bytes));
    let (stored, allocated) = (house.store.bytes(), allocated().live - before);
    let ceiling = pages * (page_bytes + HOST_BYTES_PER_PAGE);
    println!("{KEYS} keys, {passed} passed, {stats:?}");
    println!("{stored} bytes in {pages} pages, {allocated} allocated in all, stated {ceiling}");
    // The host ends each value with a byte of its own.
    assert!(house.store.longest() < page_bytes);
    assert!(stored <= pages * (page_bytes - 1));
    assert!(allocated <= ceiling + ceiling / 10, "{allocated} bytes allocated, stated {ceiling}");

    for (client, limit) in &throttled {
        assert!(!house.ask(*client, &[*limit]), "{client:?} was throttled before the flood");
    }

    // A page holds 39 such records. So seven tenths of the flood fill the pages, and what a decision costs
    // grows with them; from then on a new key costs as much as the one before.
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

/// Each has spent its whole quota with one request, and is dropped all the same: nobody has proved it.
#[test]
fn so_do_a_million_keys_that_are_throttled_at_once() {
    survives(Limit { quota: NonZeroU32::MIN, ..limits()[0].1 });
}

/// What became of busy callers in the fullest pages of a table.
#[derive(Debug, Default)]
struct Busy {
    callers: usize,
    /// Of those, how many were once above their cap, and the worst by how much.
    above: usize,
    worst: f64,
    /// Rejections of a caller that was below its cap, of all requests.
    wrongly_rejected: f64,
    evictions: u64,
    /// Requests judged in the overflow record.
    overflow: u64,
}

/// So many proven callers of a default table ask steadily for half as much again as the limit allows, for
/// three windows. Only those of the fullest pages, so many, are served: the others have more room than these.
fn busy(callers: u32, limit: Limit, pages: usize) -> Busy {
    let mut house = Fixture::new(DEFAULT);
    let mut by_page: HashMap<u64, Vec<Identity>> = HashMap::new();
    for caller in 0..callers {
        let identity = house.identity(&format!("caller {caller}")).known(true);
        by_page.entry(identity.page % u64::from(DEFAULT.pages.get())).or_default().push(identity);
    }
    let mut fullest: Vec<_> = by_page.into_iter().collect();
    fullest.sort_by_key(|(page, callers)| (Reverse(callers.len()), *page));
    let most = fullest[0].1.len();
    let served: Vec<Identity> = fullest.into_iter().take(pages).flat_map(|(_, callers)| callers).collect();

    let quota = u64::from(limit.quota.get());
    let step = limit.window * 2 / 3 / quota;
    let mut admitted: Vec<VecDeque<Micros>> = vec![VecDeque::new(); served.len()];
    let mut worst = vec![0; served.len()];
    let mut wrong = 0;
    let rounds = quota * 9 / 2;
    for _ in 0..rounds {
        for (who, identity) in served.iter().enumerate() {
            // One after the other, evenly within the step.
            let later = step * who as u64 / served.len() as u64;
            let now = Now { mono: house.now.mono + later, wall: house.now.wall + later };
            let charge = Charge {
                identity: *identity,
                limits: &[limit],
                cost: 1,
                count: Count::Accepted,
                on_contention: OnContention::Deny,
                held: false,
                fleet: None,
            };
            let outcomes = house.table.begin(&house.store, now).charge(&[charge], ChargeMode::AllOrNothing);
            let log = &mut admitted[who];
            while log.front().is_some_and(|first| first + limit.window <= now.mono) {
                log.pop_front();
            }
            if outcomes[0].admitted() {
                log.push_back(now.mono);
                worst[who] = worst[who].max(log.len() as u64);
            } else {
                wrong += u64::from((log.len() as u64) < quota);
            }
        }
        house.wait(step);
    }
    let stats = house.table.take_stats();
    let report = Busy {
        callers: served.len(),
        above: worst.iter().filter(|worst| **worst > quota).count(),
        worst: worst.iter().copied().max().unwrap_or_default() as f64 / quota as f64,
        wrongly_rejected: wrong as f64 / (rounds * served.len() as u64) as f64,
        evictions: stats.evictions,
        overflow: stats.overflow,
    };
    let seconds = limit.window / SECOND;
    println!("{callers} callers of {quota} per {seconds} s, {most} in the fullest page: {report:?}");
    report
}

/// A log of so many units a minute.
fn a_minute_of(quota: u32) -> Limit {
    let (quota, window) = (NonZeroU32::new(quota).unwrap(), 60 * SECOND);
    let slots = Slots::that_fit(quota, window, DEFAULT.max_state_bytes());
    Limit {
        id: LimitId::new("busy", "minute"),
        quota,
        window,
        algorithm: Algorithm::SlidingWindow(SlidingWindow { slots }),
    }
}

/// Nor at half as many more. That logs are coarse there costs some rejections too early: where a table of
/// 131,072 is fullest, at most 5 of 100 requests.
#[test]
fn a6_no_busy_caller_passes_its_cap_at_a_density_of_131072() {
    let _alone = ALONE.lock();
    for (callers, limit, pages, most_wrong) in [
        (131_072, a_minute_of(300), 16, 0.05),
        (131_072, a_minute_of(1_000), 4, 0.05),
        (196_608, a_minute_of(300), 4, 0.08),
        (196_608, a_minute_of(1_000), 2, 0.08),
    ] {
        let busy = busy(callers, limit, pages);
        assert_eq!((busy.above, busy.evictions, busy.overflow), (0, 0, 0), "{callers}: {busy:?}");
        assert!(busy.worst <= 1.0 && busy.wrongly_rejected <= most_wrong, "{callers}: {busy:?}");
    }
}

/// Where even the coarsest logs of all have no room, some callers are dropped and others share a record.
/// Never silently.
#[test]
fn a6_beyond_the_density_that_holds_every_breach_is_counted() {
    let _alone = ALONE.lock();
    let busy = busy(327_680, a_minute_of(300), 4);
    assert!(busy.evictions + busy.overflow > 0, "{busy:?}");
    assert!(busy.above * 2 < busy.callers, "most are within their caps even in the fullest pages: {busy:?}");
}
