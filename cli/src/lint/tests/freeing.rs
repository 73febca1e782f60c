//! Warnings about rules that free more than they seem to.

use super::{NOTHING, limits, warnings};

fn exempt(rule: &str) -> Vec<String> {
    limits("{ quota: 5, window: 1m }", &format!("exempt: [{rule}]\n"))
}

#[test]
fn a_rule_that_frees_by_a_value_that_clients_can_leave_out_is_warned_about() {
    let expected = |at: &str, name: &str| {
        format!(
            "{at}: not also holds without a value, so any client can free itself by leaving {name} out; name the values that are free"
        )
    };
    assert_eq!(
        exempt("{ query: { plan: { not: [free, basic] } } }"),
        [expected("exempt[0].query.plan", "plan")]
    );
    assert_eq!(exempt("{ headers: { x-a: { not: b } } }"), [expected("exempt[0].headers.x-a", "x-a")]);
    assert_eq!(exempt("{ cookies: { c: { not: 'b*' } } }"), [expected("exempt[0].cookies.c", "c")]);
    for rule in [
        "{ query: { plan: [free, basic] } }",
        "{ query: { plan: { min: 1 } } }",
        "{ route: { not: web } }",
        "{ host: { not: a.example.com }, method: { not: POST } }",
    ] {
        assert_eq!(exempt(rule), NOTHING, "{rule}");
    }
    let matched = "    match: [{ query: { plan: { not: free } } }]\n";
    assert_eq!(limits("{ quota: 5, window: 1m }", matched), NOTHING, "it limits");
    let excepted = "    except: [{ query: { plan: { not: free } } }]\n";
    let excepted = limits("{ quota: 5, window: 1m }", excepted);
    assert_eq!(excepted, [expected("policies[0].except[0].query.plan", "plan")]);
    let by_key = |key: &str| {
        warnings(&format!(
            "keys: {{ ip: {{ client_ip: {{}} }}, k: {key} }}
policies: [{{ name: p, key: ip, limits: [{{ quota: 5, window: 1m }}] }}]
exempt: [{{ keys: {{ k: {{ not: free }} }} }}]"
        ))
    };
    assert_eq!(by_key("{ metadata: [auth, plan] }"), NOTHING, "clients have no say in it");
    let proven = by_key("{ header: x-plan, valid: { metadata: [auth, ok] } }");
    assert_eq!(proven, [expected("exempt[0].keys.k", "k")]);
}

#[test]
fn a_rule_that_frees_by_the_end_of_a_path_at_any_depth_is_warned_about() {
    let found = exempt("{ path: '/**/*.css' }");
    let [warning] = found.as_slice() else { panic!("{found:?}") };
    assert!(warning.starts_with("exempt[0].path: /**/*.css fits at any depth"), "{warning}");
    assert_eq!(exempt("{ path: '/static/*.css' }"), NOTHING);
    assert_eq!(limits("{ quota: 5, window: 1m }", "    match: [{ path: '/**/*.php' }]\n"), NOTHING);
}

#[test]
fn a_match_that_costs_nothing_frees_as_an_exception_does() {
    let matched = |rule: &str| {
        limits("{ quota: 5, window: 1m }", &format!("    match: [{{ {rule}, cost: 0 }}, {{ cost: 2 }}]\n"))
    };
    let [left_out] = &*matched("headers: { plan: { not: free } }") else { panic!() };
    assert!(left_out.starts_with("policies[0].match[0].headers.plan: not also holds"), "{left_out}");
    let [deep] = &*matched("path: '/**/*.css'") else { panic!() };
    assert!(deep.starts_with("policies[0].match[0].path: /**/*.css fits at any depth"), "{deep}");
    assert_eq!(matched("path: '/static/*.css'"), NOTHING);
}
