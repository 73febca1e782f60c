//! Quotas that are unlimited or 0, shares and schedules, in descriptions and explanations.

use super::*;

const POLICY: &str = r#"keys:
  plan: { header: x-plan }
tiers: { names: [free, pro, internal, none], default: free, from: plan }
consumers: []
policies:
  - name: api
    key: plan
    limits:
      - { name: minute, quota: { free: 10, pro: unlimited, internal: unlimited, none: 0 }, window: 1m }
      - { name: day, quota: { free: unlimited, pro: 500, internal: unlimited, none: 7 }, window: 1d }
  - name: closed
    key: plan
    match: [{ path: /closed }]
    limits: [{ quota: 0, window: 1m }]
  - name: office
    key: plan
    enforce: 25%
    schedule:
      - { days: [mon, tue, wed, fri, sun], from: "09:00", to: "17:30", time_zone: Europe/Madrid }
      - { days: [sat] }
      - { from: "23:00", to: "01:00" }
    limits: [{ quota: 3, window: 1m }]
headers: { preset: ietf }
"#;

fn ran(name: &str, arguments: &[&str]) -> String {
    let path = file(name, POLICY);
    let arguments: Vec<&str> =
        arguments.iter().map(|one| if *one == "FILE" { path.to_str().unwrap() } else { one }).collect();
    tollgate(&arguments).stdout
}

#[test]
fn check_says_whose_quota_is_unlimited_or_0_and_when_a_policy_applies() {
    let out = ran("quotas-check.yaml", &["check", "FILE"]);
    for line in [
        "minute: at most 10 in any 60 s (unlimited for pro, unlimited for internal, none for none)",
        "day: unlimited (at most 500 in any 24 h for pro, at most 7 in any 24 h for none)",
        "none: every request is rejected",
        "enforced for 25 % of its callers, in shadow for the others",
        "only mon to wed, fri, sun 09:00 to 17:30 (Europe/Madrid), sat (UTC), every day 23:00 to 01:00 (UTC)",
    ] {
        assert!(out.contains(line), "{line}:\n{out}");
    }
}

#[test]
fn explain_says_why_no_limit_holds_and_which_ones_exclude_the_caller() {
    let at = ["--at", "2026-05-14T12:00:00Z"]; // a Thursday
    let with = |name, target: &str, plan: &str| {
        let header = format!("x-plan: {plan}");
        ran(name, &["explain", "FILE", target, "-H", &header, at[0], at[1]])
    };
    let pro = with("quotas-pro.yaml", "/", "pro");
    assert!(pro.contains("day: unlimited (at most 500 in any 24 h for pro, at most 7 in any 24 h for none): admits, 499 of 500 left"), "{pro}");
    assert!(!pro.contains("minute:"), "{pro}");
    assert!(pro.contains("office  does not apply: it is outside its schedule"), "{pro}");
    let internal = with("quotas-internal.yaml", "/", "internal");
    assert!(
        internal.contains("api     has no limits for plan \"inte…\" (8 bytes), and counts nothing"),
        "{internal}"
    );
    let none = with("quotas-none.yaml", "/", "none");
    assert!(
        none.contains("api     rejects every request of plan \"no…\" (4 bytes), and counts none"),
        "{none}"
    );
    assert!(none.contains("rejects, 0 of 0 left\n"), "{none}");
    assert!(!none.contains("retry-after"), "{none}");
    let closed = with("quotas-closed.yaml", "/closed", "free");
    assert!(closed.contains("closed  rejects every request of plan \"fr…\" (4 bytes)"), "{closed}");
    let friday = ["explain", "FILE", "/", "-H", "x-plan: internal", "--at", "2026-05-15T12:00:00Z"];
    let open = ran("quotas-open.yaml", &friday);
    assert!(
        open.contains(
            "enforced for 25 % of its callers, in shadow for the others; this shows one of the former"
        ),
        "{open}"
    );
}

#[test]
fn json_has_who_is_excluded_and_the_share() {
    let of = |name, plan: &str| {
        let header = format!("x-plan: {plan}");
        let arguments = ["explain", "FILE", "/", "-H", &header, "--json", "--at", "2026-05-15T12:00:00Z"];
        json(&ran(name, &arguments))[0]["policies"].clone()
    };
    let internal = of("quotas-json-internal.yaml", "internal");
    assert_eq!(internal[0]["applies"], "unlimited");
    assert_eq!(internal[0]["limits"], serde_json::json!([]));
    assert_eq!(internal[2]["enforced_percent"], 25);
    let none = of("quotas-json-none.yaml", "none");
    assert_eq!(none[0]["applies"], "excludes");
    assert_eq!(
        (&none[0]["limits"][0]["quota"], &none[0]["limits"][0]["admitted"]),
        (&0.into(), &false.into())
    );
}
