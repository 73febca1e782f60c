//! Limit headers: which responses carry them, and which limits they describe.

mod fields;
mod header_value;
mod preset;
mod reset;
mod reset_format;

pub use fields::LimitField;
pub use header_value::HeaderValue;
pub use preset::{PRESETS, Preset, PresetFields, is_limit_header};
pub(super) use reset::RejectionWait;
pub use reset::{Reset, ResetOnRejection};
pub use reset_format::ResetFormat;

use super::{DescribedLimit, Header, ReplyRules, described, described_at, most_constrained, rejecting};
use crate::config::{Word, Words};
use crate::decision::Decision;

/// One set of limit headers.
#[derive(Clone, Debug, PartialEq)]
pub struct HeaderRules {
    /// Its position in the list of sets. `None`: it is the only one, and not in a list.
    pub entry: Option<usize>,
    /// The headers.
    pub form: HeaderForm,
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
    /// The share of a limit, in percent, from which on it is described. 0: it always is.
    pub from: u8,
}

/// The headers of a set.
#[derive(Clone, Debug, PartialEq)]
pub enum HeaderForm {
    /// Those of a preset.
    Preset {
        /// The preset.
        preset: &'static Preset,
        /// What each shows, and its lower-case name, which may be another than the preset's.
        headers: Vec<(HeaderValue, String)>,
    },
    /// Those that the configuration writes.
    Fields(Vec<LimitField>),
}

/// Which responses carry limit headers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Show {
    /// All responses.
    Always,
    /// Only rejections.
    OnRejection,
    /// Only the upstream's responses.
    OnAdmission,
}

/// Which limits the headers describe.
#[derive(Clone, Debug, PartialEq)]
pub enum Describes {
    /// These limits, as indexes of a policy and of its limit. A form that describes a single limit uses the
    /// first one that applies.
    Named(Vec<(usize, usize)>),
    /// The limit that rejects for longest; if none rejects, the first one of these that applies.
    ViolatedElse(Vec<(usize, usize)>),
    /// Those that this chooses for each response.
    Chosen(LimitChoice),
}

/// How described limits are chosen for each response.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LimitChoice {
    /// All limits that apply, where headers are about several limits.
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
        Word::new(
            "all",
            LimitChoice::All,
            "each limit that applies; only with `fields` and with the preset `ietf`",
        ),
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
        Word::new("on_success", Show::OnAdmission, "not on rejections"),
    ]);

    fn includes(self, rejected: bool) -> bool {
        match self {
            Show::Always => true,
            Show::OnRejection => rejected,
            Show::OnAdmission => !rejected,
        }
    }
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

impl Describes {
    /// Whether they may describe this limit.
    pub fn may_name(&self, limit: (usize, usize)) -> bool {
        match self {
            Describes::Named(limits) => limits.contains(&limit),
            // The limit that rejects can be any.
            Describes::ViolatedElse(_) | Describes::Chosen(_) => true,
        }
    }

    /// The limits that they name, in their order.
    pub fn named(&self) -> &[(usize, usize)] {
        match self {
            Describes::Named(limits) | Describes::ViolatedElse(limits) => limits,
            Describes::Chosen(_) => &[],
        }
    }
}

impl HeaderForm {
    /// Whether they are about several limits if these are described. Otherwise they are about one.
    pub fn lists_limits(&self, describes: &Describes) -> bool {
        match self {
            HeaderForm::Preset { preset, .. } => preset.lists_limits(),
            HeaderForm::Fields(_) => *describes == Describes::Chosen(LimitChoice::All),
        }
    }
}

impl HeaderRules {
    /// The headers' lower-case names.
    pub fn header_names(&self) -> Vec<&str> {
        match &self.form {
            HeaderForm::Preset { headers, .. } => headers.iter().map(|(_, name)| name.as_str()).collect(),
            HeaderForm::Fields(fields) => {
                fields.iter().flat_map(LimitField::names).map(|(_, name)| name).collect()
            }
        }
    }

    /// Whether the headers are about several limits. Otherwise they are about one.
    pub fn lists_limits(&self) -> bool {
        self.form.lists_limits(&self.describes)
    }

    /// Whether limits are secret, so that there are no headers.
    pub fn is_secret(&self) -> bool {
        match &self.form {
            HeaderForm::Preset { preset, .. } => preset.is_secret(),
            HeaderForm::Fields(_) => false,
        }
    }

    /// See [`ReplyRules::counts_from_now`].
    pub(super) fn counts_from_now(&self) -> bool {
        let shows_reset = match &self.form {
            HeaderForm::Preset { preset, .. } => !preset.is_secret(),
            HeaderForm::Fields(fields) => fields.iter().any(LimitField::shows_reset),
        };
        self.format.counts_from_now() && self.show.includes(false) && shows_reset
    }

    /// Appends the headers for one decision; none if no described limit applies.
    pub(super) fn render<'a>(
        &'a self,
        replies: &'a ReplyRules,
        decision: &Decision,
        out: &mut Vec<Header<'a>>,
    ) {
        if self.is_secret() || !self.show.includes(decision.rejected()) {
            return;
        }
        let (mut one, mut all);
        let limits = if self.lists_limits() {
            all = self.all_described(replies, decision);
            all.retain(|limit| self.is_due(limit));
            all.as_slice()
        } else {
            one = self.described(replies, decision);
            one = one.filter(|limit| self.is_due(limit));
            one.as_slice()
        };
        let Some(first) = limits.first() else { return };
        let shown = ShownLimits::new(self, replies, decision, limits);
        match &self.form {
            HeaderForm::Preset { headers, .. } => {
                out.reserve_exact(headers.len());
                let render =
                    |(value, name): &'a (HeaderValue, String)| (name.as_str(), value.render(*first, &shown));
                match first.verdict.is_excluded() {
                    // Of a quota of 0 nothing comes back.
                    true => out.extend(headers.iter().filter(|(value, _)| !value.is_reset()).map(render)),
                    false => out.extend(headers.iter().map(render)),
                }
            }
            HeaderForm::Fields(fields) => fields::render(fields, &shown, out),
        }
    }

    /// Whether enough of a limit is used to describe it.
    fn is_due(&self, limit: &DescribedLimit<'_, '_>) -> bool {
        self.from == 0 || limit.verdict.is_excluded() || limit.percent_used() >= self.from.into()
    }

    fn push_reset(
        &self,
        limit: DescribedLimit<'_, '_>,
        decision: &Decision,
        wait: Option<RejectionWait>,
        out: &mut String,
    ) {
        self.format.push(&self.reset.time(limit, decision, wait), out);
    }

    /// The limit that a form with a single limit describes.
    #[inline]
    fn described<'a, 'd>(
        &self,
        replies: &'a ReplyRules,
        decision: &'d Decision,
    ) -> Option<DescribedLimit<'a, 'd>> {
        match &self.describes {
            Describes::Named(limits) => first_named(limits, replies, decision),
            Describes::ViolatedElse(limits) => {
                violated(replies, decision).or_else(|| first_named(limits, replies, decision))
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
            Describes::ViolatedElse(_)
            | Describes::Chosen(LimitChoice::Violated | LimitChoice::MostConstrained) => {
                self.described(replies, decision).into_iter().collect()
            }
        }
    }
}

/// The first of these limits that applies.
#[inline]
fn first_named<'a, 'd>(
    limits: &[(usize, usize)],
    replies: &'a ReplyRules,
    decision: &'d Decision,
) -> Option<DescribedLimit<'a, 'd>> {
    limits.iter().find_map(|limit| described_at(replies, decision, *limit))
}

/// The limit that rejects for longest. `None`: none rejects that has a name.
fn violated<'a, 'd>(replies: &'a ReplyRules, decision: &'d Decision) -> Option<DescribedLimit<'a, 'd>> {
    let limits = decision.rejected().then(|| described(replies, decision.policies()))?;
    rejecting(&limits).filter(|limit| !limit.verdict.admitted)
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
        let is_after_wait = rules.on_rejection.is_after_wait() && !rules.lists_limits();
        let wait = if is_after_wait { RejectionWait::of(replies, decision) } else { None };
        ShownLimits { rules, replies, decision, limits, wait }
    }

    /// All limits that apply.
    fn applying(&self) -> Vec<DescribedLimit<'a, 'd>> {
        described(self.replies, self.decision.policies())
    }

    fn push_reset(&self, limit: DescribedLimit<'_, '_>, out: &mut String) {
        self.rules.push_reset(limit, self.decision, self.wait, out);
    }
}

#[cfg(test)]
mod tests;
