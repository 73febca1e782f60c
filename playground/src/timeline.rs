//! What became of all requests over time: the numbers that the page draws.

use crate::simulation::{Fate, Simulation};
use crate::traffic::Traffic;
use std::collections::{BTreeMap, HashMap, VecDeque};
use tollgate::compile::Configuration;
use tollgate::identity::Identity;
use tollgate::time::{MILLISECOND, Micros};

/// A limit of a policy, by their numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Watched {
    /// The number of the policy.
    pub policy: usize,
    /// The number of its limit.
    pub limit: usize,
}

/// Everything that happened.
pub struct Timeline {
    /// What became of each request, in the order of the traffic.
    pub fates: Vec<Fate>,
    /// The length of the trailing window.
    pub window: Micros,
    /// The quota of the watched limit, of a caller without a tier.
    pub quota: u32,
}

/// What happened in places of equal length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Places {
    /// The number of admitted requests.
    pub admitted: Vec<u32>,
    /// The number of rejected requests.
    pub rejected: Vec<u32>,
    /// The most units that one caller had in any trailing window that ends in the place.
    pub trailing: Vec<u32>,
}

/// The fullest trailing window.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Worst {
    /// Units.
    pub units: u32,
    /// When it ends, since the start.
    pub at: Micros,
    /// The number of the request that filled it.
    pub number: usize,
}

impl Timeline {
    /// Sends the whole traffic.
    pub fn of(configuration: &Configuration, traffic: &Traffic, watched: Watched) -> Timeline {
        let mut simulation = Simulation::new(configuration, traffic);
        let fate = |arrival| simulation.fate(arrival, watched.policy);
        let fates = traffic.arrivals.iter().copied().map(fate).collect();
        let policy = configuration.rules.policies.get(watched.policy);
        let limits = policy.map_or(&[][..], |policy| policy.limit_sets.get(0).limits());
        let limit = limits.get(watched.limit);
        let of_limit = limit.filter(|limit| limit.has_window()).map(|limit| limit.window);
        // What is in flight is what the last requests were that are not answered yet.
        let window = of_limit.unwrap_or(traffic.took).max(MILLISECOND);
        Timeline { fates, window, quota: limit.map_or(0, |limit| limit.quota.get()) }
    }

    /// The numbers of admitted and of rejected requests.
    pub fn totals(&self) -> (usize, usize) {
        let rejected = self.fates.iter().filter(|fate| fate.rejected).count();
        (self.fates.len() - rejected, rejected)
    }

    /// The traffic from an instant to another in `count` places, and the fullest trailing window of all.
    pub fn places(&self, traffic: &Traffic, from: Micros, to: Micros, count: usize) -> (Places, Worst) {
        let count = count.clamp(1, 10_000);
        let zero = vec![0; count];
        let mut places = Places { admitted: zero.clone(), rejected: zero.clone(), trailing: zero };
        let mut trailing = Trailing::new(self.window);
        let (mut worst, mut reached) = (Worst::default(), 0);
        let length = to.saturating_sub(from).max(1);
        for (number, (arrival, fate)) in traffic.arrivals.iter().zip(&self.fates).enumerate() {
            // Between two requests windows only become emptier: at each place's start they are fullest.
            while reached < count {
                let start = from.saturating_add(length.saturating_mul(reached as u64) / count as u64);
                if start > arrival.at {
                    break;
                }
                trailing.advance(start);
                raise(&mut places.trailing, reached, trailing.fullest());
                reached += 1;
            }
            if let Some((who, units)) = fate.counted {
                let units = trailing.count(arrival.at, who, units);
                if units > worst.units {
                    worst = Worst { units, at: arrival.at, number };
                }
            }
            let Some(since) = arrival.at.checked_sub(from).filter(|since| *since < length) else { continue };
            let place = usize::try_from(u128::from(since) * count as u128 / u128::from(length)).unwrap_or(0);
            let kind = if fate.rejected { &mut places.rejected } else { &mut places.admitted };
            if let Some(number) = kind.get_mut(place) {
                *number += 1;
            }
            raise(&mut places.trailing, place, trailing.fullest());
        }
        for place in reached..count {
            trailing.advance(from.saturating_add(length.saturating_mul(place as u64) / count as u64));
            raise(&mut places.trailing, place, trailing.fullest());
        }
        (places, worst)
    }
}

fn raise(places: &mut [u32], place: usize, to: u32) {
    if let Some(place) = places.get_mut(place) {
        *place = (*place).max(to);
    }
}

/// The units of each caller in the window that ends now.
struct Trailing {
    window: Micros,
    counted: VecDeque<(Micros, Identity, u32)>,
    units: HashMap<Identity, u32>,
    /// How many callers have so many units.
    callers: BTreeMap<u32, usize>,
}

impl Trailing {
    fn new(window: Micros) -> Trailing {
        Trailing { window, counted: VecDeque::new(), units: HashMap::new(), callers: BTreeMap::new() }
    }

    fn fullest(&self) -> u32 {
        self.callers.last_key_value().map_or(0, |(units, _)| *units)
    }

    /// Counts units of a caller. Returns how many it has.
    fn count(&mut self, at: Micros, who: Identity, units: u32) -> u32 {
        self.advance(at);
        self.counted.push_back((at, who, units));
        self.change(who, |before| before.saturating_add(units))
    }

    /// Units leave whose window is over: those counted a whole window before `at`.
    fn advance(&mut self, at: Micros) {
        while let Some((counted, who, units)) = self.counted.front().copied() {
            if counted.saturating_add(self.window) > at {
                break;
            }
            self.counted.pop_front();
            self.change(who, |before| before.saturating_sub(units));
        }
    }

    fn change(&mut self, who: Identity, to: impl FnOnce(u32) -> u32) -> u32 {
        let before = self.units.get(&who).copied().unwrap_or(0);
        let after = to(before);
        if let Some(number) = self.callers.get_mut(&before) {
            *number -= 1;
            if *number == 0 {
                self.callers.remove(&before);
            }
        }
        if after == 0 {
            self.units.remove(&who);
        } else {
            self.units.insert(who, after);
            *self.callers.entry(after).or_default() += 1;
        }
        after
    }
}
