//! Callers that get a fresh start: entries that have no effect any more, and secrets in clear text.

use super::Warning;
use tollgate::compile::Configuration;
use tollgate::config::Value;
use tollgate::language::forgive;
use tollgate::limiter::{Limit, can_be_forgiven, memory_of};
use tollgate::time::{Micros, parse_instant};

/// Warnings about the entries of a configuration, at a time since the UNIX epoch.
pub(super) fn warn_entries(set: &Configuration, value: &Value, now: Micros) -> Vec<Warning> {
    let entries = match value.get("forgive") {
        Some(Value::List(entries)) => entries.as_slice(),
        Some(_) | None => &[],
    };
    let warnings = entries.iter().enumerate().flat_map(|(i, entry)| {
        let path = format!("forgive[{i}]");
        let old = is_over(set, entry, now).then(|| {
            let message = "this entry has no effect any more: what was counted before has left all windows; remove it";
            Warning::new(format!("{path}.{}", forgive::BEFORE.name), message)
        });
        let secret = shows_a_secret(set, entry).then(|| {
            let message = "a credential in clear text; use the digest that tollgate forgive or tollgate hash prints, with sha256";
            Warning::new(format!("{path}.{}", forgive::VALUE.name), message)
        });
        [old, secret].into_iter().flatten()
    });
    warnings.collect()
}

fn text<'v>(entry: &'v Value, field: &str) -> Option<&'v str> {
    match entry.get(field) {
        Some(Value::Text(text)) => Some(text),
        Some(_) | None => None,
    }
}

/// Whether all that was counted before the entry's instant is surely gone.
fn is_over(set: &Configuration, entry: &Value, now: Micros) -> bool {
    let Some(before) = text(entry, forgive::BEFORE.name).and_then(parse_instant) else { return false };
    let policy = text(entry, forgive::POLICY.name);
    let policies = set.rules.policies.iter().filter(|one| policy.is_none_or(|name| one.name == name));
    let limits =
        policies.flat_map(|policy| policy.limits().iter().enumerate().map(move |limit| (policy, limit)));
    let is_meant = |name: Option<&String>, limit: &Limit| {
        limit.is_penalty()
            || text(entry, forgive::LIMIT.name).is_none_or(|own| name.is_some_and(|name| name == own))
    };
    let longest = limits
        .filter(|(policy, (i, limit))| is_meant(policy.limit_names.get(*i), limit) && can_be_forgiven(limit));
    let longest = longest.map(|(_, (_, limit))| memory_of(limit)).max();
    longest.is_some_and(|longest| before.saturating_add(longest) <= now)
}

fn shows_a_secret(set: &Configuration, entry: &Value) -> bool {
    let key = text(entry, forgive::KEY.name);
    let key = set.rules.callers.keys.iter().find(|one| Some(one.name.as_str()) == key);
    let is_text = entry.get(forgive::VALUE.name).is_some();
    is_text && key.is_some_and(|key| key.source.kind().secret && key.can_be_made_up())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate::compile::compile;

    fn warned(entry: &str, now: &str) -> Vec<String> {
        let json = format!(
            r#"{{"keys": {{"key": {{"header": "x-api-key"}}, "ip": {{"client_ip": {{}}}}}}, "policies": [
                {{"name": "p", "key": ["key", "ip"], "limits": [
                    {{"name": "hour", "quota": 1, "window": "1h"}}, {{"name": "day", "quota": 1, "window": "1d"}}]}}],
                "forgive": [{{{entry}, "before": "2026-05-01T00:00:00Z"}}]}}"#
        );
        let value = tollgate::config::parse(json.as_bytes()).unwrap();
        let set = compile(&value).unwrap();
        warn_entries(&set, &value, parse_instant(now).unwrap())
            .into_iter()
            .map(|warning| warning.path)
            .collect()
    }

    #[test]
    fn an_entry_that_has_no_effect_any_more_is_named() {
        let hour = r#""key": "ip", "value": "192.0.2.7", "policy": "p", "limit": "hour""#;
        assert_eq!(warned(hour, "2026-05-01T01:59:59Z"), [""; 0]);
        assert_eq!(warned(hour, "2026-05-01T02:00:00Z"), ["forgive[0].before"]);
        let all = r#""key": "ip", "value": "192.0.2.7""#;
        assert_eq!(warned(all, "2026-05-02T23:59:59Z"), [""; 0]);
        assert_eq!(warned(all, "2026-05-03T00:00:00Z"), ["forgive[0].before"]);
        assert_eq!(warned(all, "2026-04-03T00:00:00Z"), [""; 0], "it is not yet time");
    }

    #[test]
    fn and_a_credential_in_clear_text() {
        assert_eq!(
            warned(r#""key": "key", "value": "s3cret""#, "2026-05-01T00:00:00Z"),
            ["forgive[0].value"]
        );
    }
}
