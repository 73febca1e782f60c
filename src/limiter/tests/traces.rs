//! What the tests of the algorithms share: random traces, a limit with its kept state, and the truth.

use crate::limiter::concurrency::WorkerId;
use crate::limiter::{Algorithm, Counter, EvictionInfo, Limit, LimitId, Verdict};
use crate::time::{MILLISECOND, Micros, Now, SECOND};
use std::num::NonZeroU32;

/// On so many traces each algorithm is compared with its oracle.
pub const TRACES: u64 = if cfg!(target_arch = "wasm32") { 2_000 } else { 100_000 };

pub const DAY: Micros = 86_400 * SECOND;

/// The random numbers of one trace (SplitMix64): the same in every run. A failing test prints its seed.
pub struct Random {
    seed: u64,
    state: u64,
}

/// Checks the traces of so many seeds.
pub fn on_traces(traces: u64, check: impl Fn(&mut Random)) {
    for seed in 0..traces {
        check(&mut Random { seed, state: seed << 32 });
    }
}

impl Drop for Random {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the trace of seed {}", self.seed);
        }
    }
}

impl Random {
    pub fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.number() % end
    }

    pub fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }

    /// Mostly 1 to 40.
    pub fn quota(&mut self) -> NonZeroU32 {
        let quota = match self.below(10) {
            0 => self.pick(&[1_000, 123_457, 1_000_000, u32::MAX]),
            _ => 1 + self.below(40) as u32,
        };
        NonZeroU32::new(quota).unwrap()
    }

    /// 1 s to 366 d, in whole milliseconds.
    pub fn window(&mut self) -> Micros {
        match self.below(2) {
            0 => self.pick(&[SECOND, 60 * SECOND, 3_600 * SECOND, DAY, 30 * DAY, 366 * DAY]),
            _ => (1_000 + self.below(100_000)) * MILLISECOND,
        }
    }

    /// Mostly 1, and now and then all of the quota or more.
    pub fn cost(&mut self, quota: NonZeroU32) -> u32 {
        match self.below(12) {
            0 => quota.get(),
            1 => quota.get().saturating_add(1),
            2 | 3 => quota.get() / 3 + 1,
            4 => 3,
            5 | 6 => 2,
            _ => 1,
        }
    }

    /// When a trace begins: soon after the machine's start, or years later; at any time of the day.
    pub fn start(&mut self) -> Now {
        let mono = self.pick(&[SECOND, 1_000_000 * SECOND, 3_650 * DAY]);
        Now { mono, wall: 1_770_000_000 * SECOND + self.below(100 * DAY) }
    }

    /// How far a trace goes on: not at all, a little, or a large part of `window`; in whole `step`s.
    pub fn gap(&mut self, window: Micros, step: Micros) -> Micros {
        let most = match self.below(8) {
            0..3 => return 0,
            3..6 => window / 8,
            6 => window,
            _ => return self.below(3) * step,
        };
        self.below(most / step + 1) * step
    }

    /// One step before an edge, the edge, or one step after it, if that is still to come.
    pub fn around(&mut self, edge: Micros, step: Micros, now: Micros) -> Micros {
        (edge - step + self.below(3) * step).max(now)
    }
}

/// Goes on by so much on both clocks.
pub fn after(now: Now, gap: Micros) -> Now {
    Now { mono: now.mono + gap, wall: now.wall + gap }
}

/// The instant of the monotonic clock, if the wall clock is not stepped.
pub fn at(now: Now, mono: Micros) -> Now {
    Now { mono, wall: now.wall_at(mono) }
}

/// A limit with its state, as the table would keep it.
pub struct Kept {
    pub limit: Limit,
    pub state: Vec<u8>,
    pub worker: WorkerId,
}

impl Kept {
    pub fn new(quota: NonZeroU32, window: Micros, algorithm: impl Into<Algorithm>) -> Kept {
        let limit = Limit { id: LimitId(1), quota, window, algorithm: algorithm.into() };
        Kept { limit, state: Vec::new(), worker: WorkerId(1) }
    }

    pub fn open(&self, now: Now) -> Counter<'_> {
        Counter::open(&self.limit, &self.state, now, self.worker).expect("its own state is sound")
    }

    pub fn judge(&self, now: Now, cost: u32) -> Verdict {
        self.open(now).judge(now, cost)
    }

    /// Changes the counter and keeps what it writes.
    pub fn change(&mut self, now: Now, change: impl FnOnce(&mut Counter<'_>)) -> EvictionInfo {
        let mut state = Vec::new();
        let mut counter = self.open(now);
        change(&mut counter);
        let eviction = counter.write(&mut state);
        self.state = state;
        eviction
    }

    /// One request: judged, and counted if admitted.
    pub fn ask(&mut self, now: Now, cost: u32) -> Verdict {
        let verdict = self.judge(now, cost);
        if verdict.admitted {
            self.change(now, |counter| counter.charge(now, cost));
        }
        verdict
    }
}

/// The truth: all units that were counted, each with its instant.
#[derive(Default)]
pub struct Oracle(pub Vec<(Now, u64)>);

impl Oracle {
    /// The units of all instants that are so.
    pub fn units(&self, so: impl Fn(Now) -> bool) -> u64 {
        self.0.iter().filter(|(at, _)| so(*at)).map(|(_, units)| units).sum()
    }

    /// Units with an age below `age`.
    pub fn younger_than(&self, age: Micros, now: Micros) -> u64 {
        self.units(|at| at.mono + age > now)
    }

    /// Takes one of the last few admissions out again.
    pub fn forget_one(&mut self, random: &mut Random) -> Option<(Now, u32)> {
        let last = self.0.len().checked_sub(1)?;
        let (at, units) = self.0.remove(last - random.below(last.min(3) as u64 + 1) as usize);
        Some((at, units as u32))
    }

    /// Takes out the units that were counted last, as far as they are younger than `age`.
    pub fn return_newest(&mut self, units: u32, age: Micros, now: Micros) {
        for _ in 0..units {
            let young = self.0.iter_mut().filter(|(at, units)| at.mono + age > now && *units > 0);
            if let Some((_, counted)) = young.max_by_key(|(at, _)| at.mono) {
                *counted -= 1;
            }
        }
        self.0.retain(|(_, units)| *units > 0);
    }

    /// The monotonic instant of some admission, or now.
    pub fn some_instant(&self, random: &mut Random, now: Now) -> Micros {
        if self.0.is_empty() { now.mono } else { random.pick(&self.0).0.mono }
    }
}
