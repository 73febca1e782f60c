//! The commit that a build is of, read from git's own files: no git has to be installed. The builds of the
//! module, of the command line tool and of the fleet's service all ask here.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// What git itself shortens a hash to.
const LENGTH: usize = 7;

/// Where `git archive` writes the commit of an archive, since an archive has no git.
const ARCHIVED: &str = "build/archived-commit.txt";

/// A commit, and the files to watch for another one.
struct Head {
    commit: Option<String>,
    watch: Vec<PathBuf>,
}

/// Hands the commit of the sources in `root` on to the compiler, as `TOLLGATE_BUILD_COMMIT`. It is what
/// `TOLLGATE_COMMIT` says, or that of git, or that of the archive which the sources come from, or `unknown`.
pub fn name(root: &Path) {
    println!("cargo::rerun-if-env-changed=TOLLGATE_COMMIT");
    // Under another name, since cargo hands it on to tests, and a build that they start would take it for the
    // override.
    for file in head(root).watch.iter().chain([&root.join(ARCHIVED)]) {
        println!("cargo::rerun-if-changed={}", file.display());
    }
    let said = env::var("TOLLGATE_COMMIT").ok().filter(|commit| !commit.is_empty());
    let commit = said.or_else(|| of(root)).unwrap_or_else(|| "unknown".into());
    println!("cargo::rustc-env=TOLLGATE_BUILD_COMMIT={commit}");
}

/// The commit of the sources in a folder.
pub fn of(root: &Path) -> Option<String> {
    head(root).commit.or_else(|| archived(root))
}

/// The commit of an archive that git has made. In a checkout the file still has git's placeholder.
fn archived(root: &Path) -> Option<String> {
    let text = read(&root.join(ARCHIVED))?;
    let is_hash = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.get(..LENGTH).filter(|_| is_hash).map(Into::into)
}

/// The commit that a folder has checked out. `None`: the folder is not the top of a git repository.
fn head(root: &Path) -> Head {
    let Some(git) = git_folder(root) else { return Head { commit: None, watch: vec![] } };
    let file = git.join("HEAD");
    let text = read(&file).unwrap_or_default();
    let mut watch = vec![file];
    let commit = match text.strip_prefix("ref: ") {
        None => Some(text),
        Some(name) => branch(&shared_folder(&git), name, &mut watch),
    };
    // Cargo takes a file that is not there for one that changes all the time.
    watch.retain(|path| path.exists());
    Head { commit: commit.and_then(|hash| hash.get(..LENGTH).map(Into::into)), watch }
}

/// Where a branch is: in a file of its own or, once git has packed it, in the list of all. Its next commit
/// makes the file.
fn branch(git: &Path, name: &str, watch: &mut Vec<PathBuf>) -> Option<String> {
    let (file, list) = (git.join(name), git.join("packed-refs"));
    let hash = read(&file).or_else(|| {
        let packed = read(&list)?;
        let mut lines = packed.lines().filter_map(|line| line.split_once(' '));
        lines.find(|(_, branch)| *branch == name).map(|(hash, _)| hash.into())
    });
    match file.exists() {
        true => watch.push(file),
        false => watch.extend([list, git.join("refs/heads")]),
    }
    hash
}

/// A worktree has only a file there, which names its folder.
fn git_folder(root: &Path) -> Option<PathBuf> {
    let place = root.join(".git");
    if place.is_dir() {
        return Some(place);
    }
    let text = read(&place)?;
    Some(root.join(text.strip_prefix("gitdir: ")?))
}

/// Where the branches are that a worktree shares with its repository.
fn shared_folder(git: &Path) -> PathBuf {
    read(&git.join("commondir")).map_or_else(|| git.into(), |common| git.join(common))
}

fn read(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim_end().into())
}
