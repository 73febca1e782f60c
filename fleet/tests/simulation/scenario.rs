//! What is simulated.

use crate::adversary::Traffic;
use crate::network::Trouble;
use crate::world::World;
use tollgate::fleet::OnOutage;
use tollgate::limiter::Limit;
use tollgate::time::{Micros, SECOND};

/// Simulations begin here: 2025-11-29 08:00:00 UTC.
pub const START: Micros = 1_764_403_200 * SECOND;

/// What is simulated.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub proxies: usize,
    /// Of one policy.
    pub limits: Vec<Limit>,
    pub callers: u64,
    pub traffic: Traffic,
    /// The highest cost of a request.
    pub most_cost: u32,
    pub count_rejected: bool,
    pub on_outage: OnOutage,
    pub trouble: Trouble,
    /// Wall clocks of proxies step.
    pub wall_steps: bool,
    pub responses: Responses,
    /// Of a thousand requests that wait, so many hang up.
    pub hang_up: u64,
    pub start: Micros,
    pub duration: Micros,
    /// How long it goes on without requests and trouble.
    pub quiet: Micros,
    /// What happens to the engine, and when.
    pub plan: Vec<(Micros, Blow)>,
}

/// What responses change, in thousandths.
#[derive(Clone, Copy, Debug, Default)]
pub struct Responses {
    /// Responses after which all units go back.
    pub back: u64,
    /// Responses after which further units are counted.
    pub more: u64,
    /// How long a response takes at most.
    pub slowest: Micros,
}

/// What happens to the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Blow {
    /// Its clock is set.
    Step(i64),
    /// A replica takes over without what was written lately.
    FailOver(Micros),
    /// It comes back empty.
    Empty,
    /// It does not answer for so long.
    Silence(Micros),
    /// Proxies are cut off for so long.
    Cut(Micros),
    /// An operator forgives all callers. Each proxy hears of it at a time of its own, may forget it and hear of it again.
    Forgive,
}

impl Scenario {
    pub fn new(proxies: usize, limits: &[Limit], traffic: Traffic) -> Scenario {
        let window = limits[0].window;
        Scenario {
            proxies,
            limits: limits.to_vec(),
            callers: 1,
            traffic,
            most_cost: 1,
            count_rejected: false,
            on_outage: OnOutage::Deny,
            trouble: Trouble::default(),
            wall_steps: false,
            responses: Responses::default(),
            hang_up: 0,
            start: START,
            duration: (20 * window).clamp(20 * SECOND, 60 * SECOND),
            quiet: 0,
            plan: Vec::new(),
        }
    }

    pub fn run(&self, seed: u64) -> World {
        World::new(self.clone(), seed).run()
    }

    pub fn counts_in_flight(&self) -> bool {
        self.limits.iter().any(|limit| limit.counts_in_flight())
    }
}
