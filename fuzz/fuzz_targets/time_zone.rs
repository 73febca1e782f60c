//! Any text as a zone's name: what is none is answered with names that are. Any instant in any zone: an edge
//! is the first after it.
#![no_main]

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use tollgate::limiter::calendar::Calendar;
use tollgate::time::{Micros, Period, SECOND, Zone};

static ZONES: LazyLock<Vec<Zone>> = LazyLock::new(|| Zone::names().map(named).collect());

/// 2024 to 2500. Before, edges are reckoned with later rules.
const FIRST: Micros = 1_704_067_200 * SECOND;
const LENGTH: Micros = 476 * 365 * 86_400 * SECOND;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    wall: u64,
    period: u8,
    zone: u16,
    name: &'a str,
}

fuzz_target!(|input: Input<'_>| {
    name(input.name);
    let period = [Period::Day, Period::Week, Period::Month][usize::from(input.period % 3)];
    let zone = ZONES[usize::from(input.zone) % ZONES.len()];
    // At an instant that no clock will show the edge may be any, but it is found.
    zone.next_edge(input.wall, period);
    edge(zone, FIRST + input.wall % LENGTH, period);
});

fn named(name: &str) -> Zone {
    Zone::named(name).expect("a name that is told is one")
}

/// A text is a zone's name, or near to some.
fn name(text: &str) {
    // Looking for what it may be a slip of takes long, and no names are longer.
    if (1..=40).contains(&text.len()) {
        match Zone::named(text) {
            Ok(zone) => assert_eq!(zone.name(), text),
            Err(nearest) => nearest.into_iter().for_each(|name| assert_eq!(named(name).name(), name)),
        }
    }
}

fn edge(zone: Zone, wall: Micros, period: Period) {
    let edge = zone.next_edge(wall, period);
    assert!(wall < edge, "{zone:?}: {edge} is not after {wall}");
    let longest = Calendar { period, zone }.max_length();
    assert!(edge - wall <= longest, "{zone:?}: {} from {wall} to {edge}", edge - wall);
    for between in [wall + (edge - wall) / 2, edge - 1] {
        assert_eq!(zone.next_edge(between, period), edge, "{zone:?}: an edge between {wall} and {edge}");
    }
    assert!(zone.next_edge(edge, period) > edge);
}
