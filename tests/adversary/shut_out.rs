//! What it costs to shut honest newcomers out of the default table, for each file that is shipped.
//!
//! A sample of it: what is aimed at one page, times the number of pages. A client can't aim, since a page is
//! chosen by a keyed hash; but pages know nothing of each other, so that one of them is like all. The table
//! that the page is in is smaller than the default's, or looking for keys that fall in it would be all that
//! is done here; `ADVERSARY_TIMES=64` has all of it.

use super::call::Call;
use super::script::{self, Script};
use super::upstream::{Answer, Origin, Stocks};
use std::num::NonZeroU32;
use tollgate::compile::compile;
use tollgate::engine::Engine;
use tollgate::identity::{Encoder, Seed};
use tollgate::limiter::concurrency::WorkerId;
use tollgate::table::memory::MemoryStore;
use tollgate::table::{Table, TableSize, TableStats};
use tollgate::time::{MILLISECOND, Micros, Now, SECOND};

/// Pages of the default table.
const DEFAULT_PAGES: u64 = 16_384;
const SEED: Seed = Seed::new([7; Seed::LEN]);
/// All in one page, and all within a second: more than a quota that they had to share would admit.
const NEWCOMERS: usize = 140;
/// With so many requests of made-up keys, or of keys that send one invoice each, newcomers were once shut
/// out.
const ONCE_KEYS: u64 = 3_000_000;
const ONCE_INVOICES: u64 = 800_000;
/// From one address no more than every address policy admits, so that none of them stops the flood.
const OF_ONE_ADDRESS: u64 = 4;

fn pages() -> u64 {
    256 * std::env::var("ADVERSARY_TIMES").map_or(1, |times| times.parse::<u64>().expect("a number"))
}

fn page_of(parts: &[(&str, &[u8])]) -> u64 {
    let mut encoder = Encoder::new(&SEED);
    parts.iter().for_each(|(name, value)| encoder.add(name, value));
    encoder.finish().page % pages()
}

/// The numbers, from the first on, of addresses whose records are in the page that is looked at, or of those
/// in others.
fn addresses(first: u64, aimed: bool) -> impl Iterator<Item = u64> {
    let octets = |number: u64| [10, (number >> 16) as u8, (number >> 8) as u8, number as u8];
    (first..).filter(move |number| (page_of(&[("client_ip", &octets(*number))]) == 0) == aimed)
}

/// Keys of a kind whose records are in that page. They are short, or Billium's prefix would be another key.
fn keys(kind: &str) -> impl Iterator<Item = String> {
    let key = move |number: u64| format!("{kind}-{number}");
    (0..).map(key).filter(|key| page_of(&[("api_key", key.as_bytes())]) == 0)
}

/// Invoices, each of a key of its own, whose record for `send` is in that page.
fn invoices() -> impl Iterator<Item = (String, u64)> {
    let pair = |number: u64| (format!("sender-{number}"), number);
    (0..).map(pair).filter(|(key, invoice)| {
        page_of(&[("api_key", key.as_bytes()), ("invoice", invoice.to_string().as_bytes())]) == 0
    })
}

/// How the story of a made-up key's request ends.
#[derive(Clone, Copy, Debug)]
enum End {
    /// The client leaves before the upstream has answered.
    HangUp,
    /// With this status.
    Answer(u16),
}

/// One worker, without an oracle.
struct Gateway {
    engine: Engine,
    table: Table,
    store: MemoryStore,
    now: Now,
}

impl Gateway {
    fn new(script: &Script) -> Gateway {
        let set = compile(&script.document).expect("a policy").rules;
        let default = set.table_size;
        assert_eq!(u64::from(default.pages.get()), DEFAULT_PAGES, "{} has a default table", script.name);
        let pages = NonZeroU32::new(pages() as u32).expect("pages");
        let table = Table::new(SEED, TableSize { pages, ..default }, WorkerId(1));
        let now = Now { mono: 864_000 * SECOND, wall: 1_781_500_000 * SECOND };
        Gateway { engine: Engine::new(set), table, store: MemoryStore::default(), now }
    }

    /// One request and its end, 2 ms later. Answers whether it was admitted.
    fn ask(&mut self, call: &Call, end: End) -> bool {
        let Gateway { engine, table, store, .. } = self;
        let mut decision = engine.decide(call, &mut table.begin(store, self.now));
        let admitted = !decision.rejected();
        self.wait(2 * MILLISECOND);
        let Gateway { engine, table, store, now } = self;
        if let End::Answer(status) = end
            && engine.awaits_response(&decision)
        {
            let answer = Answer { status, cost: 1, stocks: Stocks::default(), origin: Origin::Upstream };
            engine.on_response(&mut decision, &answer, &mut table.begin(store, *now));
        }
        if engine.awaits_stream_end(&decision) {
            engine.on_stream_end(&mut decision, &mut table.begin(store, *now));
        }
        admitted
    }

    /// With a tick each second: a longer silence would be a process that was stopped.
    fn wait(&mut self, mut time: Micros) {
        while time > 0 {
            let step = time.min(SECOND - self.now.mono % SECOND);
            self.now = Now { mono: self.now.mono + step, wall: self.now.wall + step };
            if self.now.mono.is_multiple_of(SECOND) {
                self.table.begin(&self.store, self.now).settle();
            }
            time -= step;
        }
    }

    /// Of honest newcomers whose keys and addresses are all in that page, those who are rejected.
    fn rejected(&mut self, script: &Script, kind: &str, first_address: u64) -> usize {
        let newcomers = keys(kind).zip(addresses(first_address, true)).take(NEWCOMERS);
        let asks =
            newcomers.map(|(key, address)| self.ask(&usual(script).from(address).key(key), End::Answer(200)));
        asks.filter(|admitted| !admitted).count()
    }

    /// Those at once, and those an hour later.
    fn rejected_at_once_and_later(&mut self, script: &Script) -> [usize; 2] {
        let at_once = self.rejected(script, "new", 1 << 20);
        self.wait(3_600 * SECOND);
        [at_once, self.rejected(script, "later", 1 << 21)]
    }
}

fn five_files() -> impl Iterator<Item = Script> {
    script::shipped().into_iter().filter(|script| script.name != "kitchen-sink")
}

/// What most callers ask for.
fn usual(script: &Script) -> Call {
    Call::get(match script.name.as_str() {
        "factuarea" => "/v1/invoices",
        "facturapi" => "/v2/invoices",
        "parseo" => "/external/v1/receipts",
        _ => "/api/v2/payments",
    })
}

/// Half of what one key is admitted at once: what made a record worth keeping.
fn half_of_a_key(file: &str) -> usize {
    match file {
        "billium" => 150,
        "safepays" => 500,
        _ => 5,
    }
}

/// So many requests of made-up keys at that page, each key as often as that.
fn flood_of_keys(gateway: &mut Gateway, script: &Script, requests: u64, each: usize, end: End) -> u64 {
    let mut from = addresses(0, false).flat_map(|address| [address; OF_ONE_ADDRESS as usize]);
    let keys = keys("fake").flat_map(|key| std::iter::repeat_n(key, each));
    let asks = keys.take(requests as usize).map(|key| {
        let call = usual(script).from(from.next().expect("an address")).key(key);
        gateway.ask(&call, end)
    });
    asks.filter(|admitted| *admitted).count() as u64
}

fn flood_of_invoices(gateway: &mut Gateway, requests: u64, end: End) -> u64 {
    let mut from = addresses(0, false).flat_map(|address| [address; OF_ONE_ADDRESS as usize]);
    let asks = invoices().take(requests as usize).map(|(key, invoice)| {
        let call = Call::post(&format!("/v1/invoices/{invoice}/send"));
        gateway.ask(&call.from(from.next().expect("an address")).key(key), end)
    });
    asks.filter(|admitted| *admitted).count() as u64
}

/// The attack on 55a7864, with a hundred times as many requests of each page's share.
#[test]
fn a5_a_hundred_times_the_made_up_keys_shut_nobody_out_of_the_default_table() {
    println!(
        "| file | made-up requests, at the default table | end | records dropped | newcomers rejected |"
    );
    println!("|---|---|---|---|---|");
    let tell = |file: &str, admitted: u64, end: End, stats: TableStats, rejected: [usize; 2]| {
        let requests = admitted * DEFAULT_PAGES;
        let dropped = DEFAULT_PAGES * stats.evictions;
        println!("| {file} | {requests} | {end:?} | {dropped} | {rejected:?} of {NEWCOMERS} |");
        assert_eq!(rejected, [0, 0], "newcomers rejected at once, and an hour later: {file}, {end:?}");
    };
    let a_hundred_times = |once: u64| once * 100 / DEFAULT_PAGES;
    for script in five_files() {
        let file = script.name.as_str();
        for end in [End::HangUp, End::Answer(401)] {
            let mut gateway = Gateway::new(&script);
            let requests = a_hundred_times(ONCE_KEYS);
            let admitted = flood_of_keys(&mut gateway, &script, requests, half_of_a_key(file), end);
            assert_eq!(admitted, requests, "the flood is not what is rejected: {file}, {end:?}");
            let stats = gateway.table.take_stats();
            // Elsewhere a made-up key is nobody, or has its units back with the 401.
            let makes_records = match (file, end) {
                ("billium" | "safepays", _) | ("factuarea", End::HangUp) => true,
                (_, End::HangUp | End::Answer(_)) => false,
            };
            assert_eq!(stats.evictions > 0, makes_records, "whether it fills the page: {file}, {end:?}");
            tell(file, admitted, end, stats, gateway.rejected_at_once_and_later(&script));
        }
    }
    let script = script::file("factuarea");
    for end in [End::HangUp, End::Answer(401)] {
        let mut gateway = Gateway::new(&script);
        let requests = a_hundred_times(ONCE_INVOICES);
        let admitted = flood_of_invoices(&mut gateway, requests, end);
        assert_eq!(admitted, requests, "the flood is not what is rejected: invoices, {end:?}");
        let stats = gateway.table.take_stats();
        tell("factuarea, send", admitted, end, stats, gateway.rejected_at_once_and_later(&script));
    }
}

/// A file whose policies judge addresses, with half of what one of them has, and the window that it has it
/// for.
const BY_ADDRESS: [(&str, u64, Micros); 4] = [
    ("billium", 25, 60 * SECOND),
    ("factuarea", 5, 600 * SECOND),
    ("facturapi", 60, 60 * SECOND),
    ("parseo", 10, 60 * SECOND),
];

/// A page where so many addresses have used half of what they have.
fn with_addresses(script: &Script, addresses_used: usize, each: u64) -> Gateway {
    let mut gateway = Gateway::new(script);
    for address in addresses(0, true).take(addresses_used) {
        for request in 0..each {
            let call = usual(script).from(address).key(format!("any-{address}-{request}"));
            assert!(gateway.ask(&call, End::HangUp), "{} has room for {each} requests", script.name);
        }
    }
    gateway
}

/// Addresses nobody makes up, so their records stay when they have used half. That is the price: how many of
/// them it takes.
#[test]
fn a5_newcomers_are_shut_out_by_addresses_alone_and_by_no_fewer_than_stated() {
    /// In the default table, for each window anew.
    const FEWEST_ADDRESSES: u64 = 200_000;
    println!("| file | addresses | requests of each | requests, anew every | newcomers rejected |");
    println!("|---|---|---|---|---|");
    for (file, each, window) in BY_ADDRESS {
        let script = script::file(file);
        let found = (0..100).find_map(|used| {
            let mut gateway = with_addresses(&script, used, each);
            let rejected = gateway.rejected(&script, "new", 1 << 20);
            (rejected > 0).then_some((used, rejected, gateway))
        });
        let (used, rejected, mut gateway) = found.expect("a page has an end");
        let addresses = used as u64 * DEFAULT_PAGES;
        let (requests, seconds) = (addresses * each, window / SECOND);
        println!("| {file} | {addresses} | {each} | {requests}, {seconds} s | {rejected} of {NEWCOMERS} |");
        assert!(addresses >= FEWEST_ADDRESSES, "{file}: {addresses} addresses shut newcomers out");
        gateway.wait(window + SECOND);
        let later = gateway.rejected(&script, "later", 1 << 21);
        assert_eq!(later, 0, "{file}: newcomers rejected when the window of those addresses is over");
    }
}
