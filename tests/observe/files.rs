//! The board as Grafana reads it: what can be said without one.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::harness::in_repository;
use crate::queries::board;

#[test]
fn panels_have_ids_of_their_own_and_do_not_overlap() {
    let board = board();
    let panels = board["panels"].as_array().expect("panels");
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64().expect("an id")).collect();
    assert_eq!(ids.len(), panels.len());
    let mut cells = BTreeSet::new();
    for panel in panels {
        let place = |name: &str| panel["gridPos"][name].as_u64().expect("a place");
        assert!(place("x") + place("w") <= 24, "{}", panel["title"]);
        for y in place("y")..place("y") + place("h") {
            for x in place("x")..place("x") + place("w") {
                assert!(cells.insert((x, y)), "{} overlaps another panel", panel["title"]);
            }
        }
    }
}

#[test]
fn each_panel_that_asks_names_the_chosen_datasource_and_letters_its_queries() {
    let board = board();
    let chosen = serde_json::json!({ "type": "prometheus", "uid": "${datasource}" });
    let asks = |panel: &&Value| !matches!(panel["type"].as_str(), Some("row" | "text"));
    let mut asking = 0;
    for panel in board["panels"].as_array().expect("panels").iter().filter(asks) {
        assert_eq!(panel["datasource"], chosen, "{}", panel["title"]);
        let targets = panel["targets"].as_array().expect("queries");
        let letters: BTreeSet<_> = targets.iter().map(|target| target["refId"].as_str().unwrap()).collect();
        assert_eq!(letters.len(), targets.len(), "{}", panel["title"]);
        for target in targets {
            assert_eq!(target["datasource"], chosen, "{}", panel["title"]);
            // A table and a single value are of one instant, a graph is of many.
            let instant = matches!(panel["type"].as_str(), Some("table")) || target["instant"] == true;
            assert_ne!(target["instant"], target["range"], "{}", panel["title"]);
            assert!(instant || panel["type"] != "table", "{}", panel["title"]);
        }
        asking += 1;
    }
    assert!(asking > 25, "{asking} panels");
}

#[test]
fn each_variable_that_a_query_uses_is_one_of_the_boards() {
    let board = board();
    let names: BTreeSet<_> = board["templating"]["list"]
        .as_array()
        .expect("variables")
        .iter()
        .map(|variable| variable["name"].as_str().expect("a name").to_owned())
        .collect();
    let text = board.to_string();
    let used = regex_lite::Regex::new(r"\$\{?([a-z_]+)").expect("an expression");
    for variable in used.captures_iter(&text).map(|found| found[1].to_owned()) {
        let of_grafana = ["__rate_interval", "__range", "__all"].contains(&variable.as_str());
        assert!(of_grafana || names.contains(&variable), "${variable}");
    }
    assert!(names.contains("datasource") && names.contains("policy"));
}

/// Grafana reads the board from the folder that the provisioning names, and asks the server that compose starts.
#[test]
fn provisioning_and_compose_agree() {
    let read = |path: &str| fs::read_to_string(in_repository("deploy").join(path)).unwrap();
    let compose = read("docker-compose.yaml");
    let boards = read("grafana/provisioning/dashboards/tollgate.yaml");
    let source = read("grafana/provisioning/datasources/prometheus.yaml");
    assert!(boards.contains("path: /etc/grafana/boards\n"));
    assert!(compose.contains("./grafana/tollgate.json:/etc/grafana/boards/tollgate.json:ro\n"));
    assert!(compose.contains("./grafana/provisioning:/etc/grafana/provisioning:ro\n"));
    assert!(source.contains("url: http://prometheus:9090\n") && compose.contains("\n  prometheus:\n"));
    assert!(compose.contains("./prometheus:/etc/prometheus:ro\n"));
}
