//! A worker of a proxy: the module's own state machine, a clock that is wrong, and the requests that wait.

use tollgate::fleet::member::Member;
use tollgate::identity::Identity;
use tollgate::limiter::Forgiven;
use tollgate::time::{MILLISECOND, Micros, Now};

pub const PREFIX: &str = "tollgate:prod";

pub const TIMEOUT: Micros = 50 * MILLISECOND;

/// A request on its way through a proxy.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    pub number: u64,
    pub caller: u64,
    pub cost: u32,
    /// How often it has waited.
    pub waits: u32,
}

pub struct Proxy {
    pub member: Member,
    /// Messages of an earlier life are not answered.
    pub life: u32,
    pub clock: Clock,
    pub cut_until: Micros,
    pub waiting: Vec<Request>,
    /// What its configuration forgives.
    pub forgiven: Vec<Forgiven>,
}

/// A clock that began at any time, and runs at another rate.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    pub since: Micros,
    pub began: Micros,
    /// In millionths above the engine's.
    pub rate: i64,
    /// How far the wall clock is off.
    pub wall: i64,
}

impl Clock {
    pub fn at(&self, time: Micros) -> Now {
        let passed = time.saturating_sub(self.since);
        let drift = passed as i64 * self.rate / 1_000_000;
        let mono = self.began + passed.saturating_add_signed(drift);
        Now { mono, wall: time.saturating_add_signed(self.wall) }
    }
}

pub fn identity(caller: u64) -> Identity {
    Identity { page: caller + 1, fingerprint: caller + 2 }
}
