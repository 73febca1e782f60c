//! Compiles limit headers whose names and values are templates.

use super::header_names::{SentHeaders, is_reserved};
use super::template::TemplateScope;
use crate::config::{Reader, all};
use crate::language::{forms, headers};
use crate::reply::{
    Describes, HeaderForm, LimitField, Rendered, Template, TextKind, Variable, VariableSource,
};
use crate::rules::Policy;

/// Reads the object `fields`, each with the name as it is written and the template of its value.
#[inline(never)]
pub(super) fn written_fields<'a>(reader: &Reader<'a>) -> Option<Vec<(Reader<'a>, String, Template)>> {
    let entries = reader.named_entries(headers::FIELDS.kind.allowed)?;
    if entries.is_empty() {
        return reader.error(headers::FIELDS.kind.allowed);
    }
    let scope = TemplateScope::of_limit_headers();
    all(entries.into_iter().map(|entry| {
        let (name, value) = (entry.read_name(&forms::HEADER_TEMPLATE), scope.header_value(&entry));
        Some((entry.clone(), name?, value?))
    }))
}

/// The headers of one set, whose names differ by the limits that they describe, and from those of the sets
/// before it.
#[inline(never)]
pub(super) fn fields(
    written: Vec<(Reader<'_>, String, Template)>,
    (set, describes): (usize, &Describes),
    policies: &[Policy],
    sent: &mut SentHeaders,
) -> Option<HeaderForm> {
    let is_list = HeaderForm::Fields(Vec::new()).lists_limits(describes);
    let several = policies.iter().map(|policy| policy.limit_names.len()).sum::<usize>() > 1;
    all(written.into_iter().enumerate().map(|(position, (at, name, value))| {
        let names = names(&name, describes, policies)?;
        let field = LimitField::new(name, names, value);
        let mut is_valid = true;
        let is_one_name = is_list && several && field.names().all(|(limit, _)| limit.is_none());
        if is_one_name {
            at.error_found::<()>("one name for several limits", "a name with {policy} or {limit_name}")?;
        }
        for (_, name) in field.names() {
            if is_reserved(name) {
                let found = ["the header ", name].concat();
                is_valid = at.error_found(&found, "a name that no other response header has")?;
            } else if !sent.add(name, (set, position), !is_list) {
                let found = ["the header ", name, " twice"].concat();
                let allowed = "a different name for each header; if there are several limits, by {policy} and {limit_name}";
                is_valid = at.error_found(&found, allowed)?;
            }
        }
        is_valid.then_some(field)
    }))
    .map(HeaderForm::Fields)
}

/// The name for each limit that is described, in ascending order of their indexes; none if it is the same for all.
fn names(written: &str, describes: &Describes, policies: &[Policy]) -> Option<Vec<((usize, usize), String)>> {
    let template = Template::compile(written, TextKind::Text, &Variable::in_header_names()).ok()?;
    let mut names = Vec::new();
    if template.variables().next().is_none() {
        return Some(names);
    }
    for (p, policy) in policies.iter().enumerate() {
        let limits = policy.limit_names.iter().enumerate();
        for (l, limit) in limits.filter(|(l, _)| describes.may_name((p, *l))) {
            let source = LimitNames { policy: &policy.name, limit };
            names.push(((p, l), template.render(&source).to_ascii_lowercase()));
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
