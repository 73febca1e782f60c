//! Limit headers: which limits they describe, in which form, and which instant *reset* means.

mod forms;

pub use forms::HeaderNames;

use super::{DescribedLimit, Header, ReplyRules, described, described_at, most_constrained, rejecting};
use crate::decision::Decision;
use crate::time::{MILLISECOND, Micros, SECOND, seconds_up, times};

/// Which limit headers responses carry.
#[derive(Clone, Debug, PartialEq)]
pub struct HeaderRules {
    /// The headers' form.
    pub preset: Preset,
    /// Which responses carry them.
    pub show: Show,
    /// Which limits they describe.
    pub describes: Describes,
    /// Which instant the reset is.
    pub reset: Reset,
    /// What the reset is on a rejection.
    pub on_rejection: ResetOnRejection,
    /// How the reset is written.
    pub format: ResetFormat,
    /// What happens to limit headers from the upstream.
    pub upstream: UpstreamHeaders,
}

/// A form of limit headers that clients know.
#[derive(Clone, Debug, PartialEq)]
pub enum Preset {
    /// One header for each number of one limit.
    Fields(HeaderNames),
    /// As Envoy's own limiters write them (draft-polli-ratelimit-headers-02 and -03).
    Envoy,
    /// `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-11).
    Ietf,
    /// No headers, because limits are secret (FP-8).
    Secret,
}

/// Which responses carry limit headers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Show {
    /// All responses.
    Always,
    /// Only rejections.
    OnRejection,
}

/// Which limits the headers describe.
#[derive(Clone, Debug, PartialEq)]
pub enum Describes {
    /// These limits, as indexes of a policy and of its limit. A form that describes a single limit uses the
    /// first one that applies.
    Named(Vec<(usize, usize)>),
    /// All limits that apply.
    All,
    /// The limit that rejects for longest; if none rejects, the one with the least left.
    Violated,
    /// The limit with the least left.
    MostConstrained,
}

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

/// How the reset is written, in whole seconds, rounded up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ResetFormat {
    /// As seconds since the UNIX epoch.
    Epoch,
    /// As seconds from now.
    Delta,
}

/// What happens to limit headers that the upstream has sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum UpstreamHeaders {
    /// The filter's own headers replace them.
    Replace,
    /// They are kept, and the filter's own are left out.
    Keep,
}

impl Preset {
    /// The lower-case names of its headers.
    pub fn header_names(&self) -> Vec<&str> {
        match self {
            Preset::Fields(names) => names.all().collect(),
            Preset::Envoy => forms::ENVOY.to_vec(),
            Preset::Ietf => forms::IETF.to_vec(),
            Preset::Secret => Vec::new(),
        }
    }
}

impl HeaderRules {
    /// Whether limits are secret.
    pub fn secret(&self) -> bool {
        self.preset == Preset::Secret
    }

    /// See [`ReplyRules::counts_from_now`].
    pub(super) fn counts_from_now(&self) -> bool {
        self.format == ResetFormat::Delta && self.show == Show::Always && !self.secret()
    }

    /// The headers for one decision; none if no described limit applies.
    pub(super) fn render<'a>(&'a self, replies: &'a ReplyRules, decision: &Decision) -> Vec<Header<'a>> {
        if self.show == Show::OnRejection && !decision.rejected() {
            return Vec::new();
        }
        let wait = RejectionWait::of(replies, decision).filter(|_| self.on_rejection.is_after_wait());
        let reset = |limit| self.reset_of(limit, decision, wait);
        let one = || self.described(replies, decision);
        match &self.preset {
            Preset::Fields(names) => one().map(|limit| names.render(limit, reset(limit))),
            Preset::Envoy => {
                one().map(|limit| forms::envoy(limit, reset(limit), &described(replies, decision.policies())))
            }
            // A client sees which limit each reset is of, and has `retry-after` for the wait.
            Preset::Ietf => Some(forms::ietf(&self.all_described(replies, decision), |limit| {
                self.reset_of(limit, decision, None)
            })),
            Preset::Secret => None,
        }
        .unwrap_or_default()
    }

    /// The limit that a form with a single limit describes.
    #[inline]
    fn described<'a, 'd>(
        &self,
        replies: &'a ReplyRules,
        decision: &'d Decision,
    ) -> Option<DescribedLimit<'a, 'd>> {
        match &self.describes {
            Describes::Named(limits) => {
                limits.iter().find_map(|limit| described_at(replies, decision, *limit))
            }
            Describes::Violated => rejecting(&described(replies, decision.policies())),
            Describes::All | Describes::MostConstrained => {
                most_constrained(&described(replies, decision.policies()))
            }
        }
    }

    /// The limits that a form with several limits describes.
    fn all_described<'a, 'd>(
        &self,
        replies: &'a ReplyRules,
        decision: &'d Decision,
    ) -> Vec<DescribedLimit<'a, 'd>> {
        match &self.describes {
            Describes::Named(limits) => {
                limits.iter().filter_map(|limit| described_at(replies, decision, *limit)).collect()
            }
            Describes::All => described(replies, decision.policies()),
            Describes::Violated | Describes::MostConstrained => {
                self.described(replies, decision).into_iter().collect()
            }
        }
    }

    #[inline]
    fn reset_of(
        &self,
        limit: DescribedLimit<'_, '_>,
        decision: &Decision,
        wait: Option<RejectionWait>,
    ) -> u64 {
        match self.format {
            ResetFormat::Epoch => self.reset.epoch(limit, decision, wait),
            ResetFormat::Delta => self.reset.delta(limit, decision, wait),
        }
    }
}

impl ResetOnRejection {
    pub(super) fn is_after_wait(self) -> bool {
        match self {
            ResetOnRejection::AfterWait => true,
            ResetOnRejection::Own => false,
        }
    }
}

/// The wait of a rejection, which its reset must not fall short of.
#[derive(Clone, Copy)]
pub(super) struct RejectionWait {
    wait: Micros,
    /// Whether it ends at an edge of the clock.
    aligned: bool,
}

impl RejectionWait {
    /// `None`: the request is admitted.
    pub fn of(replies: &ReplyRules, decision: &Decision) -> Option<RejectionWait> {
        decision.rejecting()?;
        let longest = decision.policies().iter().find_map(|one| {
            let limits = &replies.policies.get(one.policy)?.limits;
            let mut verdicts = limits.iter().zip(&one.outcome.verdicts);
            verdicts.find(|(_, verdict)| verdict.retry_after == decision.retry_after())
        });
        let aligned = longest.is_some_and(|(limit, _)| limit.is_aligned());
        Some(RejectionWait { wait: replies.retry_after.wait(decision), aligned })
    }
}

/// How precisely workers know the wall clock. A window's edge this little after a whole second is meant to be
/// on it.
const WALL_CLOCK_PRECISION: Micros = MILLISECOND;

/// The second in which an instant of the wall clock is over. An instant is rounded, not the time until then,
/// so that it is the same number whenever it is reported.
fn second_of(wall: Micros, aligned: bool) -> u64 {
    seconds_up(wall.saturating_sub(if aligned { WALL_CLOCK_PRECISION } else { 0 }))
}

impl Reset {
    /// The reset in seconds since the UNIX epoch.
    pub(super) fn epoch(
        self,
        limit: DescribedLimit<'_, '_>,
        decision: &Decision,
        wait: Option<RejectionWait>,
    ) -> u64 {
        let now = decision.as_of;
        let own = second_of(now.wall_at(self.instant(limit)), limit.description.is_aligned());
        let Some(RejectionWait { wait, aligned }) = wait else { return own };
        let reset = own.max(second_of(now.wall.saturating_add(wait), aligned));
        match self {
            // Not before a clock shows that the whole seconds of `retry-after` are over (PA-4).
            Reset::FullReset if limit.description.slides => {
                reset.max(seconds_up(now.wall.saturating_add(times(seconds_up(wait), SECOND))))
            }
            Reset::NextSlot | Reset::FullReset | Reset::WindowEnd => reset,
        }
    }

    /// The reset in seconds from now.
    fn delta(self, limit: DescribedLimit<'_, '_>, decision: &Decision, wait: Option<RejectionWait>) -> u64 {
        let own = self.instant(limit).saturating_sub(decision.as_of.mono);
        seconds_up(own.max(wait.map_or(0, |rejection| rejection.wait)))
    }

    /// The reset on the monotonic clock.
    fn instant(self, limit: DescribedLimit<'_, '_>) -> Micros {
        match self {
            Reset::NextSlot => limit.verdict.next_slot,
            Reset::FullReset | Reset::WindowEnd => limit.verdict.full_reset,
        }
    }
}

#[cfg(test)]
mod tests;
