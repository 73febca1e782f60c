//! The board and the rules in front of traffic.

use crate::prometheus::Prometheus;
use crate::queries::{self, Query};
use crate::scene::{Counted, Scene};

#[test]
fn each_query_has_data_and_sums_agree_with_what_clients_counted() {
    let scene = Scene::start();
    let counted = scene.traffic();
    sums_agree(&scene, &counted);
    each_query_answers(&scene.prometheus);
    assert_eq!(scene.prometheus.alerts(), [""; 0], "nothing is wrong");
    a_faulty_update_is_seen(&scene);
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

fn each_query_answers(prometheus: &Prometheus) {
    let all = [queries::of_board(), queries::of_rules(prometheus), queries::of_pages()];
    let mut problems = Vec::new();
    for Query { place, text } in all.iter().flatten() {
        match prometheus.ask(text) {
            Err(error) => problems.push(format!("{place}: {error}\n    {text}")),
            Ok(series) if series.is_empty() => problems.push(format!("{place}: no data\n    {text}")),
            Ok(_) => {}
        }
    }
    let count: usize = all.iter().map(Vec::len).sum();
    assert!(problems.is_empty(), "{} of {count} queries:\n{}", problems.len(), problems.join("\n"));
    println!("{count} queries have data");
    for rule in prometheus.rules() {
        assert_eq!(rule["health"], "ok", "{rule}");
    }
}

fn a_faulty_update_is_seen(scene: &Scene) {
    let envoy = &scene.envoys[0];
    envoy.update("window: 1d", "window: 1x");
    let board = queries::of_board();
    let query =
        board.iter().find(|query| query.place == "board, Updates that Envoy has rejected, A").unwrap();
    let value = crate::harness::eventually("the board to show it", || {
        let series = scene.prometheus.ask(&query.text).expect("an answer");
        let of_envoy = series.iter().find(|(labels, _)| labels["instance"] == envoy.instance.as_str());
        of_envoy.map(|(_, value)| *value).filter(|value| *value > 0.0)
    });
    println!("after a faulty update, {} is {value}", query.text);
    assert_eq!(value, 1.0);
    crate::harness::eventually("the alerts", || {
        let alerts = scene.prometheus.alerts();
        alerts.contains(&"TollgateUpdateRejected".to_owned()).then_some(())
    });
    // The old policy serves on.
    let request = envoy.gateway.get("/plan").header("x-api-key", "acme-key");
    assert_eq!(request.admitted_of(3), 0);
}
