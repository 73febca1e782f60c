//! While the fleet's service does not answer, `on_outage` decides, and afterwards everything is counted once.

use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{Request, Response, eventually, new_key, within};
use crate::soon::soon;
use crate::stage::{Stage, by_path_in, plan, start};

/// In this stage an outage is noticed early.
fn stage() -> Stage {
    let fleet = "headers: { preset: x-ratelimit, describes: most_constrained }\n\
                 fleet: { cluster: tollgate-fleet, name: test, timeout: 300ms }\n";
    let hour = "quota: 60, window: 1h";
    start(by_path_in(
        fleet,
        &[
            ("deny", hour, "on_outage: deny"),
            ("local", hour, "on_outage: local"),
            ("allow", hour, "on_outage: allow"),
        ],
    ))
}

/// So many answers to a request on new connections, so that each worker gives some.
fn answers(requests: impl Iterator<Item = Request>) -> Vec<Response> {
    requests.map(|request| request.send()).collect()
}

fn on_both<'a>(
    stage: &'a Stage,
    target: &'a str,
    key: &'a str,
    number: usize,
) -> impl Iterator<Item = Request> + 'a {
    (0..number).map(move |n| stage.get(n % 2, target).key(key))
}

fn passed(answers: &[Response]) -> usize {
    answers.iter().filter(|answer| answer.status == 200).count()
}

/// When it is over, each worker is served within this time.
const OVER: Duration = Duration::from_secs(6);

/// Waits until every worker takes the service for down.
fn until_down(stage: &Stage) {
    // Each says it once, as it notices by its own requests.
    within(Duration::from_secs(30), "each worker to notice", || {
        let all = answers(on_both(stage, "/deny", &new_key(), 12));
        all.iter().all(|answer| answer.status == 503).then_some(())
    });
}

/// Waits until every worker is served again, and says how long that took.
fn until_up(stage: &Stage) -> Duration {
    let begin = Instant::now();
    within(Duration::from_secs(30), "each worker to be served", || {
        let all = answers((0..12).map(|n| stage.get(n % 2, "/deny").key(new_key())));
        all.iter().all(|answer| answer.status == 200).then_some(())
    });
    begin.elapsed()
}

#[test]
fn deny_answers_503_with_a_wait_and_without_limit_headers() {
    let stage = stage();
    stage.kill_service();
    until_down(&stage);
    for denied in answers(on_both(&stage, "/deny", &new_key(), 4)) {
        assert_eq!(denied.status, 503);
        assert!((1..=5).contains(&denied.retry_after()), "{denied:?}");
        let told = denied.headers.iter().filter(|(name, _)| name.starts_with("x-ratelimit"));
        assert_eq!(told.count(), 0, "{denied:?}");
    }
    for i in [0, 1] {
        let request = stage.on(i, |gateway| gateway.request("POST", "/deny").key(new_key()));
        let request = request.header("content-type", "application/grpc").header("content-length", "0");
        let denied = request.send();
        assert_eq!(denied.value("grpc-status"), "14", "UNAVAILABLE: {denied:?}");
    }
    stage.assert_no_trap();
}

#[test]
fn an_outage_of_the_service_is_seen_in_metrics_and_logs_and_over_soon_after_it() {
    let stage = stage();
    stage.kill_service();
    until_down(&stage);
    answers(on_both(&stage, "/local", &new_key(), 12));
    eventually("failures in the metrics", || (stage.metric("fleet.failures") >= 12).then_some(()));
    eventually("decisions alone in the metrics", || (stage.metric("fleet.alone") >= 12).then_some(()));
    let log = stage.envoy_logs();
    assert!(
        log.contains("the fleet's service answers with 503") || log.contains("service does not answer"),
        "{log}"
    );
    soon(OVER, || {
        stage.kill_service();
        until_down(&stage);
        stage.start_service();
        until_up(&stage)
    });
    let up = || stage.envoy_logs().matches("the fleet's service answers again").count();
    // Once for all workers of a proxy.
    eventually("each proxy to say so", || (up() >= 2).then_some(()));
}

#[test]
fn an_outage_of_redis_is_over_soon_after_it() {
    let stage = stage();
    stage.kill_redis();
    until_down(&stage);
    let operator = stage.service.operator();
    assert_eq!(operator.page("/livez").0, 200);
    eventually("the service not to be ready", || (operator.page("/readyz").0 == 503).then_some(()));
    // The first request of a proxy is answered with 503, or not in time.
    let noticed = || stage.envoy_logs().matches("each policy follows its on_outage").count();
    eventually("each proxy to say so", || (noticed() >= 2).then_some(()));
    soon(OVER, || {
        stage.kill_redis();
        until_down(&stage);
        stage.start_redis();
        until_up(&stage)
    });
    eventually("the service to be ready", || (operator.page("/readyz").0 == 200).then_some(()));
}

/// Posts are made within a moment; units in hand are returned, too.
fn left_afterwards(stage: &Stage, target: &str, key: &str) -> usize {
    thread::sleep(Duration::from_secs(6));
    let mut left = 0;
    let mut rejected = 0;
    while rejected < 40 {
        let more = answers(on_both(stage, target, key, 4));
        left += passed(&more);
        rejected += more.len() - passed(&more);
        thread::sleep(Duration::from_millis(50));
    }
    left
}

enum Outage {
    Service,
    Redis,
    Link,
}

#[test]
fn what_an_outage_has_admitted_is_counted_once_afterwards() {
    for outage in [Outage::Service, Outage::Redis, Outage::Link] {
        let stage = stage();
        let key = new_key();
        assert_eq!(passed(&answers(on_both(&stage, "/local", &key, 10))), 10);
        assert_eq!(passed(&answers(on_both(&stage, "/allow", &key, 10))), 10);
        match outage {
            Outage::Service => stage.kill_service(),
            Outage::Redis => stage.kill_redis(),
            Outage::Link => stage.to_service.stop(),
        }
        until_down(&stage);
        let alone = answers(on_both(&stage, "/local", &key, 100));
        assert!(alone.iter().all(|answer| [200, 429].contains(&answer.status)), "nobody is sent away");
        let admitted = passed(&alone);
        // Each of four workers at most its share of six, and those who had units in hand these.
        assert!((10..60).contains(&admitted), "{admitted}");
        assert_eq!(passed(&answers(on_both(&stage, "/allow", &key, 30))), 30);
        match outage {
            Outage::Service => stage.start_service(),
            Outage::Redis => stage.start_redis(),
            // What was sent meanwhile comes late.
            Outage::Link => stage.to_service.go_on(),
        }
        until_up(&stage);
        assert_eq!(left_afterwards(&stage, "/local", &key), 60_usize.saturating_sub(10 + admitted), "local");
        assert_eq!(left_afterwards(&stage, "/allow", &key), 20, "allow");
        assert_eq!(stage.metric("fleet.dropped"), 0);
        stage.assert_no_trap();
    }
}

#[test]
fn a_redis_that_comes_back_empty_is_noticed_by_the_service_and_by_each_worker() {
    let stage = stage();
    let key = new_key();
    assert_eq!(passed(&answers(on_both(&stage, "/local", &key, 30))), 30);
    stage.kill_redis();
    stage.redis.lose();
    stage.start_redis();
    until_up(&stage);
    eventually("each worker to notice", || (stage.metric("fleet.emptied") >= 4).then_some(()));
    assert!(stage.envoy_logs().contains("the fleet's engine has lost its data"));
    let operator = stage.service.operator();
    assert!((operator.metric("tollgate_fleet_engine_emptied_total") - 1.0).abs() < 0.1);
    assert!(stage.service.log().contains("the engine has lost its data"));
    // All counts begin anew, and hold.
    let more = left_afterwards(&stage, "/local", &key);
    assert!((31..=60).contains(&more), "{more}");
    stage.assert_no_trap();
}

/// On a busy machine everything stands still now and then. Several calls then fail together, and that is one failure.
#[test]
fn a_moment_in_which_redis_stands_still_is_no_outage() {
    let fleet = "fleet: { cluster: tollgate-fleet, name: test, timeout: 1s }\n";
    let policy = by_path_in(fleet, &[("deny", "quota: 60, window: 1h", "on_outage: deny")]);
    let stage = plan(policy).engine_timeout(100).start();
    // Callers whom nobody has seen: each request asks.
    let request = |i| stage.try_on(i, |gateway| gateway.get("/deny").key(new_key()));
    let record = stage.flood_of(request, Duration::from_secs(4), || {
        for _ in 0..3 {
            thread::sleep(Duration::from_millis(1_300));
            stage.redis.signal("STOP");
            thread::sleep(Duration::from_millis(130));
            stage.redis.signal("CONT");
        }
    });
    println!("{:?}", record.statuses());
    assert_eq!(record.count(503), 0, "{:?}", record.statuses());
}

/// `fleet.timeout` is what an operator allows a request to wait.
#[test]
fn a_request_waits_for_a_service_that_does_not_answer_no_longer_than_the_timeout() {
    let fleet = "fleet: { cluster: tollgate-fleet, name: test, timeout: 1s }\n";
    let stage = start(by_path_in(fleet, &[("deny", "quota: 60, window: 1h", "on_outage: deny")]));
    stage.to_service.stop();
    soon(Duration::from_millis(1_900), || {
        let begin = Instant::now();
        assert_eq!(stage.get(0, "/deny").key(new_key()).send().status, 503);
        begin.elapsed()
    });
}
