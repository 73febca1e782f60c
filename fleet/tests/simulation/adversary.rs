//! When requests come, and how many at once.

use crate::random::Random;
use tollgate::fleet::term;
use tollgate::limiter::{Algorithm, Limit};
use tollgate::time::{MILLISECOND, Micros};

/// How requests come.
#[derive(Clone, Copy, Debug)]
pub enum Traffic {
    /// At random, so many units of each window.
    Steady(u64),
    /// As many as possible, at instants that a hostile caller chooses: the edges of windows and terms.
    Edges,
    /// So many within a hundredth of a window, and then none for most of a window.
    Waves(u64),
    /// Up to 20 at once, so far apart or somewhat further.
    Bursts(Micros),
    /// Nobody comes.
    None,
}

/// How far from an edge an adversary comes.
const NEAR: [i64; 5] = [-1_000, -1, 0, 1, 1_000];

impl Traffic {
    /// How long until the next requests, and how many there are then. `clock`: the engine's.
    pub fn next(&self, limit: &Limit, clock: Micros, random: &mut Random) -> (Micros, u64) {
        match *self {
            Traffic::Steady(per_window) => (random.below(2 * limit.window / per_window.max(1)) + 1, 1),
            Traffic::Edges => {
                let units = u64::from(limit.max_at_once());
                let count = 1 + random.below(if units > 1_000 { 1_000 } else { 2 * units });
                (edge(limit, clock, random), count)
            }
            Traffic::Waves(units) => match random.below(units) {
                0 => (limit.window * 9 / 10 + random.below(limit.window / 5), 1),
                _ => (random.below(2 * (limit.window / 100) / units.max(1)) + 1, 1),
            },
            Traffic::Bursts(apart) => (apart + random.below(apart / 4), 1 + random.below(20)),
            Traffic::None => (limit.window, 0),
        }
    }
}

fn edge(limit: &Limit, clock: Micros, random: &mut Random) -> Micros {
    let (window, term) = (limit.window, term(&[*limit]));
    let to_edge = if let Algorithm::Calendar(calendar) = limit.algorithm {
        calendar.zone.next_edge(clock, calendar.period) - clock
    } else {
        window - clock % window
    };
    let lengths =
        [window, window, to_edge, to_edge, term, term, 2 * term, window / 2, 20 * MILLISECOND, 1_000, 10];
    // No calendar's month is waited for.
    let most = 70_000 * MILLISECOND;
    let length = random.one_of(&lengths).min(most);
    length.saturating_add_signed(random.one_of(&NEAR)).max(1)
}
