//! What can happen to a message on its way.

use crate::random::Random;
use tollgate::time::{MILLISECOND, Micros, SECOND};

/// What goes wrong, in thousandths.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trouble {
    /// Messages that are lost, each way.
    pub lost: u64,
    /// Messages that come twice.
    pub duplicate: u64,
    /// Messages that come up to 5 s late, after their sender has given up.
    pub late: u64,
    /// Services that die while they work on a message.
    pub service_deaths: u64,
    /// Exchanges during which the engine does not answer the service.
    pub engine_silent: u64,
    /// Proxies that die, in each second.
    pub proxy_deaths: u64,
    /// Proxies that are cut off for up to 20 s, in each second.
    pub cuts: u64,
    /// Proxies' clocks run faster or slower by up to so many millionths.
    pub drift: u64,
}

/// Everything at once.
pub const BAD: Trouble = Trouble {
    lost: 50,
    duplicate: 50,
    late: 50,
    service_deaths: 20,
    engine_silent: 20,
    proxy_deaths: 20,
    cuts: 20,
    drift: 1_900,
};

impl Trouble {
    /// How long a message takes, for each of its copies that arrive.
    pub fn delays(&self, random: &mut Random) -> Vec<Micros> {
        let mut delays = Vec::with_capacity(2);
        if !random.chance(self.lost) {
            delays.push(self.delay(random));
        }
        if random.chance(self.duplicate) {
            delays.push(self.delay(random));
        }
        delays
    }

    fn delay(&self, random: &mut Random) -> Micros {
        let late = random.chance(self.late);
        100 + random.below(if late { 5 * SECOND } else { 2 * MILLISECOND })
    }

    /// How fast a proxy's clock runs, in millionths above the engine's.
    pub fn rate(&self, random: &mut Random) -> i64 {
        random.below(2 * self.drift + 1) as i64 - self.drift as i64
    }
}
