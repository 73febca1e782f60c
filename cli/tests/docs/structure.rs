//! The pages' form: length, wrap, links.

use super::pages::*;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::PathBuf;

const MAX_COLUMNS: usize = 110;
const MAX_README_LINES: usize = 160;
/// These keep their long lines: history, and a page that `tollgate reference` writes.
const NOT_WRAPPED: [&str; 2] = ["CHANGELOG.md", "docs/language.md"];

#[test]
fn the_readme_is_short() {
    let lines = page("README.md").text.lines().count();
    assert!(lines <= MAX_README_LINES, "{lines} lines");
}

/// Tables and headings can't be wrapped, and where a link leads does not count.
#[test]
fn prose_is_wrapped() {
    let shown = |text: &str| {
        let mut parts = text.split("](");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |shown, rest| shown + rest.split_once(')').map_or(rest, |(_, rest)| rest))
    };
    let mut long = String::new();
    for page in pages().into_iter().filter(|page| !NOT_WRAPPED.contains(&page.path.as_str())) {
        for (line, text) in page.prose() {
            let exempt = ["|", "#", "<!--"].iter().any(|start| text.trim_start().starts_with(start));
            let columns = if text.contains("](") { shown(text) } else { text.to_owned() }.chars().count();
            if !exempt && columns > MAX_COLUMNS {
                writeln!(long, "{}:{line}: {columns} columns", page.path).unwrap();
            }
        }
    }
    assert!(long.is_empty(), "\n{long}");
}

#[test]
fn each_link_leads_to_a_file_and_to_a_heading_in_it() {
    let pages = pages();
    let anchors: HashMap<PathBuf, Vec<String>> = pages
        .iter()
        .map(|page| {
            let path = root().join(&page.path).canonicalize().expect("the page");
            (path, page.headings().into_iter().map(anchor).collect())
        })
        .collect();
    let mut broken = String::new();
    for page in &pages {
        for (line, target) in page.links() {
            if target.starts_with("https://") {
                continue;
            }
            let (file, heading) = target.split_once('#').unwrap_or((&target, ""));
            let here = root().join(&page.path);
            let there = if file.is_empty() { here } else { here.parent().expect("a folder").join(file) };
            let leads = there.canonicalize().is_ok_and(|there| {
                heading.is_empty()
                    || anchors.get(&there).is_some_and(|found| found.iter().any(|found| found == heading))
            });
            if !leads {
                writeln!(broken, "{}:{line}: {target}", page.path).unwrap();
            }
        }
    }
    assert!(broken.is_empty(), "\n{broken}");
}

#[test]
fn the_readme_links_to_each_page_of_docs() {
    let targets: Vec<String> = page("README.md").links().into_iter().map(|(_, target)| target).collect();
    for page in pages().iter().filter(|page| page.path.starts_with("docs/")) {
        assert!(targets.contains(&page.path), "no link to {}", page.path);
    }
}
