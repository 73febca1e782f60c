//! The engine and its compose, as `tools/container-test` has found them.

use std::path::PathBuf;
use std::process::Command;

/// The engine's command: `docker` or `podman`.
pub fn engine() -> Command {
    Command::new(given("CONTAINER_ENGINE"))
}

pub fn is_podman() -> bool {
    given("CONTAINER_ENGINE") == "podman"
}

/// The command that starts `deploy/docker-compose.yaml`, for one project.
pub fn compose(project: &str) -> Command {
    let words = given("CONTAINER_COMPOSE");
    let mut words = words.split(' ');
    let mut command = Command::new(words.next().expect("a command"));
    command.args(words).arg("--file").arg(in_repository("deploy/docker-compose.yaml"));
    command.args(["--project-name", project]);
    command
}

/// What it prints, if it ends well.
#[track_caller]
pub fn output(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{complaint}", output.status);
    output.stdout
}

/// The words that it prints, if it ends well.
#[track_caller]
pub fn words(command: &mut Command) -> Vec<String> {
    String::from_utf8(output(command)).expect("UTF-8").split_whitespace().map(str::to_owned).collect()
}

/// What all containers, networks and images of this run are named after.
pub fn test_id() -> String {
    given("CONTAINER_TEST_ID")
}

/// The module, a configuration of Envoy for each system and for a fleet, and the fleet's secrets.
pub fn file(name: &str) -> PathBuf {
    PathBuf::from(given("CONTAINER_TEST_FILES")).join(name)
}

pub fn in_repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn given(variable: &str) -> String {
    std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} is not set: run these tests with `make container-test`"))
}
