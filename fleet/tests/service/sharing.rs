//! Several services on one Redis.

use crate::support::{Fleet, RedisServer, caller, claim_of, limit};
use std::sync::Barrier;
use tollgate::time::SECOND;

#[test]
fn two_workers_admit_the_quota_together_and_redis_shows_it() {
    let redis = RedisServer::start();
    let fleet = Fleet::at(&redis.url());
    let limits = [limit(50, 60 * SECOND)];
    let claim = claim_of(caller(1), &limits);
    let mut workers = [fleet.worker(), fleet.worker()];
    let admitted: u32 = (0..60).map(|request| workers[request % 2].admitted(&claim, 2)).sum();
    assert_eq!(admitted, 50);
    let [key] = redis.records().try_into().unwrap();
    let value = redis.cli(&["GET", &key]);
    assert!(value.starts_with("v1 ") && value.contains("; 00000007/1 "), "{value}");
}

#[test]
fn services_that_hammer_one_caller_admit_exactly_the_quota() {
    const QUOTA: u32 = 200;
    let redis = RedisServer::start();
    let fleets = [Fleet::at(&redis.url()), Fleet::at(&redis.url())];
    let limits = [limit(QUOTA, 3_600 * SECOND)];
    let start = Barrier::new(6);
    let hammer = |fleet: &Fleet| {
        let mut worker = fleet.worker();
        start.wait();
        let outcomes = (0..100).map(|_| worker.request(&claim_of(caller(1), &limits)));
        u32::try_from(outcomes.filter(|one| *one == crate::support::ADMITTED).count()).unwrap()
    };
    let admitted: u32 = std::thread::scope(|scope| {
        let hammer = &hammer;
        let threads: Vec<_> =
            [0, 1, 0, 1, 0, 1].map(|i| &fleets[i]).map(|fleet| scope.spawn(move || hammer(fleet))).into();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(admitted, QUOTA);
    let conflicts: u64 = fleets.iter().map(|fleet| fleet.metric("conflicts_total")).sum();
    assert!(conflicts > 0, "the services did not meet");
}

#[test]
fn services_that_start_at_once_agree_on_the_seed() {
    for _ in 0..5 {
        let redis = RedisServer::start();
        let fleets: Vec<Fleet> = (0..4).map(|_| Fleet::at(&redis.url())).collect();
        let start = Barrier::new(fleets.len());
        let join = |fleet: &Fleet| {
            start.wait();
            fleet.join()
        };
        let seeds: Vec<(u16, String)> = std::thread::scope(|scope| {
            let join = &join;
            let threads: Vec<_> = fleets.iter().map(|fleet| scope.spawn(move || join(fleet))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(seeds.iter().all(|seed| *seed == seeds[0] && seed.0 == 200), "{seeds:?}");
        assert_eq!(seeds[0].1.len(), 32 + 1 + 16 + 1);
    }
}

#[test]
fn two_fleets_of_one_redis_do_not_touch_each_other() {
    let redis = RedisServer::start();
    let one = Fleet::at(&redis.url());
    let settings =
        crate::support::options_of(&[redis.url()], tollgate_fleet::engine::Mode::Single).settings();
    let engine = tollgate_fleet::engine::Engine::Redis(tollgate_fleet::engine::Redis::new(settings.unwrap()));
    let other =
        Fleet::with(tollgate_fleet::server::Setup { key_prefix: "other".into(), ..Fleet::setup(engine) });
    let limits = [limit(5, 60 * SECOND)];
    let claim = claim_of(caller(1), &limits);
    assert_eq!((one.worker().admitted(&claim, 9), other.worker().admitted(&claim, 9)), (5, 5));
    assert_ne!(one.join(), other.join());
}
