//! Limit headers: which limits they describe, in which form, and what *reset* means.

mod forms;

pub use forms::HeaderNames;

use super::{DescribedLimit, Header, ReplyRules, described, described_at, most_constrained, violated};
use crate::decision::Decision;
use crate::time::{MILLISECOND, Micros, SECOND, seconds_up, times};

/// Which headers tell limits.
#[derive(Clone, Debug, PartialEq)]
pub struct HeaderRules {
    /// Their form.
    pub preset: Preset,
    /// When they are sent.
    pub show: Show,
    /// What they speak about.
    pub describes: Describes,
    /// Which instant a reset is.
    pub reset: Reset,
    /// How an instant is told.
    pub format: ResetFormat,
    /// What becomes of such headers from the upstream.
    pub upstream: UpstreamHeaders,
}

/// A form that clients know.
#[derive(Clone, Debug, PartialEq)]
pub enum Preset {
    /// A header for each number about one limit.
    Fields(HeaderNames),
    /// As Envoy's own limiters write them (draft-polli-ratelimit-headers-02 and -03).
    Envoy,
    /// `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-11).
    Ietf,
    /// None at all (FP-8).
    Secret,
}

/// When limit headers are sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Show {
    /// With every response.
    Always,
    /// With rejections only.
    OnRejection,
}

/// Which limits the headers speak about.
#[derive(Clone, Debug, PartialEq)]
pub enum Describes {
    /// These, as indexes of a policy and of its limit. Where there is room for one: the first that applies.
    Named(Vec<(usize, usize)>),
    /// All that apply.
    All,
    /// The one that rejects for longest, else the most constrained.
    Violated,
    /// The one that has the least left.
    MostConstrained,
}

/// Which instant a reset is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Reset {
    /// When the next unit comes back (FA-10).
    #[default]
    NextSlot,
    /// When all units are back (PA-3).
    FullReset,
    /// When the window ends that the request is in; of a sliding one, the window that begins with it.
    WindowEnd,
}

/// How an instant is told, in whole seconds, rounded up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ResetFormat {
    /// Since the UNIX epoch.
    Epoch,
    /// From now on.
    Delta,
}

/// What becomes of limit headers that the upstream has sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum UpstreamHeaders {
    /// The filter's take their place.
    Replace,
    /// They stay, and the filter's are left out.
    Keep,
}

impl HeaderRules {
    /// Whether limits are not to be told.
    pub fn secret(&self) -> bool {
        self.preset == Preset::Secret
    }

    /// The headers for one decision; none if no described policy applies.
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
                one().map(|limit| forms::envoy(limit, reset(limit), &described(replies, decision)))
            }
            Preset::Ietf => {
                let all = self.all_described(replies, decision);
                let longest = decision.retry_after();
                let tells_wait = |limit: &DescribedLimit<'_, '_>| limit.verdict.retry_after == longest;
                // Where the one to wait for is told of, too, the others tell when they are back themselves.
                let each_its_own = all.iter().any(tells_wait);
                Some(forms::ietf(&all, |limit| {
                    let wait = wait.filter(|_| !each_its_own || tells_wait(&limit));
                    self.reset_of(limit, decision, wait)
                }))
            }
            Preset::Secret => None,
        }
        .unwrap_or_default()
    }

    /// The limit that headers about one describe, if it applies.
    #[inline]
    fn described<'a, 'd>(
        &self,
        replies: &'a ReplyRules,
        decision: &'d Decision,
    ) -> Option<DescribedLimit<'a, 'd>> {
        match &self.describes {
            Describes::Named(places) => {
                places.iter().find_map(|place| described_at(replies, decision, *place))
            }
            Describes::Violated => violated(&described(replies, decision)),
            Describes::All | Describes::MostConstrained => most_constrained(&described(replies, decision)),
        }
    }

    /// The limits that headers about several describe.
    fn all_described<'a, 'd>(
        &self,
        replies: &'a ReplyRules,
        decision: &'d Decision,
    ) -> Vec<DescribedLimit<'a, 'd>> {
        match &self.describes {
            Describes::Named(places) => {
                places.iter().filter_map(|place| described_at(replies, decision, *place)).collect()
            }
            Describes::All => described(replies, decision),
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

/// Workers know the wall clock to some microseconds. An edge of the clock that is so little after a whole second is at it.
const WALL_IS_KNOWN_TO: Micros = MILLISECOND;

/// With a rejection a reset is never before the `wait` that is told is over, whichever limit rejects (PA-4): some
/// clients read only the reset. Rounded is the instant itself, so that a limit's answers before and after it is used up
/// tell the same one.
impl Reset {
    /// In seconds since the UNIX epoch.
    #[inline(never)]
    pub(super) fn epoch(
        self,
        limit: DescribedLimit<'_, '_>,
        decision: &Decision,
        wait: Option<Micros>,
    ) -> u64 {
        let now = decision.now;
        let reset = now.wall_at(self.instant(limit, decision));
        let over = now.wall.saturating_add(wait.unwrap_or_default());
        let known_to = if limit.description.slides { 0 } else { WALL_IS_KNOWN_TO };
        // The one to wait for may be an edge, too.
        let told = seconds_up(reset.saturating_sub(known_to).max(over.saturating_sub(WALL_IS_KNOWN_TO)));
        match (self, wait) {
            // A client that adds the seconds of `retry-after` to its clock is not to be later than this reset (PA-4).
            (Reset::FullReset, Some(wait)) if limit.description.slides => {
                told.max(seconds_up(now.wall.saturating_add(times(seconds_up(wait), SECOND))))
            }
            (Reset::NextSlot | Reset::FullReset | Reset::WindowEnd, _) => told,
        }
    }

    /// In seconds from now on.
    fn delta(self, limit: DescribedLimit<'_, '_>, decision: &Decision, wait: Option<Micros>) -> u64 {
        let reset = self.instant(limit, decision).saturating_sub(decision.now.mono);
        seconds_up(reset.max(wait.unwrap_or_default()))
    }

    /// On the monotonic clock.
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
