//! Every policy that a page shows is valid.

use super::pages::*;
use std::fs;

fn assert_sound(page: &Page, block: &Block) {
    let output = run("tollgate check --quiet --deny-warnings -", root(), &block.text);
    assert!(output.good, "{}:{}: {}\n{}", page.path, block.line, output.text, block.text);
}

/// Whether it is meant as a complete policy file, and not as a part of an Envoy config.
fn is_policy(block: &Block) -> bool {
    block.info == "yaml" && block.text.lines().any(|line| line.starts_with("policies:"))
}

#[test]
fn each_answer_to_how_do_i_is_a_whole_policy() {
    let page = page("docs/how-do-i.md");
    for block in &page.blocks() {
        assert!(is_policy(block), "line {}", block.line);
    }
    for question in page.text.split("\n## ").skip(1) {
        let name = question.lines().next().unwrap_or_default();
        assert!(question.contains("\n```yaml\n"), "{name}: no policy");
    }
}

#[test]
fn the_questions_are_listed_where_the_page_begins() {
    let page = page("docs/how-do-i.md");
    let questions = page.text.lines().filter_map(|line| line.strip_prefix("## "));
    let expected: Vec<String> =
        questions.map(|question| format!("- [{question}](#{})", anchor(question))).collect();
    let listed: Vec<&str> = page.text.lines().filter(|line| line.starts_with("- [")).collect();
    assert_eq!(listed, expected);
}

#[test]
fn each_policy_that_a_page_shows_is_sound() {
    let mut checked = 0;
    for page in pages() {
        for block in page.blocks().iter().filter(|block| is_policy(block)) {
            assert_sound(&page, block);
            checked += 1;
        }
    }
    assert!(checked >= 19, "{checked} policies");
}

/// The part before the policy, and each form of the policy behind it, in the place of the filter of a
/// complete config.
#[test]
fn the_filter_that_the_install_page_shows_is_sound() {
    let page = page("docs/install.md");
    let blocks: Vec<Block> = page.blocks().into_iter().filter(|block| block.info == "yaml").collect();
    let [with_struct, with_text] = blocks.as_slice() else { panic!("{} blocks", blocks.len()) };
    let (head, _) = with_struct.text.split_once("      configuration:").expect("a configuration");

    let config = run("tollgate bootstrap envoy/policies/billium.yaml", root(), "");
    assert!(config.good, "{}", config.text);
    let (before, rest) = config.text.split_once("- name: tollgate\n").expect("the filter");
    let indent = before.rsplit('\n').next().expect("its indentation");
    let (_, after) =
        rest.split_once(&format!("\n{indent}- name: envoy.filters.http.router")).expect("the router");
    for filter in [with_struct.text.clone(), format!("{head}{}", with_text.text)] {
        let filter = filter.trim_end().replace('\n', &format!("\n{indent}"));
        let config = format!("{before}{filter}\n{indent}- name: envoy.filters.http.router{after}");
        let output = run("tollgate check --quiet --deny-warnings -", root(), &config);
        assert!(output.good, "{}\n{config}", output.text);
    }
}

#[test]
fn the_policy_of_the_readme_is_the_file_that_it_names() {
    let page = page("README.md");
    let blocks = page.blocks();
    let shown = blocks.iter().find(|block| is_policy(block)).expect("a policy");
    let file = fs::read_to_string(root().join("envoy/policies/billium.yaml")).expect("the file");
    let without_comments = |text: &str| {
        let lines =
            text.lines().map(|line| line.split(" #").next().unwrap_or_default().trim_end().to_owned());
        lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect::<Vec<_>>()
    };
    assert_eq!(without_comments(&shown.text), without_comments(&file));
}
