//! What the engine keeps, and what happens when it does not.

use crate::support::{Fleet, RedisServer, caller, claim_of, eventually, limit, soon};
use std::time::Duration;
use tollgate::time::SECOND;

#[test]
fn counts_go_on_after_redis_was_killed_and_has_read_its_log() {
    let mut redis = RedisServer::with(&["--appendonly", "yes", "--appendfsync", "everysec"]);
    let fleet = Fleet::at(&redis.url());
    let limits = [limit(20, 3_600 * SECOND)];
    let claim = claim_of(caller(1), &limits);
    let seed = fleet.join();
    assert_eq!(fleet.worker().admitted(&claim, 15), 15);
    soon(Duration::from_secs(1), || {
        redis.kill();
        redis.restart();
        eventually("served", Duration::from_secs(5), || fleet.readiness() == 200)
    });
    // Another proxy: it has nothing in hand.
    assert_eq!(fleet.worker().admitted(&claim, 15), 5);
    assert_eq!((fleet.join(), fleet.metric("engine_emptied_total")), (seed, 0));
}

#[test]
fn an_emptied_database_is_noticed_within_a_second_and_the_seed_stays() {
    let redis = RedisServer::start();
    let fleet = Fleet::at(&redis.url());
    let (_, before) = fleet.join();
    let mut times = 0;
    soon(Duration::from_secs(1), || {
        redis.cli(&["FLUSHALL"]);
        times += 1;
        eventually("noticed", Duration::from_secs(5), || fleet.metric("engine_emptied_total") == times)
    });
    let (_, after) = fleet.join();
    let (seed, epoch) = before.split_once(' ').unwrap();
    let (new_seed, new_epoch) = after.split_once(' ').unwrap();
    assert_eq!(seed, new_seed);
    assert_ne!(epoch, new_epoch);
}

#[test]
fn services_that_see_the_same_loss_agree_on_the_new_epoch() {
    let redis = RedisServer::start();
    let fleets: Vec<Fleet> = (0..3).map(|_| Fleet::at(&redis.url())).collect();
    fleets.iter().for_each(|fleet| drop(fleet.join()));
    redis.cli(&["FLUSHALL"]);
    for fleet in &fleets {
        eventually("noticed", Duration::from_secs(2), || fleet.metric("engine_emptied_total") == 1);
    }
    assert!(fleets.iter().all(|fleet| fleet.join() == fleets[0].join()));
}

#[test]
fn every_key_expires() {
    let redis = RedisServer::start();
    let fleet = Fleet::at(&redis.url());
    let limits = [limit(20, 60 * SECOND)];
    fleet.join();
    fleet.worker().admitted(&claim_of(caller(1), &limits), 2);
    let keys = redis.cli(&["--scan"]);
    assert_eq!(keys.lines().count(), 2);
    for key in keys.lines() {
        let left: i64 = redis.cli(&["PTTL", key]).parse().unwrap();
        assert!(left > 0, "{key} has {left} ms left");
    }
}

#[test]
fn a_write_that_a_replica_must_have_is_not_answered_without_one() {
    let redis = RedisServer::start();
    let options = tollgate_fleet::engine::RedisOptions {
        replicas: 1,
        ..crate::support::options_of(&[redis.url()], tollgate_fleet::engine::Mode::Single)
    };
    let engine = tollgate_fleet::engine::Redis::new(options.settings().unwrap());
    let fleet = Fleet::on(tollgate_fleet::engine::Engine::Redis(engine));
    let limits = [limit(20, 60 * SECOND)];
    let claim = claim_of(caller(1), &limits);
    assert!(!fleet.worker().is_served(&claim));
    let replica = RedisServer::with(&["--replicaof", &format!("127.0.0.1 {}", redis.port)]);
    eventually("linked", Duration::from_secs(10), || {
        replica.cli(&["INFO", "replication"]).contains("master_link_status:up")
    });
    eventually("served", Duration::from_secs(5), || fleet.worker().is_served(&claim));
}
