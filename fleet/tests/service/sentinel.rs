//! A primary with a replica, and Sentinels that watch them.

use crate::support::{Fleet, RedisServer, caller, claim_of, eventually, limit, options_of};
use std::time::Duration;
use tollgate::time::SECOND;
use tollgate_fleet::engine::{Engine, Mode, Redis};

fn sentinels(primary: &RedisServer) -> Vec<RedisServer> {
    let port = primary.port;
    let config = format!(
        "sentinel monitor main 127.0.0.1 {port} 2\nsentinel down-after-milliseconds main 500\n\
         sentinel failover-timeout main 2000\n"
    );
    (0..3).map(|_| RedisServer::sentinel(&config)).collect()
}

#[test]
fn after_a_failover_the_counts_go_on_at_the_new_primary() {
    let mut primary = RedisServer::start();
    let replica = RedisServer::with(&["--replicaof", &format!("127.0.0.1 {}", primary.port)]);
    let sentinels = sentinels(&primary);
    let urls: Vec<String> = sentinels.iter().map(RedisServer::url).collect();
    eventually("the Sentinels know each other and the replica", Duration::from_secs(20), || {
        sentinels.iter().all(|one| {
            let main = one.cli(&["INFO", "sentinel"]);
            main.contains("slaves=1,sentinels=3")
        })
    });
    let settings = options_of(&urls, Mode::Sentinel("main".into())).settings().unwrap();
    let fleet = Fleet::on(Engine::Redis(Redis::new(settings)));
    let limits = [limit(10, 3_600 * SECOND)];
    let claim = claim_of(caller(1), &limits);
    assert_eq!(fleet.worker().admitted(&claim, 7), 7);
    eventually("the replica has it", Duration::from_secs(5), || replica.records().len() == 1);
    std::thread::sleep(Duration::from_millis(200));
    primary.kill();
    eventually("promoted", Duration::from_secs(30), || replica.cli(&["ROLE"]).starts_with("master"));
    eventually("served", Duration::from_secs(5), || fleet.readiness() == 200);
    assert_eq!(fleet.worker().admitted(&claim, 7), 3);
}

#[test]
fn an_unknown_name_of_the_primary_is_told() {
    let primary = RedisServer::start();
    let sentinels = sentinels(&primary);
    let urls: Vec<String> = sentinels.iter().map(RedisServer::url).collect();
    let settings = options_of(&urls, Mode::Sentinel("other".into())).settings().unwrap();
    let fleet = Fleet::on(Engine::Redis(Redis::new(settings)));
    let (status, body) = crate::support::Client::new(fleet.operator).get("/readyz");
    let body = String::from_utf8(body).unwrap();
    assert_eq!(status, 503);
    assert!(body.contains("no Sentinel knows the primary: they do not know other"), "{body}");
}
