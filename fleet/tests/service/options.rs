//! Every wrong setting is told at the start, in one line.

use crate::support::{Certificates, Fleet, RedisServer, binary, caller, claim_of, limit, said};
use std::net::TcpListener;
use std::path::Path;
use tollgate::time::SECOND;

/// What the program says about these settings.
fn error(arguments: &[&str]) -> String {
    let output = binary().args(arguments).output().unwrap();
    let text = said(&output);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
    assert_eq!(text.lines().count(), 1, "{arguments:?}: {text}");
    assert!(text.starts_with("tollgate-fleet: "), "{text}");
    text
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[track_caller]
fn tells(arguments: &[&str], parts: &[&str]) {
    let error = error(arguments);
    parts.iter().for_each(|part| assert!(error.contains(part), "{arguments:?}: no {part:?} in {error}"));
}

#[test]
fn the_version_names_the_build_its_commit_and_its_language() {
    let output = binary().arg("--version").output().unwrap();
    let line = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && output.stderr.is_empty());
    assert!(line.starts_with(concat!("tollgate-fleet ", env!("CARGO_PKG_VERSION"), " (")), "{line}");
    assert!(line.ends_with(&format!(") language {}\n", tollgate::language::VERSION)), "{line}");
}

#[test]
fn an_engine_is_required() {
    tells(&[], &["--engine <URL>", "required"]);
}

#[test]
fn a_url_of_another_kind_is_told_without_its_password() {
    let error = error(&["--engine", "mysql://me:secret@host"]);
    assert!(error.contains("--engine: found mysql://…@host; allowed is redis://"), "{error}");
    assert!(!error.contains("secret"));
    tells(&["--engine", "redis://host:99999"], &["--engine: found redis://host:99999", "allowed"]);
    tells(&["--engine", "localhost"], &["--engine: found localhost", "allowed"]);
}

#[test]
fn a_wrong_address_is_told() {
    for option in ["--listen", "--operator-listen"] {
        tells(&["--engine", "memory", option, "localhost"], &[option, "localhost", "such as 127.0.0.1:7070"]);
    }
}

#[test]
fn a_port_in_use_is_told() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    let free = ["--operator-listen", "127.0.0.1:0"];
    tells(
        &[&["--engine", "memory", "--listen", &address], &free[..]].concat(),
        &["--listen", &address, "in use"],
    );
    let operator = ["--engine", "memory", "--listen", "127.0.0.1:0", "--operator-listen", &address];
    tells(&operator, &["--operator-listen", &address, "in use"]);
}

#[test]
fn names_that_keys_can_not_have_are_told() {
    tells(&["--engine", "memory", "--fleet", "a:b"], &["--fleet", "a:b", "letters, digits, _ and -"]);
    tells(&["--engine", "memory", "--key-prefix", "{a}"], &["--key-prefix", "{a}", "letters, digits and"]);
}

#[test]
fn numbers_out_of_bounds_are_told() {
    for (option, value, bounds) in [
        ("--engine-timeout", "0", "1..=1000"),
        ("--engine-timeout", "5000", "1..=1000"),
        ("--engine-connect-timeout", "0", "1..=10000"),
        ("--max-connections", "0", "1..=100000"),
        ("--idle-timeout", "0", "1..=86400"),
        ("--drain-time", "99999999", "0..=60000"),
        ("--memory-values", "0", "1..=100000000"),
        ("--replicas", "1000", "0..=100"),
    ] {
        tells(&["--engine", "memory", option, value], &[option, value, bounds]);
    }
}

#[test]
fn what_memory_can_not_do_is_told() {
    tells(&["--engine", "memory", "--cluster"], &["--cluster: found with --engine memory"]);
    tells(&["--engine", "memory", "--sentinel", "main"], &["--sentinel: found with --engine memory"]);
    tells(&["--engine", "memory", "--replicas", "1"], &["--replicas: found with --engine memory"]);
    tells(&["--engine", "memory,redis://a"], &["--engine: memory and another URL"]);
}

#[test]
fn settings_that_exclude_each_other_are_told() {
    let both = ["--engine", "redis://a", "--cluster", "--sentinel", "main"];
    tells(&both, &["--cluster", "--sentinel", "cannot be used with"]);
    tells(&["--engine", "redis://a,redis://b"], &["--engine: found 2 URLs", "--cluster or --sentinel"]);
    tells(&["--engine", "redis://a,rediss://b", "--cluster"], &["redis:// beside rediss://"]);
}

#[test]
fn a_missing_file_is_told() {
    for option in ["--token-file", "--engine-password-file"] {
        let engine = if option == "--token-file" { "memory" } else { "redis://a" };
        tells(&["--engine", engine, option, "/nowhere/file"], &[option, "/nowhere/file", "No such file"]);
    }
    tells(&["--engine", "rediss://a", "--engine-ca-file", "/nowhere/ca"], &["--engine-ca-file /nowhere/ca"]);
    let files = ["--engine", "memory", "--cert-file", "/nowhere/cert", "--key-file", "/nowhere/key"];
    tells(&files, &["--cert-file /nowhere/cert", "No such file"]);
}

#[test]
fn an_empty_or_short_token_is_told() {
    let certificates = Certificates::new();
    for (content, found) in
        [("", "empty"), ("\n", "empty"), ("short", "found 5 bytes"), ("a b c d e f g h i j", "found")]
    {
        let file = certificates.folder.file("token", content);
        let error = error(&["--engine", "memory", "--token-file", text(&file)]);
        assert!(
            error.contains("--token-file") && error.contains(found) && error.contains("allowed"),
            "{error}"
        );
        assert!(!error.contains("a b c"), "{error}");
    }
}

#[test]
fn certificates_that_are_none_are_told() {
    let certificates = Certificates::new();
    let garbage = certificates.folder.file("garbage", "garbage");
    let (garbage, ca) = (text(&garbage), text(&certificates.ca));
    let (cert, key) = (text(&certificates.server.0), text(&certificates.server.1));
    let port = |cert, key| ["--engine", "memory", "--cert-file", cert, "--key-file", key];
    tells(&port(garbage, key), &["--cert-file", garbage, "no certificate", "PEM"]);
    tells(&port(cert, garbage), &["--key-file", garbage, "no key", "PEM"]);
    tells(
        &[&port(cert, key)[..], &["--client-ca-file", garbage]].concat(),
        &["--client-ca-file", "no certificate"],
    );
    let redis = ["--engine", "rediss://a", "--engine-ca-file"];
    tells(&[&redis[..], &[garbage]].concat(), &["--engine-ca-file", garbage, "no certificate"]);
    tells(&[&redis[..], &[ca, "--engine-cert-file", cert]].concat(), &["without --engine-key-file"]);
}

#[test]
fn a_key_of_another_certificate_is_told() {
    let certificates = Certificates::new();
    let (cert, key) = (text(&certificates.server.0), text(&certificates.client.1));
    tells(
        &["--engine", "memory", "--cert-file", cert, "--key-file", key],
        &["--key-file", "another certificate"],
    );
    let redis = ["--engine", "rediss://a", "--engine-cert-file", cert, "--engine-key-file", key];
    tells(&redis, &["--engine-key-file", "another certificate"]);
}

#[test]
fn files_that_need_each_other_are_told() {
    tells(&["--engine", "memory", "--cert-file", "a"], &["--key-file"]);
    tells(&["--engine", "memory", "--client-ca-file", "a"], &["--cert-file"]);
    tells(
        &["--engine", "redis://a", "--engine-ca-file", "a"],
        &["--engine-ca-file: found with --engine redis://"],
    );
}

#[test]
fn an_unknown_option_is_told() {
    tells(&["--engine", "memory", "--enginetimeout", "5"], &["--enginetimeout"]);
}

fn show(redis: &RedisServer, arguments: &[&str]) -> String {
    let engine = redis.url();
    let all = [&["show", "--engine", &engine, "--fleet", "test", "--policy", "api"], arguments].concat();
    let output = binary().args(all).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn show_prints_what_is_used_and_by_whom() {
    let redis = RedisServer::start();
    let fleet = Fleet::at(&redis.url());
    let limits = [limit(10, 3_600 * SECOND)];
    fleet.worker().admitted(&claim_of(caller(1), &limits), 3);
    let text = show(&redis, &["--caller", "00000000000000010000000000000001"]);
    assert!(text.contains("limit 00000007 (sliding_window): 3 used, until 20"), "{text}");
    assert!(text.contains("  worker ") && text.contains("grant "), "{text}");
    let text = show(&redis, &["--caller", "00000000000000010000000000000002"]);
    assert!(text.starts_with("no record: nothing is counted"), "{text}");
}

#[test]
fn show_finds_a_caller_by_its_values() {
    let redis = RedisServer::start();
    let fleet = Fleet::at(&redis.url());
    let (_, joined) = fleet.join();
    let seed = u128::from_str_radix(joined.split_once(' ').unwrap().0, 16).unwrap();
    let seed = tollgate::identity::Seed::new(seed.to_be_bytes());
    let mut encoder = tollgate::identity::Encoder::new(&seed);
    encoder.add("", b"api");
    encoder.add("api_key", b"alice=1");
    let limits = [limit(10, 3_600 * SECOND)];
    fleet.worker().admitted(&claim_of(encoder.finish().known(true), &limits), 4);
    let text = show(&redis, &["--key-value", "api_key=alice=1"]);
    assert!(text.contains("4 used"), "{text}");
    assert!(show(&redis, &["--key-value", "api_key=bob"]).starts_with("no record"));
}

#[test]
fn show_tells_values_that_are_not_records_and_engines_that_do_not_answer() {
    let redis = RedisServer::start();
    redis.cli(&["SET", "tollgate:test:api:00000000000000010000000000000001", "garbage"]);
    let text = show(&redis, &["--caller", "00000000000000010000000000000001"]);
    assert!(text.contains("not a record"), "{text}");
    let base = ["show", "--policy", "api", "--engine"];
    tells(&[&base[..], &["redis://127.0.0.1:1", "--key-value", "a=b"]].concat(), &["--engine: "]);
    tells(&[&base[..], &["memory", "--key-value", "a=b"]].concat(), &["--engine: found memory"]);
    tells(&[&base[..], &["redis://a"]].concat(), &["--caller"]);
    tells(&[&base[..], &["redis://a", "--caller", "xyz"]].concat(), &["--caller", "32 hexadecimal digits"]);
    tells(&[&base[..], &["redis://a", "--key-value", "alice"]].concat(), &["--key-value", "NAME=VALUE"]);
}
