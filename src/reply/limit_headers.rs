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
    /// The end of the window that the request is in. For a sliding window: of the window that begins with the
    /// request.
    WindowEnd,
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

impl HeaderRules {
    /// Whether limits are secret.
    pub fn secret(&self) -> bool {
        self.preset == Preset::Secret
    }

    /// The headers for one decision; none if no described limit applies.
    pub(super) fn render<'a, 'd>(
        &'a self,
        replies: &'a ReplyRules,
        decision: &'d Decision,
    ) -> Vec<Header<'a>> {
        if self.show == Show::OnRejection && !decision.rejected() {
            return Vec::new();
        }
        let wait = decision.rejected().then(|| replies.retry_after.wait(decision));
        let reset = |limit: DescribedLimit<'a, 'd>| self.reset_of(limit, decision, wait);
        let one = || self.described(replies, decision);
        match &self.preset {
            Preset::Fields(names) => one().map(|limit| names.render(limit, reset(limit))),
            Preset::Envoy => {
                one().map(|limit| forms::envoy(limit, reset(limit), &described(replies, decision.policies())))
            }
            Preset::Ietf => {
                let all = self.all_described(replies, decision);
                let longest = decision.retry_after();
                let asks_for_longest = |limit: &DescribedLimit<'_, '_>| limit.verdict.retry_after == longest;
                // If the limit with the longest wait is described, each of the others shows its own reset.
                let each_its_own = all.iter().any(asks_for_longest);
                Some(forms::ietf(&all, |limit| {
                    let wait = wait.filter(|_| !each_its_own || asks_for_longest(&limit));
                    self.reset_of(limit, decision, wait)
                }))
            }
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
    fn reset_of(&self, limit: DescribedLimit<'_, '_>, decision: &Decision, wait: Option<Micros>) -> u64 {
        match self.format {
            ResetFormat::Epoch => self.reset.epoch(limit, decision, wait),
            ResetFormat::Delta => self.reset.delta(limit, decision, wait),
        }
    }
}

/// How precisely workers know the wall clock. A window's edge this little after a whole second is meant to be
/// on it.
const WALL_CLOCK_PRECISION: Micros = MILLISECOND;

/// A rejection's reset is never before the end of its `wait`, whichever limit rejects, because some clients
/// read only the reset (PA-4). The instant itself is rounded, so that it is the same before and after the
/// limit is used up.
impl Reset {
    /// The reset in seconds since the UNIX epoch.
    pub(super) fn epoch(
        self,
        limit: DescribedLimit<'_, '_>,
        decision: &Decision,
        wait: Option<Micros>,
    ) -> u64 {
        let now = decision.now;
        let reset = now.wall_at(self.instant(limit, decision));
        let wait_end = now.wall.saturating_add(wait.unwrap_or_default());
        let precision = if limit.description.slides { 0 } else { WALL_CLOCK_PRECISION };
        // The end of the wait may be a window's edge, too.
        let rounded =
            seconds_up(reset.saturating_sub(precision).max(wait_end.saturating_sub(WALL_CLOCK_PRECISION)));
        match (self, wait) {
            // A client that adds the seconds of `retry-after` to its clock must not come back before this
            // reset (PA-4).
            (Reset::FullReset, Some(wait)) if limit.description.slides => {
                rounded.max(seconds_up(now.wall.saturating_add(times(seconds_up(wait), SECOND))))
            }
            (Reset::NextSlot | Reset::FullReset | Reset::WindowEnd, _) => rounded,
        }
    }

    /// The reset in seconds from now.
    fn delta(self, limit: DescribedLimit<'_, '_>, decision: &Decision, wait: Option<Micros>) -> u64 {
        let reset = self.instant(limit, decision).saturating_sub(decision.now.mono);
        seconds_up(reset.max(wait.unwrap_or_default()))
    }

    /// The reset on the monotonic clock.
    fn instant(self, limit: DescribedLimit<'_, '_>, decision: &Decision) -> Micros {
        let DescribedLimit { description, verdict, .. } = limit;
        match (self, description.window) {
            (Reset::NextSlot, _) => verdict.next_slot,
            (Reset::WindowEnd, Some(window)) if description.slides => {
                decision.now.mono.saturating_add(times(window, SECOND))
            }
            (Reset::FullReset | Reset::WindowEnd, _) => verdict.full_reset,
        }
    }
}

#[cfg(test)]
mod tests;
