use super::*;

#[test]
fn each_command_has_examples_in_its_help() {
    let help = tollgate(&["--help"]).good();
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let commands: Vec<&str> = commands
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(commands.contains(&"check") && help.contains("Examples:\n"), "{help}");
    for command in commands {
        let help = tollgate(&[command, "--help"]).good();
        assert!(help.contains(&format!("Usage: tollgate {command}")), "{help}");
        assert!(help.contains("Examples:\n") && help.contains(&format!("  tollgate {command}")), "{help}");
        assert!(help.contains("Exit status: 0"), "{help}");
    }
}

#[test]
fn a_command_that_is_none_fails_with_2_and_names_the_nearest() {
    let ran = tollgate(&["chekc"]);
    assert_eq!((ran.status, ran.out.as_str()), (2, ""));
    assert!(ran.complaint.contains("'check'"), "{}", ran.complaint);
    assert_eq!(tollgate(&[]).status, 2);
}

#[test]
fn nothing_is_coloured_in_a_pipe_and_all_is_if_so_asked() {
    for arguments in
        [&["--help"][..], &["check", BILLIUM], &["check", "cli/tests/zoo/many_errors.yaml"], &["nonsense"]]
    {
        let ran = tollgate(arguments);
        assert!(!ran.out.contains('\u{1B}') && !ran.complaint.contains('\u{1B}'), "{arguments:?}");
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
fn a_reader_that_has_read_enough_is_no_failure() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tollgate"))
        .args(["bootstrap", BILLIUM])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}
