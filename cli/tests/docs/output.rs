//! Printed output is really printed: of the program, and of an Envoy in front of which it was printed once.

use super::pages::*;
use serde_json::Value;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// The commands of a block with what is shown of each.
fn shown_commands(block: &Block) -> Vec<(&str, String)> {
    let mut shown: Vec<(&str, String)> = Vec::new();
    for line in block.text.lines() {
        match (line.strip_prefix("$ "), shown.last_mut()) {
            (Some(command), _) => shown.push((command, String::new())),
            (None, Some((_, output))) => *output += &format!("{line}\n"),
            (None, None) => panic!("line {}: no command", block.line),
        }
    }
    shown
}

fn runs_the_program(command: &str) -> bool {
    command.split(" | ").any(|part| part.starts_with("tollgate "))
}

/// The page with what its commands print now.
fn as_printed(page: &Page) -> String {
    let folder = folder_for(page);
    let mut text = page.text.clone();
    for block in page.blocks().iter().filter(|block| block.info == "console") {
        let shown = shown_commands(block);
        if !shown.iter().any(|(command, _)| runs_the_program(command)) {
            continue;
        }
        let mut printed = String::new();
        for (command, _) in shown {
            assert!(runs_the_program(command), "{}:{}: `{command}` is not run", page.path, block.line);
            write!(printed, "$ {command}\n{}", run(command, &folder, "").text).unwrap();
        }
        text =
            text.replacen(&format!("```console\n{}```", block.text), &format!("```console\n{printed}```"), 1);
    }
    text
}

#[test]
fn each_tollgate_command_prints_what_is_shown() {
    let mut commands = 0;
    for page in pages() {
        let printed = as_printed(&page);
        if printed != page.text && std::env::var_os("UPDATE_DOCS").is_some() {
            fs::write(root().join(&page.path), &printed).expect("a page");
        } else {
            assert_eq!(page.text, printed, "{}: UPDATE_DOCS=1 writes it anew", page.path);
        }
        let blocks = page.blocks();
        commands += blocks.iter().flat_map(shown_commands_of_the_program).count();
    }
    assert!(commands >= 4, "{commands} commands");
}

fn shown_commands_of_the_program(block: &Block) -> Vec<String> {
    let shown = if block.info == "console" { shown_commands(block) } else { Vec::new() };
    shown
        .into_iter()
        .filter(|(command, _)| runs_the_program(command))
        .map(|(command, _)| command.to_owned())
        .collect()
}

/// What `tollgate explain` answers to a command of a comment.
fn explained(command: &str, folder: &Path) -> Value {
    let output = run(&format!("{command} --json"), folder, "");
    assert!(output.good, "{command}: {}", output.text);
    let reports: Value = serde_json::from_str(&output.text).expect("JSON");
    reports[0].clone()
}

/// Whether they are equal but for a request's id, of which `explain` prints zeros.
fn is_same(expected: &str, shown: &str) -> bool {
    let Some((before, after)) = expected.split_once(&"0".repeat(32)) else { return expected == shown };
    let id = shown.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    id.is_some_and(|id| id.len() >= 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-'))
}

fn assert_is_reply(expected: &Value, shown: &str, place: &str) {
    let (head, body) = shown.split_once("\n\n").expect("a head and a body");
    let mut lines = head.lines();
    let status = expected["status"].as_u64().unwrap_or(200);
    let first = lines.next().unwrap_or_default();
    assert!(first.starts_with(&format!("HTTP/1.1 {status} ")), "{place}: {first}, not {status}");
    let headers: HashMap<&str, &str> = lines.map(|line| line.split_once(": ").expect("a header")).collect();
    let expected_headers = expected["headers"].as_object().expect("headers");
    for (name, value) in expected_headers {
        let value = value.as_str().expect("a text");
        let found = headers.get(name.as_str());
        assert!(
            found.is_some_and(|found| is_same(value, found)),
            "{place}: {name} is {found:?}, not {value}"
        );
    }
    let of_others = ["content-type", "content-length", "date", "server", "x-envoy-upstream-service-time"];
    for name in headers.keys().filter(|name| !of_others.contains(name)) {
        assert!(expected_headers.contains_key(*name), "{place}: {name} is not sent");
    }
    if let Some(expected) = expected["body"].as_str() {
        let (expected, body) = (expected.trim_end_matches('\n'), body.trim_end_matches('\n'));
        assert!(is_same(expected, body), "{place}: {body}, not {expected}");
    }
}

/// The output of `uniq -c`: how many requests had which status.
fn assert_are_counts(expected: &Value, shown: &str, place: &str) {
    let number = |name: &str| expected[name].as_u64().expect("a number");
    let (passed, times) = (number("passed"), number("times"));
    let counts: Vec<&str> = shown.split_whitespace().collect();
    assert_eq!(counts, [&passed.to_string(), "200", &(times - passed).to_string(), "429"], "{place}");
}

#[test]
fn each_response_of_a_real_envoy_is_what_the_policy_answers() {
    let mut checked = 0;
    // What deploy/README.md shows needs a container: `make container-test` runs it.
    for page in pages().into_iter().filter(|page| !page.path.starts_with("deploy/")) {
        let folder = folder_for(&page);
        for block in page.blocks().iter().filter(|block| block.info == "console") {
            let shown = shown_commands(block);
            if shown.iter().any(|(command, _)| runs_the_program(command)) {
                continue;
            }
            let place = format!("{}:{}", page.path, block.line);
            let [(_, output)] = shown.as_slice() else { panic!("{place}: one command a block") };
            let command = block.checked_with.as_ref().unwrap_or_else(|| panic!("{place}: nothing checks it"));
            let expected = explained(command, &folder);
            if output.starts_with("HTTP/") {
                assert_is_reply(&expected, output, &place);
            } else {
                assert_are_counts(&expected, output, &place);
            }
            checked += 1;
        }
    }
    assert!(checked >= 7, "{checked} responses");
}

/// Commands in sentences, tables and `sh` blocks: those of `tollgate` with their options, and targets of
/// make.
#[test]
fn each_command_that_is_mentioned_exists() {
    let makefile = fs::read_to_string(root().join("Makefile")).expect("the Makefile");
    let mut wrong = String::new();
    for page in pages() {
        let blocks = page.blocks();
        let scripts = blocks.iter().filter(|block| block.info == "sh");
        let lines = scripts.flat_map(|block| block.text.lines().map(|line| (block.line, line.to_owned())));
        // An option by itself belongs to the command before it on its line.
        let mut last = (0, String::new());
        for (line, command) in page.code_spans().into_iter().chain(lines) {
            let full = if command.starts_with('-') && last.0 == line {
                last.1.clone() + " " + &command
            } else {
                command
            };
            let mut words = full.split_whitespace();
            let exists = match (words.next(), words.next()) {
                (Some("make"), Some(target)) => makefile.contains(&format!("\n{target}:")),
                (Some("tollgate"), Some(name)) => {
                    last = (line, format!("tollgate {name}"));
                    let help = run(&format!("tollgate {name} --help"), root(), "");
                    let mut options = words.filter(|word| word.starts_with('-') && word.len() > 1);
                    help.good && options.all(|option| help.text.contains(&format!("{option} ")))
                }
                _ => true,
            };
            if !exists {
                writeln!(wrong, "{}:{line}: {full}", page.path).unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}
