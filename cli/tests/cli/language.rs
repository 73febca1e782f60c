use super::*;

fn assert_committed(command: &str, path: &str) {
    let arguments: Vec<&str> = command.split(' ').collect();
    let printed = tollgate(&arguments).success();
    let committed =
        fs::read_to_string(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(path)).unwrap();
    assert!(
        printed == committed,
        "{path} is not what `tollgate {command}` prints; `make language` rewrites it"
    );
}

#[test]
fn the_schema_in_the_repository_is_up_to_date() {
    assert_committed("schema", "envoy/tollgate.schema.json");
}

#[test]
fn the_schema_of_test_files_in_the_repository_is_up_to_date() {
    assert_committed("schema --test", "envoy/tollgate-test.schema.json");
}

#[test]
fn the_reference_in_the_repository_is_up_to_date() {
    assert_committed("reference", "docs/language.md");
}

#[test]
fn every_link_of_the_reference_leads_somewhere() {
    let page = tollgate(&["reference"]).success();
    let anchors: Vec<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .map(|heading| format!("(#{})", heading.to_lowercase().replace('`', "").replace(' ', "-")))
        .collect();
    let links: Vec<&str> =
        page.match_indices("(#").map(|(at, _)| &page[at..=at + page[at..].find(')').unwrap()]).collect();
    assert!(links.len() > 15, "{links:?}");
    for link in links {
        assert!(anchors.iter().any(|anchor| anchor == link), "{link}");
    }
}
