//! Texts that match less than they seem to: regular expressions and escapes in patterns, and paths that are
//! matched only as they are written.

use super::Warning;
use tollgate::compile::Configuration;
use tollgate::config::field_path;
use tollgate::http::{PathTemplate, Pattern, Spellings};
use tollgate::rules::{NamedPattern, RequestMatch};

pub(super) fn warn_patterns(set: &Configuration, warnings: &mut Vec<Warning>) {
    let warn_match = |rule: &RequestMatch, path: &str, warnings: &mut Vec<Warning>| {
        for NamedPattern { field, name, pattern, is_decoded, .. } in rule.patterns(&set.rules.callers.keys) {
            if let Some(message) = looks_otherwise(pattern, is_decoded) {
                let at = format!("{path}.{field}");
                let at = if name.is_empty() { at } else { field_path(&at, name) };
                warnings.push(Warning::new(at, message));
            }
        }
    };
    for (i, rule) in set.rules.exempt.iter().enumerate() {
        warn_match(rule, &format!("exempt[{i}]"), warnings);
    }
    for (i, policy) in set.rules.policies.iter().enumerate() {
        let path = |field: &str, n: usize| format!("policies[{i}].{field}[{n}]");
        policy.judged().enumerate().for_each(|(n, rule)| warn_match(rule, &path("match", n), warnings));
        policy.except.iter().enumerate().for_each(|(n, rule)| warn_match(rule, &path("except", n), warnings));
        let returns = policy.response.return_matches().enumerate();
        returns.for_each(|(n, rule)| warn_match(rule, &path("returns", n), warnings));
    }
}

/// What is wrong with a pattern, if it looks like something else. `decoded`: values are decoded before they
/// are matched.
fn looks_otherwise(pattern: &Pattern, decoded: bool) -> Option<&'static str> {
    if is_regular_expression(pattern) {
        return Some("it looks like a regular expression, but only * is special");
    }
    if decoded && has_escape(pattern.text()) {
        return Some("it has a percent-escape, but values are matched decoded; write the character itself");
    }
    if pattern.text().contains("%REQ(") {
        return Some("Envoy's %…% is not filled in here; it is matched as it is written");
    }
    None
}

fn is_regular_expression(pattern: &Pattern) -> bool {
    let (written, text) = (pattern.to_string(), pattern.text());
    let alternatives = text.find('(').is_some_and(|at| {
        let inside = text.get(at..).unwrap_or_default();
        inside.split(')').next().is_some_and(|inside| inside.contains('|')) && inside.contains(')')
    });
    text.starts_with('^')
        || text.ends_with('$')
        || alternatives
        || [".*", "]*", "[0-9]", "[a-z]", "[A-Z]", "[^"].iter().any(|part| written.contains(part))
        || [".+", "]+", "\\d", "\\w", "\\S", "\\."].iter().any(|part| text.contains(part))
}

fn has_escape(text: &str) -> bool {
    let is_hex = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_hexdigit);
    text.bytes().enumerate().any(|(at, byte)| byte == b'%' && is_hex(at + 1) && is_hex(at + 2))
}

/// Spellings of a limited path that are not limited. Most upstreams answer some of them alike, and where they
/// do not, limiting them costs nothing.
pub(super) fn warn_spellings(set: &Configuration, warnings: &mut Vec<Warning>) {
    let paths = set.rules.policies.iter().flat_map(|policy| policy.judged());
    let paths: Vec<&PathTemplate> = paths.filter_map(RequestMatch::path).collect();
    let named = |path: &&&PathTemplate| path.has_letters();
    let any = paths.iter().find(named);
    let closed = paths.iter().filter(named).find(|path| !path.is_open());
    let Spellings { trailing_slash, case, parameters, suffix: _ } = set.rules.routes.spellings();
    let strict = [
        ("trailing_slash", closed.filter(|_| !trailing_slash)),
        ("case", any.filter(|_| !case)),
        ("parameters", any.filter(|_| !parameters)),
    ];
    for (field, path) in strict {
        let Some(path) = path.map(ToString::to_string) else { continue };
        let path = path.trim_end_matches("/**");
        let other = match field {
            "case" => path.to_ascii_uppercase(),
            "parameters" => format!("{path};x"),
            _ => format!("{path}/"),
        };
        let message = format!("{path} is limited, but {other} is not; many upstreams answer both alike");
        warnings.push(Warning::new(format!("paths.{field}"), message));
    }
}
