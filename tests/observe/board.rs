//! The board and the rules in front of traffic.

use tollgate_cli::command;

use crate::harness::{eventually, in_repository};
use crate::prometheus::Prometheus;
use crate::queries::{self, Query};
use crate::scene::{Counted, Scene};

#[test]
fn each_query_has_data_and_sums_agree_with_what_clients_counted() {
    let scene = Scene::start();
    let counted = scene.traffic();
    sums_agree(&scene, &counted);
    each_query_answers(&scene.prometheus);
    assert_eq!(scene.prometheus.number("max(tollgate_config_revision)"), revision(), "as `check` prints it");
    assert_eq!(scene.prometheus.alerts(), [""; 0], "nothing is wrong");
    a_faulty_update_is_seen(&scene);
    a_new_policy_is_seen(&scene);
}

/// What `tollgate check` prints for the policy.
fn revision() -> f64 {
    let policy = in_repository("tests/observe/policy.yaml").display().to_string();
    let printed = command::run(["tollgate", "check", "--json", &policy]).expect("valid arguments").stdout;
    let printed: serde_json::Value = serde_json::from_str(&printed).expect("JSON");
    printed[0]["revision"].as_f64().unwrap_or_else(|| panic!("no revision in {printed}"))
}

/// The sum of what clients counted, of these targets and keys.
fn sum(counted: &Counted, target: &str, key: &str, outcome: usize) -> f64 {
    let fits =
        |(at, by): &&(&str, &str)| (target.is_empty() || *at == target) && (key.is_empty() || *by == key);
    let counts = counted.iter().filter(|(name, _)| fits(name)).map(|(_, counts)| counts[outcome]);
    f64::from(u32::try_from(counts.sum::<u64>()).expect("a small number"))
}

fn sums_agree(scene: &Scene, counted: &Counted) {
    let (admitted, rejected) = (|at, by| sum(counted, at, by, 0), |at, by| sum(counted, at, by, 1));
    assert!(rejected("/plan", "acme-key") > 0.0 && rejected("/fleet", "acme-key") > 0.0, "{counted:?}");
    for (query, expected) in [
        ("sum(tollgate_policy_admitted{policy=\"address\"})", admitted("", "")),
        ("sum(tollgate_policy_admitted{policy=\"plan\"})", admitted("/plan", "")),
        ("sum(tollgate_policy_refused)", rejected("", "")),
        ("sum(tollgate_policy_refused{policy=\"plan\"})", rejected("/plan", "")),
        ("sum(tollgate_policy_refused{policy=\"fleet\"})", rejected("/fleet", "")),
        ("sum(tollgate_policy_limit_refused{policy=\"plan\"})", rejected("/plan", "")),
        ("sum(tollgate_policy_limit_refused{limit=\"day\"})", rejected("/plan", "acme-key")),
        ("sum(tollgate_policy_limit_refused{policy=\"fleet\"})", rejected("/fleet", "")),
        ("sum(tollgate_policy_tier_admitted{tier=\"pro\"})", admitted("/plan", "acme-key")),
        ("sum(tollgate_policy_tier_refused)", rejected("/plan", "")),
        (
            "sum(tollgate_policy_consumer_admitted{policy=\"plan\", consumer=\"tiny\"})",
            admitted("/plan", "tiny-key"),
        ),
        (
            "sum(tollgate_policy_consumer_refused{policy=\"plan\", consumer=\"acme\"})",
            rejected("/plan", "acme-key"),
        ),
        ("sum(tollgate_policy_shadow_refused) - sum(tollgate_policy_limit_shadow_refused)", 0.0),
    ] {
        scene.until(query, expected);
    }
}

/// What need not have data while all is well, and when it has.
const AWAITED: [(&str, &str); 3] = [
    ("rule TollgateCountersMissing", "an Envoy without Tollgate: rules.test.yaml"),
    ("board, annotation a new policy", "a new policy: below"),
    ("board, Policies taken and rejected, C", "`forgive` in the policy file"),
];

fn each_query_answers(prometheus: &Prometheus) {
    let all = [queries::of_board(), queries::of_rules(prometheus), queries::of_pages()];
    let mut problems = Vec::new();
    for Query { place, text } in all.iter().flatten() {
        let awaited = AWAITED.iter().any(|(awaited, _)| awaited == place);
        match prometheus.ask(text) {
            Err(error) => problems.push(format!("{place}: {error}\n    {text}")),
            Ok(series) if series.is_empty() && !awaited => {
                problems.push(format!("{place}: no data\n    {text}"));
            }
            Ok(_) => {}
        }
    }
    let count: usize = all.iter().map(Vec::len).sum();
    assert!(problems.is_empty(), "{} of {count} queries:\n{}", problems.len(), problems.join("\n"));
    println!("{} of {count} queries have data", count - AWAITED.len());
    for rule in prometheus.rules() {
        assert_eq!(rule["health"], "ok", "{rule}");
    }
}

/// Waits until a query has a value that is not 0 for this Envoy.
fn value_of(scene: &Scene, query: &str, instance: &str) -> f64 {
    eventually(query, || {
        let series = scene.prometheus.ask(query).expect("an answer");
        let of_envoy = series.iter().find(|(labels, _)| labels["instance"] == instance);
        of_envoy.map(|(_, value)| *value).filter(|value| *value != 0.0)
    })
}

fn fires(scene: &Scene, alert: &str) {
    eventually(alert, || scene.prometheus.alerts().contains(&alert.to_owned()).then_some(()));
}

fn a_faulty_update_is_seen(scene: &Scene) {
    let envoy = &scene.envoys[0];
    let live = format!("tollgate_config_revision{{instance=\"{}\"}}", envoy.instance);
    let before = scene.prometheus.number(&live);
    envoy.update("window: 1d", "window: 1x");
    let query = queries::of_board_at("Updates that Envoy has rejected, A");
    let value = value_of(scene, &query, &envoy.instance);
    println!("after a faulty update the board's query says {value}: {query}");
    assert_eq!(value, 1.0);
    fires(scene, "TollgateUpdateRejected");
    value_of(scene, &queries::of_board_at("Policies taken and rejected, B"), &envoy.instance);
    fires(scene, "TollgatePolicyRejected");
    // The old policy serves on.
    assert_eq!(envoy.gateway.get("/plan").header("x-api-key", "acme-key").admitted_of(3), 0);
    assert_eq!(scene.prometheus.number(&live), before);
}

fn a_new_policy_is_seen(scene: &Scene) {
    let envoy = &scene.envoys[1];
    assert_eq!(scene.prometheus.number(REVISIONS_DIFFER), 0.0);
    envoy.update("quota: 1000000", "quota: 2000000");
    let mark = queries::of_board_at("annotation a new policy");
    value_of(scene, &mark, &envoy.instance);
    scene.until(REVISIONS_DIFFER, 1.0);
}

const REVISIONS_DIFFER: &str =
    "count(max by (job) (tollgate_config_revision) != min by (job) (tollgate_config_revision))";
