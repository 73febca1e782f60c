//! When a reset is, exactly. How it is rounded and written is up to its [format](super::reset_format).

use super::super::{DescribedLimit, ReplyRules};
use crate::config::{Word, Words};
use crate::decision::Decision;
use crate::time::{MILLISECOND, Micros, Now, SECOND, in_units_up, seconds_up, times};

/// Which instant the reset is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Reset {
    /// The instant at which the next unit becomes available (FA-10).
    #[default]
    NextSlot,
    /// The instant at which all units are available again (PA-3).
    FullReset,
    /// The end of the window that the request is in. Where windows slide, the window of the newest unit, so
    /// it is when all units are available again. A rejected request begins no window.
    WindowEnd,
}

/// What the reset of a form with a single limit is on a rejection. Of several limits, each shows its own.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum ResetOnRejection {
    /// Never before the wait is over, whichever limit rejects, because some clients read only the reset
    /// (PA-4).
    #[default]
    AfterWait,
    /// The described limit's own, as on all other responses.
    Own,
}

impl Reset {
    /// Its words in a policy.
    pub const WORDS: &'static Words<Reset> = &Words(&[
        Word::new("next_slot", Reset::NextSlot, "when the next unit is available again"),
        Word::new("full_reset", Reset::FullReset, "when all units are available again"),
        Word::new(
            "window_end",
            Reset::WindowEnd,
            "when the window ends; where windows slide, the one that the newest unit began",
        ),
    ]);

    /// The reset of a limit.
    #[inline]
    pub(in super::super) fn time(
        self,
        limit: DescribedLimit<'_, '_>,
        decision: &Decision,
        wait: Option<RejectionWait>,
    ) -> ResetTime {
        let (own, is_full) = match self {
            Reset::NextSlot => (limit.verdict.next_slot, false),
            Reset::FullReset => (limit.verdict.full_reset, true),
            Reset::WindowEnd => (limit.verdict.full_reset, false),
        };
        ResetTime {
            now: decision.as_of,
            own,
            aligned: limit.description.is_aligned(),
            wait,
            outlasts_clocks: is_full && limit.description.slides,
        }
    }
}

impl ResetOnRejection {
    /// Its words in a policy.
    pub const WORDS: &'static Words<ResetOnRejection> = &Words(&[
        Word::new(
            "after_wait",
            ResetOnRejection::AfterWait,
            "never before the wait is over, whichever limit rejects",
        ),
        Word::new("own", ResetOnRejection::Own, "the described limit's own reset, as on other responses"),
    ]);

    /// Whether the reset is never before the wait is over.
    pub fn is_after_wait(self) -> bool {
        match self {
            ResetOnRejection::AfterWait => true,
            ResetOnRejection::Own => false,
        }
    }
}

/// The wait of a rejection, which its reset must not fall short of.
#[derive(Clone, Copy)]
pub(in super::super) struct RejectionWait {
    wait: Micros,
    /// Whether it ends at an edge of the clock.
    aligned: bool,
}

impl RejectionWait {
    /// `None`: the request is admitted, or no wait is known.
    pub fn of(replies: &ReplyRules, decision: &Decision) -> Option<RejectionWait> {
        decision.rejecting().filter(|_| !decision.is_excluded())?;
        let longest = decision.policies().iter().find_map(|one| {
            let verdicts = &one.outcome.verdicts;
            let place = verdicts.iter().position(|verdict| verdict.retry_after == decision.retry_after())?;
            replies.policies.get(one.policy)?.limit_at(one.limit_set, place)
        });
        let aligned = longest.is_some_and(|(_, limit)| limit.is_aligned());
        Some(RejectionWait { wait: replies.retry_after.wait(decision), aligned })
    }
}

/// One reset, before it is rounded.
pub(in super::super) struct ResetTime {
    /// When it is reported.
    now: Now,
    /// The limit's own, on the monotonic clock.
    own: Micros,
    /// Whether that is at an edge of the clock.
    aligned: bool,
    /// What it must not fall short of.
    wait: Option<RejectionWait>,
    /// Whether it is not before a clock shows that the whole seconds of `retry-after` are over (PA-4).
    outlasts_clocks: bool,
}

impl ResetTime {
    /// In seconds since the UNIX epoch, rounded up.
    #[inline]
    pub fn epoch_seconds(&self) -> u64 {
        self.since_epoch(SECOND)
    }

    /// In milliseconds since the UNIX epoch, rounded up.
    #[inline(never)]
    pub(super) fn epoch_milliseconds(&self) -> u64 {
        self.since_epoch(MILLISECOND)
    }

    /// In these units since the UNIX epoch, rounded up.
    #[inline]
    fn since_epoch(&self, unit: Micros) -> u64 {
        let now = &self.now;
        let own = unit_of(now.wall_at(self.own), self.aligned, unit);
        let Some(RejectionWait { wait, aligned }) = self.wait else { return own };
        let reset = own.max(unit_of(now.wall.saturating_add(wait), aligned, unit));
        if self.outlasts_clocks {
            reset.max(in_units_up(now.wall.saturating_add(times(seconds_up(wait), SECOND)), unit))
        } else {
            reset
        }
    }

    /// In seconds from now, rounded up.
    pub(super) fn seconds_from_now(&self) -> u64 {
        seconds_up(self.time_left())
    }

    /// In milliseconds from now, rounded up.
    pub(super) fn milliseconds_from_now(&self) -> u64 {
        in_units_up(self.time_left(), MILLISECOND)
    }

    fn time_left(&self) -> Micros {
        let own = self.own.saturating_sub(self.now.mono);
        own.max(self.wait.map_or(0, |rejection| rejection.wait))
    }
}

/// How precisely workers know the wall clock. A window's edge this little after a whole second is meant to be
/// on it.
const WALL_CLOCK_PRECISION: Micros = MILLISECOND;

/// The unit in which an instant of the wall clock is over: a second, or a part of one. An instant is rounded, not
/// the time until then, so that it is the same number whenever it is reported. A window's edge is on a whole
/// second.
#[inline]
fn unit_of(wall: Micros, aligned: bool, unit: Micros) -> u64 {
    if aligned {
        let seconds = seconds_up(wall.saturating_sub(WALL_CLOCK_PRECISION));
        return times(seconds, SECOND / unit);
    }
    in_units_up(wall, unit)
}
