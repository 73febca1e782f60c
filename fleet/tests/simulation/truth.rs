//! What was admitted in truth, and the judgement by each algorithm's promise.

use std::collections::{BTreeMap, VecDeque};
use tollgate::limiter::{Algorithm, Limit};
use tollgate::time::Micros;

/// Units that a proxy has let pass.
#[derive(Clone, Debug)]
pub struct Admitted {
    pub at: Micros,
    /// The same instant on the engine's clock.
    pub clock: Micros,
    pub proxy: usize,
    pub caller: u64,
    pub units: u32,
    /// Whether the proxy decided without the service.
    pub alone: bool,
    /// The number of the grant whose units were spent; 0 for none.
    pub grant: u64,
    /// Units that a response gave back, and when.
    pub back: Option<(Micros, u32)>,
    /// Units that a response has added.
    pub more: u32,
    /// When its stream ended.
    pub ended: Option<Micros>,
}

/// All that has happened.
#[derive(Default)]
pub struct Truth {
    pub admitted: Vec<Admitted>,
    pub requests: u64,
    pub rejected: u64,
    pub rejected_at: Vec<Micros>,
    /// When requests came, and what they cost.
    pub requested: Vec<(Micros, u32)>,
    /// Units that the engine has forgotten: those that it counted before it failed over, less those after.
    pub forgotten: i64,
    /// Requests that were answered with 503, or that hung up.
    pub unavailable: u64,
    pub hung_up: u64,
    pub waited: u64,
    /// Messages with entries.
    pub exchanges: u64,
    /// The longest value of the engine.
    pub longest: usize,
    /// Rejected units that count.
    pub counted_rejected: u64,
}

/// A change of a count at an instant. At the same instant, what leaves goes first.
type Deltas = Vec<(Micros, i64)>;

fn highest(mut deltas: Deltas) -> i64 {
    deltas.sort_unstable();
    let (mut count, mut most) = (0, 0);
    for (_, delta) in deltas {
        count += delta;
        most = most.max(count);
    }
    most
}

impl Truth {
    fn of(&self, caller: u64) -> impl Iterator<Item = &Admitted> {
        self.admitted.iter().filter(move |one| one.caller == caller)
    }

    /// The most units in what the limit calls a window, over all callers. Both clocks must agree, except where
    /// windows are aligned: those are the engine's.
    pub fn worst(&self, limit: &Limit) -> i64 {
        let mut callers: Vec<u64> = self.admitted.iter().map(|one| one.caller).collect();
        callers.sort_unstable();
        callers.dedup();
        callers.into_iter().map(|caller| self.worst_of(caller, limit)).max().unwrap_or(0)
    }

    fn worst_of(&self, caller: u64, limit: &Limit) -> i64 {
        match limit.algorithm {
            Algorithm::SlidingWindow(_) | Algorithm::SlidingCounter(_) | Algorithm::AtOnce(_) => {
                self.worst_trailing(caller, limit.window)
            }
            Algorithm::FixedWindow(_) => self.worst_aligned(caller, |clock| clock / limit.window),
            Algorithm::Calendar(calendar) => {
                self.worst_aligned(caller, |clock| calendar.zone.next_edge(clock, calendar.period))
            }
            Algorithm::TokenBucket(_) => self.worst_level(caller, limit),
            Algorithm::LeakyBucket(_) => self.worst_trailing(caller, limit.window),
            Algorithm::Concurrency(_) => highest(self.of(caller).flat_map(in_flight).collect()),
            Algorithm::Stock(_) => highest(self.of(caller).flat_map(forever).collect()),
            Algorithm::Penalty(_) => 0,
        }
    }

    /// The most units in a trailing window of this length.
    pub fn worst_trailing(&self, caller: u64, window: Micros) -> i64 {
        highest(self.of(caller).flat_map(|one| for_a_window(one, window)).collect())
    }

    fn worst_aligned(&self, caller: u64, index: impl Fn(Micros) -> u64) -> i64 {
        let mut windows: BTreeMap<u64, Deltas> = BTreeMap::new();
        for one in self.of(caller) {
            windows.entry(index(one.clock)).or_default().extend(forever(one));
        }
        windows.into_values().map(highest).max().unwrap_or(0)
    }

    /// The most units that a bucket that is never too full would have had to hold.
    fn worst_level(&self, caller: u64, limit: &Limit) -> i64 {
        let per_unit = limit.window as f64 / f64::from(limit.quota.get());
        let (mut level, mut last, mut most) = (0f64, 0, 0f64);
        for one in self.of(caller) {
            level = (level - (one.at - last) as f64 / per_unit).max(0.0) + f64::from(one.units);
            last = one.at;
            most = most.max(level);
        }
        most.round() as i64
    }

    /// The units of a caller that must be counted in the end.
    pub fn net(&self, caller: u64) -> i64 {
        let net = |one: &Admitted| {
            i64::from(one.units) + i64::from(one.more) - one.back.map_or(0, |(_, units)| i64::from(units))
        };
        self.of(caller).map(net).sum()
    }

    pub fn exchanges_per_thousand(&self) -> u64 {
        self.exchanges * 1_000 / self.requests.max(1)
    }

    /// The share of the requests that were rejected although one proxy with all requests would have admitted
    /// as many more.
    pub fn wrongly_rejected(&self, limit: &Limit) -> f64 {
        let ideal = ideal(&self.requested, limit);
        ideal.saturating_sub(self.admitted.len()) as f64 / self.requests.max(1) as f64
    }
}

/// How many of these requests a log without faults and without delay admits.
fn ideal(requested: &[(Micros, u32)], limit: &Limit) -> usize {
    let (mut log, mut used, mut admitted) = (VecDeque::new(), 0, 0);
    for (at, units) in requested {
        while let Some((_, left)) = log.pop_front_if(|(since, _)| *since + limit.window <= *at) {
            used -= left;
        }
        if used + units <= limit.quota.get() {
            log.push_back((*at, *units));
            used += units;
            admitted += 1;
        }
    }
    admitted
}

fn for_a_window(one: &Admitted, window: Micros) -> Deltas {
    let (units, leaves) = (i64::from(one.units), one.at + window);
    match one.back.filter(|(at, _)| *at < leaves) {
        Some((at, back)) => {
            vec![(one.at, units), (at, -i64::from(back)), (leaves, i64::from(back) - units)]
        }
        None => vec![(one.at, units), (leaves, -units)],
    }
}

fn forever(one: &Admitted) -> Deltas {
    let back = one.back.map(|(at, units)| (at, -i64::from(units)));
    std::iter::once((one.at, i64::from(one.units))).chain(back).collect()
}

fn in_flight(one: &Admitted) -> Deltas {
    let end = one.ended.map(|at| (at, -i64::from(one.units)));
    std::iter::once((one.at, i64::from(one.units))).chain(end).collect()
}
