//! What becomes of an admitted request: a history of its own, however the client, the upstream and Envoy
//! behave.

use super::random::Random;
use tollgate::time::{MILLISECOND, Micros, SECOND};

/// All lengths are from the admission on, or from what came before.
#[derive(Clone, Copy, Debug)]
pub struct Fate {
    /// When the upstream does what it is asked for. `None`: the request never reaches it.
    pub handled: Option<Micros>,
    pub ending: Ending,
}

/// How the stream ends.
#[derive(Clone, Copy, Debug)]
pub enum Ending {
    /// The upstream's answer is there so long after the request was handled, and the stream ends so long
    /// after that.
    Served { back: Micros, tail: Micros },
    /// The client leaves, or either side resets, and there was no answer.
    Left { after: Micros },
    /// Envoy answers in the upstream's place.
    Envoy { status: u16, after: Micros },
}

/// What is yet to come of an admitted request. At one instant in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    Handled,
    Heard,
    EnvoyAnswers(u16),
    Ended,
}

/// The kinds that a history can draw from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// An answer comes, soon or late.
    Served,
    /// An answer comes, and its stream stays open for long.
    Streams,
    /// The client leaves before the upstream has done anything.
    LeavesAtOnce,
    /// The client leaves after the upstream has done it, and before the answer.
    LeavesBeforeTheAnswer,
    /// The client leaves with the head of the answer.
    LeavesAfterTheHead,
    /// The route's timeout: a 504 of Envoy. The upstream does it all the same, before or after.
    TimesOut,
    /// The upstream resets after it has done it: a 503 of Envoy.
    ResetAfterwards,
    /// Envoy finds no upstream: a 503, and nothing is done.
    NoUpstream,
}

impl Kind {
    pub const ALL: &[Kind] = &[
        Kind::Served,
        Kind::Served,
        Kind::Served,
        Kind::Streams,
        Kind::LeavesAtOnce,
        Kind::LeavesBeforeTheAnswer,
        Kind::LeavesAfterTheHead,
        Kind::TimesOut,
        Kind::ResetAfterwards,
        Kind::NoUpstream,
    ];

    pub fn draw(self, random: &mut Random) -> Fate {
        let mut time = |most: Micros| random.between(1, most / MILLISECOND) * MILLISECOND;
        match self {
            Kind::Served => Fate::served(time(200 * MILLISECOND)),
            Kind::Streams => Fate {
                handled: Some(time(50 * MILLISECOND)),
                ending: Ending::Served { back: time(2 * SECOND), tail: time(40 * SECOND) },
            },
            Kind::LeavesAtOnce => Fate::left(time(20 * MILLISECOND), 20 * MILLISECOND + time(SECOND)),
            Kind::LeavesBeforeTheAnswer => {
                let handled = time(100 * MILLISECOND);
                Fate::left(handled + time(100 * MILLISECOND), handled)
            }
            Kind::LeavesAfterTheHead => Fate {
                handled: Some(time(50 * MILLISECOND)),
                ending: Ending::Served { back: time(10 * MILLISECOND), tail: 0 },
            },
            Kind::TimesOut => {
                let ending = Ending::Envoy { status: 504, after: SECOND };
                Fate { handled: Some(time(3 * SECOND)), ending }
            }
            Kind::ResetAfterwards => {
                let handled = time(50 * MILLISECOND);
                Fate {
                    handled: Some(handled),
                    ending: Ending::Envoy { status: 503, after: handled + time(SECOND) },
                }
            }
            Kind::NoUpstream => {
                Fate { handled: None, ending: Ending::Envoy { status: 503, after: time(50 * MILLISECOND) } }
            }
        }
    }
}

impl Fate {
    /// An answer after so long, and the end with it.
    pub fn served(handled: Micros) -> Fate {
        Fate { handled: Some(handled), ending: Ending::Served { back: 0, tail: 0 } }
    }

    /// The client leaves `after` so long; the upstream does it all the same.
    pub fn left(after: Micros, handled: Micros) -> Fate {
        Fate { handled: Some(handled), ending: Ending::Left { after } }
    }

    /// The route's time is over before the upstream has answered.
    pub fn timed_out(after: Micros, handled: Micros) -> Fate {
        Fate { handled: Some(handled), ending: Ending::Envoy { status: 504, after } }
    }

    /// All that is to come of it, and how long after its admission.
    pub fn due(self) -> Vec<(Micros, Due)> {
        let done = self.handled.map(|handled| (handled, Due::Handled));
        let seen = match (self.ending, self.handled) {
            (Ending::Served { back, tail }, Some(handled)) => {
                vec![(handled + back, Due::Heard), (handled + back + tail, Due::Ended)]
            }
            // Whoever is never answered leaves in the end.
            (Ending::Served { back: after, .. }, None) | (Ending::Left { after }, _) => {
                vec![(after, Due::Ended)]
            }
            (Ending::Envoy { status, after }, _) => {
                vec![(after, Due::EnvoyAnswers(status)), (after, Due::Ended)]
            }
        };
        done.into_iter().chain(seen).collect()
    }
}
