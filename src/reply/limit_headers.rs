//! Limit headers: which responses carry them, and which limits they describe.

mod header_value;
mod preset;
mod reset;
mod reset_format;

pub use header_value::HeaderValue;
pub use preset::{PRESETS, Preset, PresetFields, is_limit_header};
pub(super) use reset::RejectionWait;
pub use reset::{Reset, ResetOnRejection};
pub use reset_format::ResetFormat;

use super::{DescribedLimit, Header, ReplyRules, described, described_at, most_constrained, rejecting};
use crate::config::{Word, Words};
use crate::decision::Decision;

/// Which limit headers responses carry.
#[derive(Clone, Debug, PartialEq)]
pub struct HeaderRules {
    /// The headers' form.
    pub preset: &'static Preset,
    /// The headers: what each shows, and its lower-case name. They are the preset's, but may have other names.
    pub headers: Vec<(HeaderValue, String)>,
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
    /// Those that this chooses for each response.
    Chosen(LimitChoice),
}

/// How described limits are chosen for each response.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LimitChoice {
    /// All limits that apply. No policy says so, but some presets describe them unless it names others.
    All,
    /// The limit that rejects for longest; if none rejects, the one with the least left.
    Violated,
    /// The limit with the least left.
    MostConstrained,
}

impl LimitChoice {
    /// Its words in a policy.
    pub const WORDS: &'static Words<LimitChoice> = &Words(&[
        Word::new("violated", LimitChoice::Violated, "the limit that rejects, else the most constrained one"),
        Word::new("most_constrained", LimitChoice::MostConstrained, "the limit with the least left"),
    ]);

    /// The same, for documentation.
    #[cfg(feature = "docs")]
    const fn in_words(self) -> &'static str {
        match self {
            LimitChoice::All => "all that apply",
            LimitChoice::Violated => "`violated`",
            LimitChoice::MostConstrained => "`most_constrained`",
        }
    }
}

/// What happens to limit headers that the upstream has sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum UpstreamHeaders {
    /// The filter's own headers replace them.
    Replace,
    /// They are kept, and the filter's own are left out.
    Keep,
}

impl Show {
    /// Its words in a policy.
    pub const WORDS: &'static Words<Show> = &Words(&[
        Word::new("always", Show::Always, "on all responses"),
        Word::new("on_429", Show::OnRejection, "only on rejections"),
    ]);
}

impl UpstreamHeaders {
    /// Its words in a policy.
    pub const WORDS: &'static Words<UpstreamHeaders> = &Words(&[
        Word::new("replace", UpstreamHeaders::Replace, "Tollgate's replace them"),
        Word::new(
            "keep",
            UpstreamHeaders::Keep,
            "if the upstream sends any, they stay and Tollgate adds none",
        ),
    ]);
}

impl HeaderRules {
    /// The headers' lower-case names.
    pub fn header_names(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().map(|(_, name)| name.as_str())
    }

    /// See [`ReplyRules::counts_from_now`].
    pub(super) fn counts_from_now(&self) -> bool {
        self.format.counts_from_now() && self.show == Show::Always && !self.preset.is_secret()
    }

    /// The headers for one decision; none if no described limit applies.
    pub(super) fn render<'a>(&'a self, replies: &'a ReplyRules, decision: &Decision) -> Vec<Header<'a>> {
        if self.headers.is_empty() || self.show == Show::OnRejection && !decision.rejected() {
            return Vec::new();
        }
        let (one, all);
        let limits = if self.preset.lists_limits() {
            all = self.all_described(replies, decision);
            all.as_slice()
        } else {
            one = self.described(replies, decision);
            one.as_slice()
        };
        let Some(first) = limits.first() else { return Vec::new() };
        let shown = ShownLimits::new(self, replies, decision, limits);
        // Of a quota of 0 nothing comes back.
        let has_reset = !first.verdict.is_excluded();
        let headers = self.headers.iter().filter(|(value, _)| has_reset || !value.is_reset());
        headers.map(|(value, name)| (name.as_str(), value.render(*first, &shown))).collect()
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
            Describes::Chosen(LimitChoice::Violated) => rejecting(&described(replies, decision.policies())),
            Describes::Chosen(LimitChoice::All | LimitChoice::MostConstrained) => {
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
            Describes::Chosen(LimitChoice::All) => described(replies, decision.policies()),
            Describes::Chosen(LimitChoice::Violated | LimitChoice::MostConstrained) => {
                self.described(replies, decision).into_iter().collect()
            }
        }
    }
}

/// What the values of limit headers are computed from.
struct ShownLimits<'a, 'd, 'l> {
    rules: &'a HeaderRules,
    replies: &'a ReplyRules,
    decision: &'d Decision,
    /// The limits that the headers describe.
    limits: &'l [DescribedLimit<'a, 'd>],
    /// What no reset must fall short of.
    wait: Option<RejectionWait>,
}

impl<'a, 'd, 'l> ShownLimits<'a, 'd, 'l> {
    fn new(
        rules: &'a HeaderRules,
        replies: &'a ReplyRules,
        decision: &'d Decision,
        limits: &'l [DescribedLimit<'a, 'd>],
    ) -> Self {
        // In a list, a client sees which limit each reset is of, and has `retry-after` for the wait.
        let is_after_wait = rules.on_rejection.is_after_wait() && !rules.preset.lists_limits();
        let wait = if is_after_wait { RejectionWait::of(replies, decision) } else { None };
        ShownLimits { rules, replies, decision, limits, wait }
    }

    /// All limits that apply.
    fn applying(&self) -> Vec<DescribedLimit<'a, 'd>> {
        described(self.replies, self.decision.policies())
    }

    fn push_reset(&self, limit: DescribedLimit<'_, '_>, out: &mut String) {
        self.rules.format.push(&self.rules.reset.time(limit, self.decision, self.wait), out);
    }
}

#[cfg(test)]
mod tests;
