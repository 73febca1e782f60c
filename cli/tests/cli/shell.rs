//! Completions and the manual page, and what shells and `man` make of them.

use super::*;

/// The commands of the tool, as its help lists them.
fn commands() -> Vec<String> {
    let help = tollgate(&["--help"]).success();
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let commands = commands.lines().take_while(|line| !line.is_empty());
    commands.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// What a program says about a file, if the program is there.
fn said_by(program: &str, arguments: &[&str]) -> Option<std::process::Output> {
    match Command::new(program).args(arguments).output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        output => Some(output.unwrap()),
    }
}

#[test]
fn each_shell_reads_its_completions_which_have_all_commands() {
    let commands = commands();
    assert!(commands.len() >= 8, "{commands:?}");
    for shell in ["bash", "zsh", "fish"] {
        let script = tollgate(&["completions", shell]).success();
        let parts = commands.iter().map(String::as_str).chain(["deny-warnings", "response-header"]);
        parts.for_each(|part| assert!(script.contains(part), "{shell}: no {part}"));
        let path = file(&format!("completions.{shell}"), &script);
        let read = said_by(shell, &["-n", path.to_str().unwrap()]);
        // Bash is on every machine that runs these tests' scripts; the others are taken if they are there.
        assert!(read.is_some() || shell != "bash");
        if let Some(read) = read {
            assert!(read.status.success() && read.stderr.is_empty(), "{shell}: {read:?}");
        }
    }
}

#[test]
fn bash_completes_commands_options_and_shells() {
    let script = file("completes.bash", &tollgate(&["completions", "bash"]).success());
    let completed = |words: &[&str]| {
        let line = words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
        let (last, index) = (words.last().unwrap(), words.len() - 1);
        let command = format!(
            "source '{}'; COMP_WORDS=({line}); COMP_CWORD={index}; _tollgate tollgate '{last}' ''; echo \"${{COMPREPLY[@]}}\"",
            script.display(),
        );
        let output = said_by("bash", &["-c", &command]).expect("bash");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    };
    assert_eq!(completed(&["tollgate", "che"]), "check");
    assert_eq!(completed(&["tollgate", "check", "--deny"]), "--deny-warnings");
    assert_eq!(completed(&["tollgate", "completions", "f"]), "fish");
}

#[test]
fn an_unknown_shell_is_an_error_that_names_the_known_ones() {
    let ran = tollgate(&["completions", "tcsh"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("bash, zsh, fish"), "{}", ran.stderr);
}

#[test]
fn the_manual_page_has_each_command_with_its_options_and_examples() {
    let page = tollgate(&["man"]).success();
    assert_eq!(page.matches("\n.SH NAME\n").count(), 1);
    for command in commands() {
        let start = format!("\n.SS \"tollgate {command}\"\n");
        let (_, section) = page.split_once(&start).unwrap_or_else(|| panic!("no {start:?}"));
        let section = section.split("\n.S").next().unwrap().replace("\\-", "-");
        assert!(section.contains("\nExamples:\n"), "{section}");
        let help = tollgate(&[&command, "--help"]).success();
        for word in help.split_whitespace().filter(|word| word.starts_with("--") && word.len() > 2) {
            let option = word.trim_matches(|c: char| !c.is_ascii_lowercase() && c != '-');
            assert!(section.contains(option), "{command}: no {option} in {section}");
        }
    }
}

#[test]
fn man_formats_the_manual_page_without_a_warning() {
    let path = file("tollgate.1", &tollgate(&["man"]).success());
    let groff = ["-man", "-Tutf8", "-ww", "-z", path.to_str().unwrap()];
    if let Some(read) = said_by("groff", &groff) {
        assert!(read.status.success() && read.stderr.is_empty(), "{read:?}");
    }
}
