//! Differences, and that none is forgotten.

use super::*;
use crate::document::{Document, Syntax};
use tollgate::compile::compile;

const BASE: &str = "
keys:
  api_key: { header: authorization, scheme: Bearer }
  client_ip: { client_ip: {} }
  caller: { first_of: [api_key, client_ip] }
tiers: { names: [free, pro], default: free }
consumers:
  - { name: acme, keys: { api_key: [secret-of-acme] }, tier: pro, attributes: { company: c1 } }
  - { name: bulk, keys: { api_key: [secret-of-bulk] }, quotas: { api/minute: 900 } }
policies:
  - name: api
    key: caller
    limits:
      - { name: minute, quota: { free: 10, pro: 100 }, window: 60s }
      - { name: month, quota: 5000, window: month }
  - { name: login, key: client_ip, match: [{ method: POST, path: /login }], limits: [{ quota: 5, window: 10m }] }
reject: { status: 429 }
";

fn side(text: &str) -> (Value, Configuration) {
    let value = Document::read(text, Syntax::Yaml).unwrap().value;
    let set = compile(&value).unwrap_or_else(|errors| panic!("{errors}\n{text}"));
    (value, set)
}

fn of(old: &str, new: &str) -> Diff {
    let ((old_value, old_set), (new_value, new_set)) = (side(old), side(new));
    diff(Side { value: &old_value, set: &old_set }, Side { value: &new_value, set: &new_set })
}

/// What changes if this text of the base becomes another.
fn changed(from: &str, to: &str) -> Diff {
    assert!(BASE.contains(from), "{from}");
    of(BASE, &BASE.replace(from, to))
}

/// Its only change.
fn only(diff: &Diff) -> (Severity, &str, &str) {
    let [change] = diff.changes.as_slice() else { panic!("{:#?}", diff.changes) };
    (change.severity, &change.subject, &change.what)
}

fn fate<'a>(diff: &'a Diff, limit: &str) -> &'a Fate {
    &diff.counts.iter().find(|one| one.limit == limit).unwrap().fate
}

#[test]
fn a_policy_and_itself_have_no_difference() {
    let diff = of(BASE, BASE);
    assert!(diff.is_empty());
    assert!(diff.counts.iter().all(|one| one.fate == Fate::Kept), "{:?}", diff.counts);
}

#[test]
fn a_window_that_is_only_written_differently_is_no_change_beside_another_quota() {
    let diff = changed("quota: 5, window: 10m", "quota: 4, window: 600s");
    assert_eq!(only(&diff), (Severity::Stricter, "login/limit", "quota is 4; before: 5"));
}

#[test]
fn what_is_written_differently_and_means_the_same_is_no_difference() {
    for (from, to) in [
        ("window: 60s", "window: 1m"),
        ("window: 60s", "window: 60s, algorithm: sliding_window"),
        ("reject: { status: 429 }", ""),
        ("quota: 5,", "quota: { free: 5, pro: 5 },"),
        ("key: caller", "key: [caller]"),
    ] {
        let diff = changed(from, to);
        assert!(diff.is_empty(), "{from} → {to}: {:?}", diff.changes);
    }
}

#[test]
fn a_lowered_quota_rejects_at_once_and_keeps_the_counts() {
    let diff = changed("free: 10", "free: 5");
    assert_eq!(only(&diff), (Severity::Stricter, "api/minute", "quota is 5; before: 10"));
    assert_eq!(diff.changes[0].follows, "callers who have already used 5 or more are rejected at once");
    assert_eq!(fate(&diff, "api/minute"), &Fate::Kept);
}

#[test]
fn the_quota_of_a_tier_or_a_consumer_is_told_for_whom() {
    let diff = changed("pro: 100", "pro: unlimited");
    let what = "for the tier pro its quota is unlimited; before: 100";
    assert_eq!(only(&diff), (Severity::Looser, "api/minute", what));
    let diff = changed("api/minute: 900", "api/minute: 90");
    let all: Vec<_> = diff.changes.iter().map(|change| change.what.as_str()).collect();
    assert!(all.contains(&"for the consumer bulk its quota is 90; before: 900"), "{all:?}");
}

#[test]
fn another_algorithm_begins_at_zero_and_a_longer_window_does_not() {
    let diff = changed("window: 60s", "window: 60s, algorithm: fixed_window");
    assert_eq!(diff.changes[0].severity, Severity::Anew);
    assert_eq!(fate(&diff, "api/minute"), &Fate::Anew("another algorithm".into()));
    let diff = changed("window: 60s", "window: 2m");
    let expected = (Severity::Stricter, "api/minute", "its window is 2 min; before: 60 s");
    assert_eq!(only(&diff), expected);
    assert_eq!(fate(&diff, "api/minute"), &Fate::Kept);
}

#[test]
fn what_looks_renamed_begins_anew() {
    let diff = changed("name: login", "name: logins");
    assert_eq!(only(&diff), (Severity::Anew, "logins", "looks renamed: it was login"));
    assert_eq!(fate(&diff, "logins/limit"), &Fate::New);
    let diff = changed("name: month", "name: monthly");
    assert_eq!(only(&diff), (Severity::Anew, "api/monthly", "looks renamed: it was api/month"));
}

#[test]
fn another_key_begins_anew_and_one_alternative_less_only_for_its_callers() {
    let diff = changed("key: caller", "key: client_ip");
    let what = "callers are counted by client_ip; before: by caller";
    assert_eq!(only(&diff), (Severity::Anew, "api", what));
    assert!(
        matches!(fate(&diff, "api/minute"), Fate::Partly(who) if who.contains("api_key")),
        "{:?}",
        diff.counts
    );
    let diff = changed("key: client_ip, match", "key: api_key, match");
    assert_eq!(fate(&diff, "login/limit"), &Fate::Anew("counted by another key".into()));
    let diff = changed("scheme: Bearer }", "scheme: Bearer, prefix: 16 }");
    assert!(
        matches!(fate(&diff, "api/minute"), Fate::Partly(who) if who.starts_with("api_key is read differently"))
    );
}

#[test]
fn another_table_needs_a_restart_and_comes_first() {
    let diff = changed("reject: { status: 429 }", "reject: { status: 503 }\ntable: { pages: 7 }");
    assert_eq!(diff.changes[0].severity, Severity::Restart);
    assert_eq!(diff.changes[0].subject, "table.pages");
    assert_eq!(diff.changes.last().unwrap().severity, Severity::Clients);
}

#[test]
fn a_policy_in_shadow_rejects_nobody_and_an_enforced_one_does() {
    let shadow = BASE.replace("key: client_ip, match", "mode: shadow, key: client_ip, match");
    let diff = of(&shadow, BASE);
    assert_eq!(only(&diff).0, Severity::Stricter);
    let diff = of(BASE, &shadow);
    assert_eq!(
        only(&diff),
        (Severity::Looser, "login", "is in shadow, and rejects nobody; before: is enforced")
    );
}

#[test]
fn no_credential_is_shown() {
    for (from, to) in [
        ("secret-of-acme", "secret-of-another"),
        (
            "  - { name: acme, keys: { api_key: [secret-of-acme] }, tier: pro, attributes: { company: c1 } }\n",
            "",
        ),
        ("name: bulk", "name: other"),
    ] {
        let (one, other) = (changed(from, to), of(&BASE.replace(from, to), BASE));
        for diff in [one, other] {
            assert!(!diff.is_empty());
            assert!(!format!("{diff:?}").contains("secret-of"), "{diff:?}");
        }
    }
}

/// Fields whose effect on requests is tried nowhere else.
#[test]
fn every_other_field_is_a_difference() {
    let fleet = "fleet: { cluster: c, name: shop }\n";
    let with_fleet = BASE.to_owned() + fleet;
    let differs = |old: &str, new: &str| assert!(!of(old, new).is_empty(), "{old}\n{new}");
    for (from, to) in [
        ("header: authorization, scheme: Bearer", "header: x-key"),
        ("scheme: Bearer", "scheme: Token"),
        ("scheme: Bearer }", "scheme: Bearer, repeated: last }"),
        ("scheme: Bearer }", "scheme: Bearer, valid: consumer }"),
        ("client_ip: {} }", "client_ip: { ipv6_prefix: 48 } }"),
        ("client_ip: {} }", "client_ip: { ipv4_prefix: 24 } }"),
        ("[api_key, client_ip]", "[client_ip, api_key]"),
        ("tiers: { names: [free, pro], default: free }", "tiers: { names: [free, pro], default: pro }"),
        ("default: free }", "default: free, client_ip: { pro: [192.0.2.0/24] } }"),
        ("tier: pro, attr", "tier: free, attr"),
        ("company: c1", "company: c2"),
        ("name: acme", "name: acme2"),
        ("{ status: 429 }", "{ status: 503 }"),
        ("{ status: 429 }", "{ format: problem }"),
        ("{ status: 429 }", "{ body: nothing }"),
        ("{ status: 429 }", "{ content_type: text/html, body: nothing }"),
        ("{ status: 429 }", "{ message: Later }"),
        ("{ status: 429 }", "{ code: slow, body: '{code}' }"),
        ("{ status: 429 }", "{ headers: { x-a: b } }"),
        ("{ status: 429 }", "{ envoy_ratelimited: true }"),
        ("name: login, key", "name: login, reject: { message: Later }, key"),
        ("reject:", "table: { page_bytes: 3000 }\nreject:"),
        ("reject:", "headers: { preset: x-ratelimit, describes: api/minute }\nreject:"),
        (
            "policies:\n  - name: api",
            "policies:\n  - { name: more, key: client_ip, limits: [{ quota: 1, window: 1s }] }\n  - name: api",
        ),
    ] {
        let new = BASE.replace(from, to);
        assert!(BASE.contains(from), "{from}");
        differs(BASE, &new);
        differs(&new, BASE);
    }
    let with_tier = BASE.replace("pro]", "pro, more]").replace("pro: 100", "pro: 100, more: 1000");
    differs(BASE, &with_tier);
    let with_claim = BASE.replace("  caller:", "  who: { metadata: [a, b] }\n  caller:");
    differs(&with_claim, &format!("{with_claim}consumer_name: who\n"));
    differs(BASE, &with_fleet);
    for (from, to) in
        [("cluster: c", "cluster: d"), ("name: shop", "name: other"), ("shop }", "shop, timeout: 20ms }")]
    {
        differs(&with_fleet, &with_fleet.replace(from, to));
    }
}

#[test]
fn no_policy_of_the_repository_differs_from_itself() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../envoy/policies");
    let files = [folder.clone(), folder.join("published")].into_iter().flat_map(std::fs::read_dir).flatten();
    let files = files.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let mut texts: Vec<String> = Vec::new();
    for path in files.filter(|path| !path.to_string_lossy().contains(".test.")) {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(of(&text, &text).is_empty(), "{}", path.display());
        texts.push(text);
    }
    assert!(texts.len() > 25, "{}", texts.len());
    for pair in texts.windows(2) {
        assert!(!of(&pair[0], &pair[1]).is_empty());
    }
}

#[test]
fn another_table_has_none_of_the_counts() {
    let named = |name: &str, pages: u32| format!("{BASE}table: {{ name: {name}, pages: {pages} }}\n");
    for (old, new) in [
        (named("a", 64), named("b", 64)),
        (BASE.into(), named("b", 16_384)),
        (named("a", 16_384), BASE.into()),
    ] {
        let diff = of(&old, &new);
        let (severity, subject, _) = only(&diff);
        assert_eq!((severity, subject), (Severity::Anew, "table.name"));
        assert!(diff.counts.iter().all(|one| matches!(one.fate, Fate::Anew(_))), "{:?}", diff.counts);
    }
    // Of a table of its own the size is free.
    let diff = of(&named("a", 64), &named("b", 128));
    assert!(diff.changes.iter().all(|one| one.severity != Severity::Restart), "{:?}", diff.changes);
}

#[test]
fn who_is_forgiven_is_told_without_its_credential() {
    let with = |entry: &str| format!("{BASE}forgive:\n  - {{ {entry}, before: \"2026-11-29T10:00:00Z\" }}\n");
    let entry = with("key: api_key, value: secret-of-someone, policy: api");
    let new = of(BASE, &entry);
    let (severity, subject, what) = only(&new);
    assert_eq!((severity, subject), (Severity::Looser, "forgive"));
    assert!(what.starts_with("also api_key \"secr…\" (17 bytes), policy api, before 2026-"), "{what}");
    let old = of(&entry, BASE);
    let (severity, _, what) = only(&old);
    assert_eq!(severity, Severity::Operators);
    assert!(what.starts_with("no longer api_key \"secr…\""), "{what}");
    let address = of(BASE, &with("key: client_ip, value: 192.0.2.7"));
    assert!(only(&address).2.starts_with("also client_ip 192.0.2.7, before "), "{:?}", address.changes);
}
