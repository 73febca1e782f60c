//! What the pages show is so: each policy in them is sound and without a warning, as a file of its own would be.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::fs;
use std::path::Path;
use tollgate_cli::document::{Document, Syntax};
use tollgate_cli::policy_file::PolicyFile;

/// A block of YAML in a page.
struct Block {
    /// The line in the page before its first one.
    line: usize,
    text: String,
}

fn page(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("a page")
}

/// All that stands between "```yaml" and "```".
fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = false;
    for (line, text) in (1..).zip(page.lines()) {
        match (inside, text.trim()) {
            (false, "```yaml") => {
                inside = true;
                blocks.push(Block { line, text: String::new() });
            }
            (true, "```") => inside = false,
            (true, _) => blocks.last_mut().expect("a block").text += &format!("{text}\n"),
            (false, _) => {}
        }
    }
    assert!(!inside, "a block without an end");
    blocks
}

/// All that `tollgate check` has against a policy: errors, or else warnings.
fn complaints(block: &Block) -> Vec<String> {
    let at = |line: Option<usize>, says: String| match line {
        Some(line) => format!("line {}: {says}", block.line + line),
        None => says,
    };
    let file = match PolicyFile::read("policy.yaml", &block.text) {
        Ok(file) => file,
        Err(error) => return vec![at(error.line, error.item.to_string())],
    };
    let [policy] = file.policies.as_slice() else { panic!("one policy") };
    match policy.compile() {
        Err(errors) => {
            let errors = file.locate_errors(policy, &errors);
            errors.into_iter().map(|error| at(error.line, error.item.to_string())).collect()
        }
        Ok(set) => {
            let warnings = file.warnings(policy, &set);
            warnings.into_iter().map(|warning| at(warning.line, warning.item.to_string())).collect()
        }
    }
}

/// Whether it is meant as a whole policy, and not as a part of an Envoy file.
fn is_policy(block: &Block) -> bool {
    let document = Document::read(&block.text, Syntax::Yaml);
    document.is_ok_and(|document| document.value.get("policies").is_some())
}

fn assert_sound(path: &str, blocks: &[Block]) {
    for block in blocks {
        let complaints = complaints(block);
        assert!(complaints.is_empty(), "{path}:\n{}\n{}", complaints.join("\n"), block.text);
    }
}

#[test]
fn each_answer_to_how_do_i_is_a_whole_policy() {
    let page = page("docs/how-do-i.md");
    let blocks = blocks(&page);
    assert_sound("docs/how-do-i.md", &blocks);
    let headings: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert_eq!(blocks.len(), headings.len(), "one for each question");
}

#[test]
fn the_questions_are_listed_where_the_page_begins() {
    let page = page("docs/how-do-i.md");
    let headings: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let mark = |heading: &str| {
        let marked = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
        heading.to_lowercase().replace(' ', "-").chars().filter(marked).collect::<String>()
    };
    let expected: Vec<String> =
        headings.iter().map(|heading| format!("- [{heading}](#{})", mark(heading))).collect();
    let listed: Vec<&str> = page.lines().filter(|line| line.starts_with("- [")).collect();
    assert_eq!(listed, expected);
}

#[test]
fn each_policy_of_the_reference_and_of_the_readme_is_sound() {
    for path in ["docs/language.md", "README.md"] {
        let policies: Vec<Block> = blocks(&page(path)).into_iter().filter(is_policy).collect();
        assert!(!policies.is_empty(), "{path} shows no policy");
        assert_sound(path, &policies);
    }
}
