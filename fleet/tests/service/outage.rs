//! Redis that is away, or whose network is.

use crate::support::{Behaviour, Fleet, RedisServer, Wire, caller, claim_of, eventually, limit, soon};
use std::time::{Duration, Instant};
use tollgate::fleet::units::Claim;
use tollgate::time::SECOND;

const BACK: Duration = Duration::from_secs(1);
const IN_TIME: Duration = Duration::from_secs(1);

/// How long a worker waits to hear that it is not served.
fn time_without_service(fleet: &Fleet, claim: &Claim<'_>) -> Duration {
    let start = Instant::now();
    assert!(!fleet.worker().is_served(claim));
    start.elapsed()
}

fn time_until_served(fleet: &Fleet, claim: &Claim<'_>) -> Duration {
    eventually("served", Duration::from_secs(5), || fleet.worker().is_served(claim))
}

#[test]
fn a_stopped_redis_is_answered_for_in_time_and_back_within_a_second() {
    let redis = RedisServer::start();
    let fleet = Fleet::at(&redis.url());
    let limits = [limit(10, 3_600 * SECOND)];
    let claim = claim_of(caller(1), &limits);
    let mut worker = fleet.worker();
    assert_eq!(worker.admitted(&claim, 4), 4);
    soon(BACK, || {
        redis.signal("STOP");
        (0..5).for_each(|_| soon(IN_TIME, || time_without_service(&fleet, &claim)));
        assert_eq!((fleet.readiness(), fleet.metric("engine_up")), (503, 0));
        redis.signal("CONT");
        time_until_served(&fleet, &claim)
    });
    assert_eq!((fleet.readiness(), fleet.metric("engine_up")), (200, 1));
}

#[test]
fn a_redis_that_is_down_costs_few_connections_and_is_found_within_a_second() {
    let mut redis = RedisServer::start();
    let wire = Wire::to(redis.port);
    let fleet = Fleet::at(&wire.url());
    let limits = [limit(1_000, 3_600 * SECOND)];
    let claim = claim_of(caller(1), &limits);
    assert!(fleet.worker().is_served(&claim));
    redis.kill();
    let (before, start) = (wire.accepted(), Instant::now());
    let mut requests = 0;
    while start.elapsed() < Duration::from_secs(2) {
        assert!(!fleet.worker().is_served(&claim));
        requests += 1;
    }
    let attempts = wire.accepted() - before;
    assert!(attempts <= 20, "{attempts} connections for {requests} requests");
    soon(BACK, || {
        redis.kill();
        assert!(!fleet.worker().is_served(&claim));
        redis.restart();
        time_until_served(&fleet, &claim)
    });
}

#[test]
fn a_stalled_network_is_answered_for_in_time_and_left_within_a_second() {
    let redis = RedisServer::start();
    let wire = Wire::to(redis.port);
    let fleet = Fleet::at(&wire.url());
    let limits = [limit(10, 3_600 * SECOND)];
    let claim = claim_of(caller(1), &limits);
    assert!(fleet.worker().is_served(&claim));
    soon(BACK, || {
        wire.set(Behaviour::Stalls);
        soon(IN_TIME, || time_without_service(&fleet, &claim));
        wire.set(Behaviour::Passes);
        time_until_served(&fleet, &claim)
    });
}

#[test]
fn a_slow_network_is_waited_for() {
    let redis = RedisServer::start();
    let wire = Wire::to(redis.port);
    let fleet = Fleet::at(&wire.url());
    let limits = [limit(3, 3_600 * SECOND)];
    let claim = claim_of(caller(1), &limits);
    assert!(fleet.worker().is_served(&claim));
    wire.set(Behaviour::Delays);
    assert_eq!(fleet.worker().admitted(&claim, 5), 2);
}

#[test]
fn connections_that_are_reset_again_and_again_count_nothing_twice() {
    let redis = RedisServer::start();
    let wire = Wire::to(redis.port);
    let fleet = Fleet::at(&wire.url());
    let limits = [limit(30, 3_600 * SECOND)];
    let claim = claim_of(caller(1), &limits);
    let mut worker = fleet.worker();
    let mut admitted = 0;
    for _ in 0..10 {
        admitted += u32::from(worker.request(&claim) == crate::support::ADMITTED);
        wire.set(Behaviour::Resets);
        admitted += u32::from(worker.request(&claim) == crate::support::ADMITTED);
        wire.set(Behaviour::Passes);
        eventually("served", Duration::from_secs(5), || fleet.readiness() == 200);
    }
    for _ in 0..40 {
        admitted += u32::from(worker.request(&claim) == crate::support::ADMITTED);
    }
    assert_eq!(admitted, 30);
}

#[test]
fn a_promoted_replica_behind_the_same_address_is_found() {
    let primary = RedisServer::start();
    let replica = RedisServer::with(&["--replicaof", &format!("127.0.0.1 {}", primary.port)]);
    eventually("linked", Duration::from_secs(10), || {
        replica.cli(&["INFO", "replication"]).contains("master_link_status:up")
    });
    // The address of a service in front of both: first it leads to the replica, as after a failover that is not done.
    let wire = Wire::to(replica.port);
    let fleet = Fleet::at(&wire.url());
    let limits = [limit(10, 3_600 * SECOND)];
    let claim = claim_of(caller(1), &limits);
    assert!(!fleet.worker().is_served(&claim), "a replica can't be written");
    soon(BACK, || {
        replica.cli(&["REPLICAOF", "127.0.0.1", &primary.port.to_string()]);
        assert!(!fleet.worker().is_served(&claim), "a replica can't be written");
        replica.cli(&["REPLICAOF", "NO", "ONE"]);
        time_until_served(&fleet, &claim)
    });
}
