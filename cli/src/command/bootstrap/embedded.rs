//! A policy, as text, inside an Envoy configuration.

use crate::policy_file::PolicyFile;

/// The lines of the policy for the Envoy configuration: YAML unchanged, so that its comments are kept; JSON
/// as one string.
pub(super) fn policy_lines(text: &str, json: bool) -> Box<dyn Iterator<Item = String> + '_> {
    if json {
        return Box::new(std::iter::once(format!("\"{}\"", escaped(text.trim()))));
    }
    // A document inside another one must not have markers of its start and end.
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let lines = text.lines().filter(|line| !line.starts_with('%'));
    let lines = lines.take_while(|line| !line.starts_with("..."));
    Box::new(lines.map(|line| line.strip_prefix("---").unwrap_or(line).to_string()))
}

/// The text of a policy with `access_log: true` before its first field. `None`: it sets that field itself, or
/// is written so that there is no place for it.
pub(super) fn with_access_log(name: &str, text: &str) -> Option<String> {
    let (before, after) = text.split_at(start_of_fields(text)?);
    let line = after.lines().next()?;
    let indent = line.get(..line.len() - line.trim_start().len())?;
    let added = match after.split_once('{').filter(|(start, _)| matches!(start.trim(), "" | "---")) {
        Some((start, fields)) => format!("{before}{start}{{\"access_log\": true, {fields}"),
        None => format!("{before}{indent}access_log: true\n{after}"),
    };
    logs(name, &added).then_some(added)
}

/// Where the first line begins that is neither blank, a comment, a directive nor the marker of a start.
fn start_of_fields(text: &str) -> Option<usize> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim_start_matches('\u{FEFF}').trim();
        if !(content.is_empty() || content == "---" || content.starts_with(['#', '%'])) {
            return Some(at);
        }
        at += line.len();
    }
    None
}

/// Whether a text is a policy whose decisions are logged.
fn logs(name: &str, text: &str) -> bool {
    let file = PolicyFile::read(name, text);
    let policy = file.ok().and_then(|file| file.policies.into_iter().next());
    policy.and_then(|policy| policy.compile().ok()).is_some_and(|set| set.replies.access_log.is_some())
}

pub(super) fn indented(indent: &str, line: &str) -> String {
    if line.is_empty() { "\n".into() } else { format!("{indent}{line}\n") }
}

/// Escaped for double quotes in YAML and JSON.
pub(super) fn escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.get(1..quoted.len() - 1).unwrap_or_default().to_string()
}
