//! What became of all requests over time: the numbers that the page draws.

use crate::simulation::Simulation;
use crate::traffic::Traffic;
use std::collections::{BTreeMap, HashMap, VecDeque};
use tollgate::compile::Configuration;
use tollgate::decision::{Decision, PolicyDecision};
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

/// What became of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Fate {
    /// Whether it was rejected.
    pub rejected: bool,
    /// What the watched policy decided; `None` if it does not apply.
    pub watched: Option<OfCaller>,
}

/// A policy's decision about a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OfCaller {
    /// The caller that the policy counts.
    pub caller: Identity,
    /// The request's cost in units.
    pub cost: u32,
    /// The caller's quota in the watched limit.
    pub quota: u32,
}

impl Fate {
    fn of(decision: &Decision, watched: Watched) -> Fate {
        let of_caller = |policy: &PolicyDecision| OfCaller {
            caller: policy.identity,
            cost: policy.cost,
            quota: policy.outcome.verdicts.get(watched.limit).map_or(0, |verdict| verdict.quota),
        };
        Fate { rejected: decision.rejected(), watched: decision.of_policy(watched.policy).map(of_caller) }
    }

    /// The caller, if the watched policy applies.
    pub fn caller(&self) -> Option<Identity> {
        self.watched.map(|one| one.caller)
    }

    fn is_shown(&self, only: Option<Identity>) -> bool {
        only.is_none() || self.caller() == only
    }
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

/// What a picture shows.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// Where it begins, since the start.
    pub from: Micros,
    /// Where it ends, since the start.
    pub to: Micros,
    /// The number of its places, at most 10,000.
    pub count: usize,
    /// The only caller that is shown; `None`: all are.
    pub caller: Option<Identity>,
}

impl Shown {
    /// The whole time of all callers.
    pub fn all(traffic: &Traffic, count: usize) -> Shown {
        Shown { from: 0, to: traffic.length, count, caller: None }
    }
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
        let mut fate = |arrival| {
            simulation.send(arrival).map_or(Fate::default(), |decision| Fate::of(&decision, watched))
        };
        let fates = traffic.arrivals.iter().copied().map(&mut fate).collect();
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

    /// The number of the first arrival of a caller, or of all, at or after an instant; if there is none, of the last
    /// one before.
    pub fn arrival(&self, traffic: &Traffic, at: Micros, caller: Option<Identity>) -> usize {
        let is_shown = |number: &usize| self.fates.get(*number).is_some_and(|fate| fate.is_shown(caller));
        let next = traffic.arrivals.partition_point(|arrival| arrival.at < at);
        (next..self.fates.len()).find(is_shown).or_else(|| (0..next).rfind(is_shown)).unwrap_or(0)
    }

    /// The number of the first arrival of a caller, or of all, that is rejected.
    pub fn first_rejection(&self, caller: Option<Identity>) -> Option<usize> {
        self.fates.iter().position(|fate| fate.rejected && fate.is_shown(caller))
    }

    /// The traffic of one caller, or of all, from an instant to another in `count` places, and the fullest
    /// trailing window of the whole time.
    pub fn places(&self, traffic: &Traffic, shown: Shown) -> (Places, Worst) {
        let Shown { from, to, caller, .. } = shown;
        let count = shown.count.clamp(1, 10_000);
        let zero = vec![0; count];
        let mut places = Places { admitted: zero.clone(), rejected: zero.clone(), trailing: zero };
        let mut trailing = Trailing::new(self.window);
        let (mut worst, mut reached) = (Worst::default(), 0);
        let length = to.saturating_sub(from).max(1);
        let all = traffic.arrivals.iter().zip(&self.fates).enumerate();
        for (number, (arrival, fate)) in all.filter(|(_, (_, fate))| fate.is_shown(caller)) {
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
            if let Some(counted) = fate.watched.filter(|_| !fate.rejected) {
                let units = trailing.count(arrival.at, counted.caller, counted.cost);
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
