//! The pages as data: their text, their blocks and their headings, and how a command of a page is run.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const DIRECTIVE: &str = "<!-- checked with: ";
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_tollgate");

/// Markdown, by its path from the repository's root.
pub struct Page {
    pub path: String,
    pub text: String,
}

/// What stands between two fences.
pub struct Block {
    /// What stands behind the first fence: `yaml`, or `yaml faulty.yaml`.
    pub info: String,
    /// The line of the first fence in the page, counted from 1.
    pub line: usize,
    /// The command of the comment before it.
    pub checked_with: Option<String>,
    pub text: String,
}

/// What a program printed, errors included.
pub struct Output {
    pub good: bool,
    pub text: String,
}

pub fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().find(|folder| folder.join("docs/language.md").exists()).expect("the repository")
}

pub fn page(path: &str) -> Page {
    let text = fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    Page { path: path.to_owned(), text }
}

/// Every page that people read.
pub fn pages() -> Vec<Page> {
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
    pub fn blocks(&self) -> Vec<Block> {
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
    pub fn prose(&self) -> Vec<(usize, &str)> {
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

    pub fn headings(&self) -> Vec<&str> {
        let lines = self.prose().into_iter().filter(|(_, text)| text.starts_with('#'));
        lines.map(|(_, text)| text.trim_start_matches('#').trim()).collect()
    }

    /// Its prose cut at backticks, each piece with the line where it begins: text, code, text, code and so
    /// on.
    pub fn pieces(&self) -> Vec<(usize, String)> {
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
    pub fn code_spans(&self) -> Vec<(usize, String)> {
        let code = self.pieces().into_iter().skip(1).step_by(2);
        code.map(|(line, text)| (line, text.split_whitespace().collect::<Vec<_>>().join(" "))).collect()
    }

    /// Where its links lead, with the lines. A link's text may have code in it, but what looks like a link in
    /// code is none.
    pub fn links(&self) -> Vec<(usize, String)> {
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
pub fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || ['-', '_'].contains(c);
    heading.to_lowercase().replace(' ', "-").chars().filter(kept).collect()
}

/// A folder for the commands of one page: with the files that the page shows, and with `envoy/` as in the
/// repository.
pub fn folder_for(page: &Page) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("docs").join(page.path.replace('/', "-"));
    fs::create_dir_all(&folder).expect("a folder");
    for name in ["envoy", "tools"] {
        let link = folder.join(name);
        if !link.exists() {
            std::os::unix::fs::symlink(root().join(name), link).expect("a link");
        }
    }
    for block in page.blocks() {
        if let Some(name) = block.info.strip_prefix("yaml ") {
            fs::write(folder.join(name), &block.text).expect("a file");
        }
    }
    folder
}

/// Runs a command as a reader of the page would, with `tollgate` on the path.
pub fn run(command: &str, folder: &Path, input: &str) -> Output {
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
