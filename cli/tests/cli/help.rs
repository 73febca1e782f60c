use super::*;

#[test]
fn each_command_has_examples_in_its_help() {
    let help = tollgate(&["--help"]).success();
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let commands: Vec<&str> = commands
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(commands.contains(&"check") && help.contains("Examples:\n"), "{help}");
    for command in commands {
        let help = tollgate(&[command, "--help"]).success();
        assert!(help.contains(&format!("Usage: tollgate {command}")), "{help}");
        assert!(help.contains("Examples:\n") && help.contains(&format!("  tollgate {command}")), "{help}");
        assert!(help.contains("Exit status: 0"), "{help}");
    }
}

#[test]
fn an_unknown_command_fails_with_2_and_suggests_a_similar_one() {
    let ran = tollgate(&["chekc"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("'check'"), "{}", ran.stderr);
    assert_eq!(tollgate(&[]).status, 2);
}

#[test]
fn output_has_colours_only_if_they_are_forced_or_shown() {
    for arguments in [
        &["--help"][..],
        &["check", BILLIUM],
        &["check", "cli/tests/diagnostics/many_errors.yaml"],
        &["nonsense"],
    ] {
        let ran = tollgate(arguments);
        assert!(!ran.stdout.contains('\u{1B}') && !ran.stderr.contains('\u{1B}'), "{arguments:?}");
    }
    let coloured = Command::new(env!("CARGO_BIN_EXE_tollgate"))
        .args(["check", BILLIUM])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .env("CLICOLOR_FORCE", "1")
        .output()
        .unwrap();
    assert!(coloured.stdout.contains(&0x1B));
}

#[test]
fn a_reader_that_stops_reading_is_not_a_failure() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tollgate"))
        .args(["bootstrap", BILLIUM])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn x_10_a_key_in_the_wrong_place_is_not_shown() {
    for arguments in [
        &["hash", "sk_live_secret"][..],
        &["explain", BILLIUM, "/", "sk_live_secret"],
        &["explain", BILLIUM, "sk_live_secret"],
        &["explain", BILLIUM, "/", "-H", "sk_live_secret"],
        &["explain", BILLIUM, "/", "--metadata", "sk_live_secret"],
        &["explain", BILLIUM, "/", "--times", "sk_live_secret"],
    ] {
        let ran = tollgate(arguments);
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(ran.stderr.contains("sk_l…") && !ran.stderr.contains("secret"), "{}", ran.stderr);
    }
}
