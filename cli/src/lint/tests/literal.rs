//! Texts that match less than they seem to.

use super::{NOTHING, limits, warnings};

#[test]
fn a_pattern_that_looks_like_a_regular_expression_is_warned_about() {
    let of = |values: &str| limits("{ quota: 5, window: 1m }", &format!("    match: [{{ {values} }}]\n"));
    for text in ["^Bearer", "Bearer .*", "v1$", "(a|b)", "[0-9]+", "*[a-z]*", "\\d+"] {
        let found = of(&format!("headers: {{ x-a: '{text}' }}"));
        assert_eq!(
            found,
            ["policies[0].match[0].headers.x-a: it looks like a regular expression, but only * is special"],
            "{text}"
        );
    }
    for text in [
        "Bearer sk_live_*",
        "sk_*_live",
        "Mozilla/5.0 (*) AppleWebKit/*",
        "*bot*",
        "Mozilla/5.0 (X11; Linux)",
        "a.b",
        "100%",
        "C++",
        "a|b",
        "$5",
        "text/html; q=0.9",
    ] {
        assert_eq!(of(&format!("headers: {{ x-a: '{text}' }}")), NOTHING, "{text}");
    }
    let listed = of("headers: { x-a: [b, '^c'] }");
    assert_eq!(
        listed,
        ["policies[0].match[0].headers.x-a: it looks like a regular expression, but only * is special"]
    );
    assert_eq!(
        of("route: '^api'"),
        ["policies[0].match[0].route: it looks like a regular expression, but only * is special"]
    );
    let escape = "it has a percent-escape, but values are matched decoded; write the character itself";
    assert_eq!(of("query: { q: 'a%20b' }"), [format!("policies[0].match[0].query.q: {escape}")]);
    assert_eq!(of("cookies: { c: 'a%3D' }"), [format!("policies[0].match[0].cookies.c: {escape}")]);
    assert_eq!(of("query: { q: '100%' }"), NOTHING);
    assert_eq!(of("headers: { x-a: 'a%20b' }"), NOTHING, "headers are not decoded");
    assert_eq!(of("headers: { x-a: '%REQ(x-b)%' }").len(), 1);
    let of = |key: &str, text: &str| {
        warnings(&format!(
            "keys: {{ ip: {{ client_ip: {{}} }}, k: {{ {key} }} }}
policies: [{{ name: p, key: ip, match: [{{ keys: {{ k: '{text}' }} }}], limits: [{{ quota: 5, window: 1m }}] }}]"
        ))
    };
    let regular = "policies[0].match[0].keys.k: it looks like a regular expression, but only * is special";
    assert_eq!(of("metadata: [auth, roles]", "team-.*"), [regular]);
    assert_eq!(of("query: k", "a%20b"), [format!("policies[0].match[0].keys.k: {escape}")]);
    for (key, text) in [("metadata: [auth, roles]", "team-*"), ("metadata: [auth, url]", "a%20b")] {
        assert_eq!(of(key, text), NOTHING, "{key} {text}");
    }
}

#[test]
fn patterns_are_looked_at_wherever_there_is_a_match() {
    let value = "{ headers: { x-a: '^b' } }";
    let found = limits(
        "{ quota: 5, window: 1m }",
        &format!(
            "    match: [{{ method: POST }}]\n    except: [{value}]\n    returns: [{value}]\nexempt: [{value}]\n"
        ),
    );
    let paths: Vec<_> = found.iter().filter_map(|warning| warning.split(": ").next()).collect();
    assert_eq!(
        paths,
        ["exempt[0].headers.x-a", "policies[0].except[0].headers.x-a", "policies[0].returns[0].headers.x-a"]
    );
}

#[test]
fn other_spellings_of_a_limited_path_are_warned_about_unless_they_are_limited_too() {
    let of = |rule: &str, paths: &str| {
        limits("{ quota: 5, window: 1m }", &format!("    match: [{{ {rule} }}]\npaths: {{ {paths} }}\n"))
    };
    let alike = "many upstreams answer both alike";
    assert_eq!(
        of("path: /v1/login", "trailing_slash: strict, case: strict, parameters: strict, suffix: strict"),
        [
            format!("paths.trailing_slash: /v1/login is limited, but /v1/login/ is not; {alike}"),
            format!("paths.case: /v1/login is limited, but /V1/LOGIN is not; {alike}"),
            format!("paths.parameters: /v1/login is limited, but /v1/login;x is not; {alike}"),
        ]
    );
    assert_eq!(of("path: /login", ""), NOTHING);
    assert_eq!(of("path: /login", "suffix: strict"), NOTHING);
    assert_eq!(of("path: /login/**", "trailing_slash: strict"), NOTHING);
    assert_eq!(of("method: POST", "case: strict"), NOTHING, "no path is limited");
    assert_eq!(of("path: '/*'", "case: strict"), NOTHING);
}
