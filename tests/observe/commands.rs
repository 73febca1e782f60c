//! What the page of the seven questions has one type into a shell.

use std::fs;
use std::process::Command;

use crate::harness::{Files, Setup, eventually, in_repository};

const POLICY: &str = "keys: { key: { header: x-key } }
policies: [{ name: key, key: key, limits: [{ name: hour, quota: 2, window: 1h }] }]
access_log: { caller: true, format: FORMAT }
";

/// The first `sh` block of the page.
fn command() -> String {
    let page = fs::read_to_string(in_repository("docs/operate.md")).expect("the page");
    let (_, rest) = page.split_once("```sh\n").expect("a command");
    rest.split("```").next().expect("its end").to_owned()
}

#[test]
fn the_access_log_says_who_is_rejected_most_whatever_its_format() {
    for format in ["text", "json"] {
        let gateway = Setup::printed(&POLICY.replace("FORMAT", format), &["--access-log"]).start();
        for (key, times) in [("often", 9), ("seldom", 5), ("never", 2)] {
            assert_eq!(gateway.get("/").header("x-key", key).admitted_of(times), 2);
        }
        eventually("a line for each request", || {
            (gateway.log().matches("/ HTTP/1.1").count() == 16).then_some(())
        });
        let files = Files::new();
        fs::write(files.file("access.log"), gateway.log()).expect("a log");
        let shell = Command::new("sh").args(["-c", &command()]).current_dir(files.file("")).output();
        let printed = String::from_utf8(shell.expect("a shell").stdout).expect("UTF-8");
        let counts: Vec<_> = printed.lines().map(|line| line.split_whitespace().next().unwrap()).collect();
        assert_eq!(counts, ["7", "3"], "{format}: {printed}\n{}", gateway.log());
        assert!(printed.lines().all(|line| line.len() > 16 && !line.contains("often")), "{printed}");
    }
}
