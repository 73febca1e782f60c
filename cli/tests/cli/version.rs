use super::*;

#[path = "../../../build/commit.rs"]
#[allow(dead_code, reason = "the builds use the rest")]
mod commit;

#[test]
fn the_version_names_the_build_its_commit_and_its_language() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let line = tollgate(&["--version"]).success();
    let (version, rest) = line.split_once(" (").unwrap();
    let (commit, language) = rest.split_once(") ").unwrap();
    assert_eq!(version, concat!("tollgate ", env!("CARGO_PKG_VERSION")));
    let expected = option_env!("TOLLGATE_COMMIT").map(str::to_owned).or_else(|| commit::of(root));
    assert_eq!(commit, expected.unwrap_or_else(|| "unknown".into()));
    assert_eq!(language, format!("language {}\n", tollgate::language::VERSION));
}

/// A folder without anything in it.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(path.join("build")).unwrap();
    path
}

const HASH: &str = "0123456789abcdef0123456789abcdef01234567\n";

#[test]
fn the_commit_of_an_archive_is_what_git_has_written_into_it() {
    let root = folder("commit-of-an-archive");
    assert_eq!(commit::of(&root), None);
    let file = root.join("build/archived-commit.txt");
    fs::write(&file, HASH).unwrap();
    assert_eq!(commit::of(&root).as_deref(), Some("0123456"));
    // As it is in a folder that was copied without git.
    fs::write(&file, "$Format:%H$\n").unwrap();
    assert_eq!(commit::of(&root), None);
}

#[test]
fn the_commit_of_a_checkout_is_that_of_its_branch_and_not_that_of_an_archive() {
    let root = folder("commit-of-a-checkout");
    fs::write(root.join("build/archived-commit.txt"), HASH).unwrap();
    fs::create_dir_all(root.join(".git/refs/heads")).unwrap();
    fs::write(root.join(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
    fs::write(root.join(".git/refs/heads/main"), "fedcba9876543210fedcba9876543210fedcba98\n").unwrap();
    assert_eq!(commit::of(&root).as_deref(), Some("fedcba9"));
}

#[test]
fn an_archive_of_this_repository_names_its_commit() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let attributes = fs::read_to_string(root.join(".gitattributes")).unwrap();
    assert!(attributes.lines().any(|line| line == "build/archived-commit.txt export-subst"), "{attributes}");
    assert!(fs::read_to_string(root.join("build/archived-commit.txt")).is_ok());
}
