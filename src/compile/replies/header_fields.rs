//! Compiles limit headers whose names and values are templates.

use super::header_names::{SentHeaders, is_reserved};
use super::template::TemplateScope;
use crate::config::Reader;
use crate::language::{forms, headers};
use crate::reply::{
    Describes, HeaderForm, LimitField, Rendered, Template, TextKind, Variable, VariableSource,
};
use crate::rules::Policy;

/// Reads the object `fields` of the set with this position. Their names differ by the limits that they describe,
/// and from those of the sets before it. `limits` are what is described, and the policies; without them, the
/// configuration has other errors.
#[inline(never)]
pub(super) fn header_fields(
    reader: &Reader<'_>,
    set: usize,
    limits: Option<(&Describes, &[Policy])>,
    sent: &mut SentHeaders,
) -> Option<HeaderForm> {
    let entries = reader.named_entries(headers::FIELDS.kind.allowed)?;
    if entries.is_empty() {
        return reader.error(headers::FIELDS.kind.allowed);
    }
    let scope = TemplateScope::of_limit_headers();
    let mut fields = Some(Vec::with_capacity(entries.len()));
    for (position, at) in entries.iter().enumerate() {
        let (name, value) = (at.read_name(&forms::HEADER_TEMPLATE), scope.header_value(at));
        let names = name.as_deref().zip(limits).and_then(|(name, limits)| {
            let names = names(name, limits)?;
            check(at, name, &names, limits, (set, position), sent).map(|()| names)
        });
        match (&mut fields, name, names, value) {
            (Some(fields), Some(name), Some(names), Some(value)) => {
                fields.push(LimitField::new(name, names, value));
            }
            _ => fields = None,
        }
    }
    fields.map(HeaderForm::Fields)
}

/// Checks that no other header has the names of this one.
fn check(
    at: &Reader<'_>,
    written: &str,
    names: &[((usize, usize), String)],
    (describes, policies): (&Describes, &[Policy]),
    sender: (usize, usize),
    sent: &mut SentHeaders,
) -> Option<()> {
    let is_list = HeaderForm::Fields(Vec::new()).lists_limits(describes);
    let several = policies.iter().map(|policy| policy.limit_names.len()).sum::<usize>() > 1;
    if is_list && several && names.is_empty() {
        return at.error_found("one name for several limits", "a name with {policy} or {limit_name}");
    }
    let same = names.is_empty().then_some(written);
    for name in same.into_iter().chain(names.iter().map(|(_, name)| name.as_str())) {
        if is_reserved(name) {
            let found = ["the header ", name].concat();
            return at.error_found(&found, "a name that no other response header has");
        }
        if !sent.add(name, sender, !is_list) {
            let found = ["the header ", name, " twice"].concat();
            return at.error_found(&found, DIFFERENT);
        }
    }
    Some(())
}

const DIFFERENT: &str =
    "a different name for each header; if there are several limits, by {policy} and {limit_name}";

/// The name for each limit that is described, in ascending order of their indexes; none if it is the same for all.
fn names(
    written: &str,
    (describes, policies): (&Describes, &[Policy]),
) -> Option<Vec<((usize, usize), String)>> {
    let template = Template::compile(written, TextKind::Text, &Variable::in_header_names()).ok()?;
    let mut names = Vec::new();
    if template.variables().next().is_none() {
        return Some(names);
    }
    for (p, policy) in policies.iter().enumerate() {
        for (l, limit) in policy.limit_names.iter().enumerate() {
            if describes.may_name((p, l)) {
                let mut name = template.render(&LimitNames { policy: &policy.name, limit }).into_owned();
                name.make_ascii_lowercase();
                names.push(((p, l), name));
            }
        }
    }
    Some(names)
}

/// The names of a limit and of its policy.
struct LimitNames<'a> {
    policy: &'a str,
    limit: &'a str,
}

impl VariableSource for LimitNames<'_> {
    fn render(&self, variable: Variable) -> Rendered<'_> {
        let [policy, _] = Variable::in_header_names();
        Rendered::Text(if variable == policy { self.policy } else { self.limit })
    }
}
