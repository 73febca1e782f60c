//! What replies never say.

use super::{NOTHING, warnings};

fn described(policies: &str, headers: &str) -> Vec<String> {
    let found = warnings(&format!(
        "keys: {{ ip: {{ client_ip: {{}} }}, sub: {{ metadata: [filter, sub] }} }}
policies:
{policies}
  - {{ name: sub, key: sub, limits: [{{ quota: 5, window: 1m }}] }}
headers: {headers}
"
    ));
    found.into_iter().filter(|warning| !warning.contains("nothing uses")).collect()
}

#[test]
fn a_limit_that_is_never_described_is_warned_about() {
    let two = "  - { name: all, key: ip, limits: [{ name: minute, quota: 5, window: 1m }, { name: day, quota: 90, window: 1d }] }
  - { name: writes, key: ip, match: [{ method: POST }], limits: [{ quota: 5, window: 1m }] }";
    let of = |describes: &str| described(two, &format!("{{ preset: x-ratelimit, describes: {describes} }}"));
    let writes = "headers.describes[1]: writes is never described: all/minute comes first and applies to all of its requests";
    assert_eq!(of("[all/minute, writes]"), [writes]);
    assert_eq!(of("[all/minute, all/day]").len(), 1);
    assert_eq!(of("[all/minute, sub]").len(), 1, "every request has an address");
    assert_eq!(of("[writes, all/minute]"), NOTHING);
    assert_eq!(of("[sub, all/minute]"), NOTHING);
    assert_eq!(of("most_constrained"), NOTHING);
    let ietf = |describes: &str| described(two, &format!("{{ preset: ietf, describes: {describes} }}"));
    assert_eq!(ietf("[all/minute, writes, all/day]"), NOTHING, "they are listed beside each other");
    assert_eq!(ietf("[all/minute, all/minute]").len(), 1);
}

#[test]
fn of_one_class_each_policy_may_be_described() {
    let class = "  - { name: writes, key: ip, class: kind, match: [{ method: POST }], limits: [{ quota: 5, window: 1m }] }
  - { name: reads, key: ip, class: kind, limits: [{ quota: 5, window: 1m }] }";
    let of =
        |describes: &str| described(class, &format!("{{ preset: x-ratelimit, describes: {describes} }}"));
    assert_eq!(of("[writes, reads]"), NOTHING);
    assert_eq!(of("[reads, writes]"), NOTHING, "they never apply together");
    assert_eq!(of("[reads, sub]"), NOTHING, "writes may apply in its place");
}

#[test]
fn a_variable_that_is_always_empty_is_warned_about() {
    let of = |more: &str, policy: &str| {
        warnings(&format!(
            "keys: {{ api_key: {{ header: x-key, valid: {{ unless: [401] }} }} }}
policies: [{{ name: p, key: api_key, limits: [{{ quota: 5, window: 1m, message: 'of {{policy}}' }}] {policy} }}]
{more}
"
        ))
    };
    let consumer = "{consumer} is always empty: there are no consumers";
    let tier = "{tier} is always empty: there are no tiers";
    assert_eq!(of("reject: { body: '{message} {consumer}' }", ""), [format!("reject: {consumer}")]);
    assert_eq!(of("", ", reject: { body: '{tier} {message}' }"), [format!("policies[0].reject: {tier}")]);
    let message = of("", "").len();
    assert_eq!(message, 0);
    let limit = "keys: { ip: { client_ip: {} } }
policies: [{ name: p, key: ip, limits: [{ quota: 5, window: 1m, message: 'for {tier}' }] }]
";
    assert_eq!(warnings(limit), [format!("policies[0].limits[0].message: {tier}")]);
    let callers = "tiers: { names: [free, pro], default: free }
consumers: [{ name: acme, keys: { api_key: ['sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'] }, tier: pro }]
reject: { body: '{message} {consumer} {tier}' }";
    assert_eq!(of(callers, ""), NOTHING);
}
