//! Each query of the board, the rules and the pages, as Prometheus gets it.

use std::fs;

use serde_json::Value;

use crate::harness::in_repository;
use crate::prometheus::Prometheus;

/// A query, and where it stands.
pub struct Query {
    pub place: String,
    pub text: String,
}

/// The board, as JSON.
pub fn board() -> Value {
    let text = fs::read_to_string(in_repository("deploy/grafana/tollgate.json")).expect("the board");
    serde_json::from_str(&text).expect("JSON")
}

/// Each query of the board: of its panels and annotations, and for each variable whether it has values.
pub fn of_board() -> Vec<Query> {
    let board = board();
    let mut queries = Vec::new();
    for panel in board["panels"].as_array().expect("panels") {
        let title = panel["title"].as_str().expect("a title");
        for target in panel["targets"].as_array().into_iter().flatten() {
            let place = format!("board, {title}, {}", target["refId"].as_str().expect("a letter"));
            queries.push(Query { place, text: shown(target["expr"].as_str().expect("a query")) });
        }
    }
    for annotation in board["annotations"]["list"].as_array().into_iter().flatten() {
        if let Some(expression) = annotation["expr"].as_str() {
            let place = format!("board, annotation {}", annotation["name"].as_str().expect("a name"));
            queries.push(Query { place, text: shown(expression) });
        }
    }
    for variable in board["templating"]["list"].as_array().into_iter().flatten() {
        if let Some(definition) = variable["definition"].as_str() {
            let inside = definition.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')'));
            let (series, label) = inside.and_then(|inside| inside.rsplit_once(", ")).expect("label_values");
            let place = format!("board, variable {}", variable["name"]);
            queries.push(Query { place, text: shown(&format!("count by ({label}) ({series})")) });
        }
    }
    assert!(queries.len() > 60, "{} queries of the board", queries.len());
    queries
}

/// The query of the board at this place.
pub fn of_board_at(place: &str) -> String {
    let found = of_board().into_iter().find(|query| query.place.strip_prefix("board, ") == Some(place));
    found.unwrap_or_else(|| panic!("the board has no {place}")).text
}

/// Each expression of the rules, as Prometheus has read it. Comparisons answer 0 or 1: so what they compare must have
/// data also where an alert is silent.
pub fn of_rules(prometheus: &Prometheus) -> Vec<Query> {
    let rules = prometheus.rules();
    assert!(rules.len() > 20, "{} rules", rules.len());
    let query = |rule: &Value| Query {
        place: format!("rule {}", rule["name"].as_str().expect("a name")),
        text: answering(rule["query"].as_str().expect("a query")),
    };
    rules.iter().map(query).collect()
}

/// Each block `promql` of the pages.
pub fn of_pages() -> Vec<Query> {
    let mut queries = Vec::new();
    for page in ["docs/operate.md", "docs/alerts.md"] {
        let text = fs::read_to_string(in_repository(page)).expect("a page");
        let mut before = String::new();
        for part in text.split("```promql\n").enumerate() {
            if let (1.., rest) = part {
                let (block, _) = rest.split_once("```").expect("the block's end");
                let heading = before.lines().rfind(|line| line.starts_with('#')).unwrap_or_default();
                queries.push(Query { place: format!("{page}, {heading}"), text: block.to_owned() });
            }
            before += part.1;
        }
    }
    assert!(queries.len() >= 7, "{} queries of the pages", queries.len());
    queries
}

/// With what Grafana puts in the place of variables: all of them, and a time that fits once-a-second scrapes.
fn shown(expression: &str) -> String {
    let text = ["job", "instance", "policy"]
        .iter()
        .fold(expression.to_owned(), |text, name| text.replace(&format!("${name}\""), ".*\""));
    let text = text.replace("$__rate_interval", "1m").replace("$__range", "1m");
    assert!(!text.contains('$'), "a variable that the board does not have: {expression}");
    text
}

/// With `bool` behind each comparison with a number.
fn answering(expression: &str) -> String {
    let comparison = regex_lite::Regex::new(r"\s(>|<|!=)\s+(?:bool\s+)?").expect("an expression");
    comparison.replace_all(expression, " $1 bool ").into_owned()
}
