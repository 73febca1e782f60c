//! Users, passwords and what they may do.

use crate::support::{Client, Fleet, Folder, Process, RedisServer, caller, claim_of, limit, options_of};
use tollgate::time::SECOND;
use tollgate_fleet::engine::{Engine, Mode, Redis, RedisOptions};

/// What `docs` tell operators to allow.
const RULES: [&str; 9] =
    ["on", ">right password", "~tollgate:*", "+get", "+set", "+time", "+eval", "+evalsha", "+wait"];

fn with_user() -> RedisServer {
    let redis = RedisServer::start();
    assert_eq!(redis.cli(&[&["ACL", "SETUSER", "fleet"], &RULES[..]].concat()), "OK");
    assert_eq!(redis.cli(&["ACL", "SETUSER", "default", "off"]), "OK");
    redis
}

#[test]
fn a_user_that_may_only_touch_the_prefix_is_enough() {
    let redis = with_user();
    let folder = Folder::new();
    let options = RedisOptions {
        user: Some("fleet".into()),
        password_file: Some(folder.file("password", "right password\n")),
        ..options_of(&[redis.url()], Mode::Single)
    };
    let fleet = Fleet::on(Engine::Redis(Redis::new(options.settings().unwrap())));
    let limits = [limit(3, 60 * SECOND)];
    assert_eq!(fleet.worker().admitted(&claim_of(caller(1), &limits), 5), 3);
    assert_eq!(fleet.readiness(), 200);
}

#[test]
fn user_and_password_of_the_url_are_used() {
    let redis = with_user();
    let fleet = Fleet::at(&format!("redis://fleet:right%20password@127.0.0.1:{}", redis.port));
    assert_eq!(fleet.readiness(), 200);
}

#[test]
fn keys_outside_the_prefix_are_told_as_unavailable() {
    let redis = with_user();
    let settings =
        options_of(&[format!("redis://fleet:right%20password@127.0.0.1:{}", redis.port)], Mode::Single);
    let engine = Engine::Redis(Redis::new(settings.settings().unwrap()));
    let fleet =
        Fleet::with(tollgate_fleet::server::Setup { key_prefix: "other".into(), ..Fleet::setup(engine) });
    let (status, body) = Client::new(fleet.operator).get("/readyz");
    let body = String::from_utf8(body).unwrap();
    assert_eq!(status, 503);
    assert!(body.contains("NOPERM"), "{body}");
}

#[test]
fn a_wrong_password_is_in_no_answer_and_in_no_log() {
    let redis = with_user();
    let url = format!("redis://fleet:wrong-secret@127.0.0.1:{}", redis.port);
    // Long enough to hear why, however busy the machine is.
    let patience = ["--engine-timeout", "1000", "--engine-connect-timeout", "10000"];
    let options = ["--fleet", "test", "--engine", &url, "--drain-time", "0"];
    let mut process = Process::start(&[&options[..], &patience].concat());
    process.until("did not answer");
    let (status, body) = Client::new(process.operator).get("/readyz");
    let body = String::from_utf8(body).unwrap();
    assert_eq!(status, 503);
    process.signal("TERM");
    let log = process.until("stopped");
    assert!(!body.contains("wrong-secret") && !log.contains("wrong-secret"), "{body}{log}");
    assert!(log.contains("WRONGPASS") || log.to_lowercase().contains("authentication"), "{log}");
}

#[test]
fn an_eviction_policy_that_drops_counts_is_warned_of() {
    let redis = RedisServer::with(&["--maxmemory-policy", "allkeys-lru"]);
    let mut process = Process::start(&["--engine", &redis.url()]);
    assert!(process.until("may forget").contains("maxmemory-policy is allkeys-lru"));
}

#[test]
fn an_eviction_policy_that_can_not_be_read_is_warned_of() {
    let redis = with_user();
    let url = format!("redis://fleet:right%20password@127.0.0.1:{}", redis.port);
    let mut process = Process::start(&["--engine", &url]);
    assert!(process.until("may forget").contains("can't be read"));
}
