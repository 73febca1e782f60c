//! Very many callers: memory has its ceiling, and nobody is let off because of them.

use std::thread;
use std::time::Duration;

use crate::harness::{Gateway, Request, Setup, eventually, new_key, per_key};

const CLIENTS: usize = 4;
const QUOTA: usize = 5;

/// Requests that a client sends before it reads the answers.
const AT_ONCE: usize = 50;

/// The table by default: 16,384 pages of 1,536 bytes, and a tenth for what the host keeps beside them.
const CEILING: u64 = 16_384 * 1_536 * 11 / 10;

/// What the connections of a flood leave in Envoy's buffers and in its allocator's caches.
const BUFFERS: u64 = 8 << 20;

#[test]
fn x_5_two_hundred_thousand_keys_stay_under_the_tables_ceiling_and_free_nobody() {
    let gateway = Setup::yaml(per_key(5, "1h")).alone().start();
    let throttled = throttled_callers(&gateway, 50);
    // So that what Envoy needs to serve at all is not taken for the table's.
    flood(&gateway, 2_000);

    let before = (gateway.allocated(), gateway.memory());
    flood(&gateway, 200_000);
    let allocated = gateway.allocated().saturating_sub(before.0);
    let resident = gateway.memory().saturating_sub(before.1);

    assert!(allocated <= CEILING, "{allocated} bytes more are allocated; the ceiling is {CEILING}");
    assert!(resident <= CEILING + BUFFERS, "{resident} bytes more are resident; the ceiling is {CEILING}");
    assert_none_freed(&throttled);
}

#[test]
fn a_flood_that_overfills_the_table_frees_nobody() {
    let policy = per_key(5, "1h") + "table: { pages: 16, page_bytes: 1536 }\n";
    let gateway = Setup::yaml(policy).alone().start();
    let throttled = throttled_callers(&gateway, 10);

    flood(&gateway, 20_000);

    // Or the table was never full.
    eventually("evictions", || (gateway.metric("table.evictions") > 0).then_some(()));
    assert_none_freed(&throttled);
}

/// In rounds that each have room, and together have not: a round finds the last one's records gone.
#[test]
fn x_5_keys_are_forgotten_after_their_window_and_a_month_is_not() {
    let policy = "keys:
  api_key: { header: authorization, scheme: Bearer }
  company: { header: x-company }
policies:
  - { name: key, key: api_key, limits: [{ quota: 5, window: 1s }] }
  - { name: company, key: company, limits: [{ quota: 5, window: month }] }
table: { pages: 32, page_bytes: 1536 }
";
    let gateway = Setup::yaml(policy).alone().start();
    let company = gateway.get("/").header("x-company", "c-1");
    assert_eq!(company.admitted_of(2 * QUOTA), QUOTA);
    for _ in 0..4 {
        flood(&gateway, 400);
        // Records note their end in whole seconds.
        thread::sleep(Duration::from_millis(2_100));
    }
    assert_eq!(company.admitted_of(2 * QUOTA), 0);
    // Had they been kept, the later ones would have found no room.
    eventually("the workers' report", || (gateway.metric("policy.key.admitted") == 1_600).then_some(()));
    assert_eq!((gateway.metric("table.evictions"), gateway.metric("table.overflow")), (0, 0));
}

/// Callers who have used up what an hour allows.
fn throttled_callers(gateway: &Gateway, count: usize) -> Vec<Request> {
    let callers: Vec<_> = (0..count).map(|_| gateway.get("/").key(new_key())).collect();
    for caller in &callers {
        assert_eq!(caller.admitted_of(2 * QUOTA), QUOTA);
    }
    callers
}

fn assert_none_freed(throttled: &[Request]) {
    let freed = throttled.iter().filter(|caller| caller.send().status != 429);
    assert_eq!(freed.count(), 0, "of {} callers", throttled.len());
}

/// One request each for so many new keys, from several connections at once.
fn flood(gateway: &Gateway, keys: usize) {
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| flood_from_one_client(gateway, keys / CLIENTS));
        }
    });
}

fn flood_from_one_client(gateway: &Gateway, keys: usize) {
    let mut connection = gateway.get("/").connect();
    for _ in 0..keys / AT_ONCE {
        let requests: Vec<_> = (0..AT_ONCE).map(|_| gateway.get("/").key(new_key())).collect();
        for response in connection.exchange_all(&requests) {
            assert!([200, 429].contains(&response.status), "{response:?}");
        }
    }
}
