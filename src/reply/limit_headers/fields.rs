//! Limit headers whose names and values are templates of the configuration.

use super::super::template::{Template, VariableSource};
use super::super::variable::{Rendered, Values, Variable};
use super::super::{DescribedLimit, Header, ReplyRules};
use super::reset::RejectionWait;
use super::{HeaderRules, ShownLimits};
use crate::decision::Decision;
use std::cell::OnceCell;

/// One header: a name, and a template of its value.
#[derive(Clone, Debug, PartialEq)]
pub struct LimitField {
    /// Its name as it is written, in lower case.
    written: String,
    /// Its name for each limit that it may describe, in ascending order of their indexes. None if it is the same
    /// for all, as it is written.
    names: Vec<((usize, usize), String)>,
    value: Template,
    /// Whether admitted requests have it.
    on_admitted: bool,
    /// Whether limits without a window have it.
    without_window: bool,
}

impl LimitField {
    /// A header that has the same name for all limits, if `names` is empty. Otherwise, `names` are those for each
    /// limit that it may describe, in ascending order of their indexes.
    pub fn new(written: String, names: Vec<((usize, usize), String)>, value: Template) -> LimitField {
        let on_admitted = !value.variables().any(Variable::is_of_rejections);
        let without_window = !value.variables().any(Variable::is_of_windows);
        LimitField { written, names, value, on_admitted, without_window }
    }

    /// Its lower-case names, each with the limit that it is for. `None`: it is for all of them.
    pub fn names(&self) -> impl Iterator<Item = (Option<(usize, usize)>, &str)> {
        let same = self.names.is_empty().then_some((None, self.written.as_str()));
        same.into_iter().chain(self.names.iter().map(|(limit, name)| (Some(*limit), name.as_str())))
    }

    /// Its name as it is written, in lower case.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// Its value.
    pub fn value(&self) -> &Template {
        &self.value
    }

    /// Whether its value has the reset in it.
    pub fn shows_reset(&self) -> bool {
        self.value.variables().any(Variable::is_reset)
    }

    /// Whether its value is the reset and nothing else.
    pub(super) fn is_reset(&self) -> bool {
        self.value.only_variable().is_some_and(Variable::is_reset)
    }

    /// `None`: the limit does not have it, or its value would be empty.
    fn render<'a>(&'a self, values: &LimitValues<'a, '_>) -> Option<Header<'a>> {
        let LimitValues { limit, decision, .. } = values;
        if !self.on_admitted && !decision.rejected()
            || !self.without_window && limit.description.window.is_none()
        {
            return None;
        }
        let value = self.value.render(values);
        (!value.is_empty()).then_some((self.name(*limit)?, value))
    }

    fn name(&self, limit: DescribedLimit<'_, '_>) -> Option<&str> {
        if self.names.is_empty() {
            return Some(&self.written);
        }
        let place = self.names.binary_search_by_key(&limit.indexes(), |(limit, _)| *limit).ok()?;
        self.names.get(place).map(|(_, name)| name.as_str())
    }
}

/// Appends the headers of the limits that are shown.
#[inline(never)]
pub(super) fn render<'a>(
    fields: &'a [LimitField],
    shown: &ShownLimits<'a, '_, '_>,
    out: &mut Vec<Header<'a>>,
) {
    let &ShownLimits { rules: set, replies, decision, limits, wait } = shown;
    out.reserve_exact(fields.len() * limits.len());
    for limit in limits {
        let values = LimitValues { set, replies, decision, limit: *limit, wait, reset: OnceCell::new() };
        for field in fields {
            out.extend(field.render(&values));
        }
    }
}

/// The values of the variables for one described limit.
struct LimitValues<'a, 'd> {
    set: &'a HeaderRules,
    replies: &'a ReplyRules,
    decision: &'d Decision,
    limit: DescribedLimit<'a, 'd>,
    /// What no reset must fall short of.
    wait: Option<RejectionWait>,
    reset: OnceCell<String>,
}

impl VariableSource for LimitValues<'_, '_> {
    fn render(&self, variable: Variable) -> Rendered<'_> {
        variable.value(self)
    }
}

impl Values for LimitValues<'_, '_> {
    fn wait(&self) -> u64 {
        self.replies.retry_after.seconds(self.decision)
    }

    fn limit(&self) -> Option<DescribedLimit<'_, '_>> {
        Some(self.limit)
    }

    fn reset(&self) -> Rendered<'_> {
        Rendered::Text(self.reset.get_or_init(|| {
            let mut reset = String::new();
            self.set.push_reset(self.limit, self.decision, self.wait, &mut reset);
            reset
        }))
    }

    fn cost(&self) -> u32 {
        self.limit.decision.cost
    }

    fn policy(&self) -> &str {
        self.limit.policy
    }

    fn consumer(&self) -> &str {
        self.replies.consumer_name(self.decision)
    }

    fn tier(&self) -> &str {
        self.replies.tier_name(self.decision)
    }

    // No field of limit headers may use the others.

    fn request_id(&self) -> &str {
        ""
    }

    fn message(&self) -> &str {
        ""
    }

    fn code(&self) -> &str {
        ""
    }

    fn violated(&self) -> &str {
        ""
    }
}
