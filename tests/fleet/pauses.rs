//! Requests that are paused until the fleet answers: none is lost, none hangs, and none costs what it did not get.

use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{Setup, Update, eventually, free_address, in_repository, new_key, within};
use crate::stage::{Stage, by_path, plan, start};
use crate::trap;

const DENY: &str = "on_outage: deny";

/// Longer than a request's way through everything, and shorter than the fleet's timeout.
const PAUSE: Duration = Duration::from_millis(300);

fn count_of(stage: &Stage, target: &str, key: &str, number: usize) -> usize {
    (0..number).filter(|n| stage.get(n % 2, target).key(key).send().status == 200).count()
}

#[test]
fn clients_that_leave_while_they_wait_lose_no_units_and_leave_nothing_behind() {
    let stage = start(by_path(&[("api", "quota: 10, window: 1h", DENY)]));
    let key = new_key();
    stage.to_service.delay(PAUSE);
    for _ in 0..2 {
        let waiting: Vec<_> = (0..8).map(|n| stage.get(n % 2, "/api").key(&key).begin()).collect();
        thread::sleep(PAUSE / 3);
        drop(waiting);
        (0..2).for_each(|i| stage.on(i, |gateway| gateway.until_idle()));
    }
    stage.to_service.go_on();
    assert_eq!(stage.upstream.requests(), 0);
    let mut passed = 0;
    within(Duration::from_secs(30), "all units to come back", || {
        passed += count_of(&stage, "/api", &key, 2);
        thread::sleep(Duration::from_millis(100));
        (passed >= 10).then_some(())
    });
    assert_eq!(count_of(&stage, "/api", &key, 20), 0);
    assert_eq!(passed, 10);
    stage.assert_no_trap();
}

#[test]
fn requests_that_wait_while_the_listener_is_reloaded_are_answered() {
    let stage = plan(by_path(&[("api", "quota: 1000, window: 1h", DENY)])).change(Setup::live).start();
    stage.to_service.delay(PAUSE);
    for quota in ["1001", "1002"] {
        let waiting: Vec<_> = (0..8).map(|n| stage.get(n % 2, "/api").key(new_key()).begin()).collect();
        thread::sleep(PAUSE / 6);
        for i in [0, 1] {
            let update =
                stage.on(i, |gateway| gateway.update_replacing("quota: 1000", &format!("quota: {quota}")));
            assert_eq!(update, Update::Accepted);
        }
        for request in waiting {
            assert_eq!(request.response().status, 200);
        }
    }
    stage.to_service.go_on();
    assert_eq!(count_of(&stage, "/api", &new_key(), 20), 20);
    stage.assert_no_trap();
}

/// Here the old listener's root contexts go at once, and with them the calls that were sent from them.
#[test]
fn requests_that_wait_while_the_listener_goes_do_not_hang() {
    let policy = by_path(&[("api", "quota: 1000, window: 1h", "on_outage: allow")]);
    let stage = plan(policy).change(|setup| setup.live().draining_at_once()).start();
    stage.to_service.delay(PAUSE);
    let waiting: Vec<_> = (0..8).map(|n| stage.get(n % 2, "/api").key(new_key()).begin()).collect();
    thread::sleep(PAUSE / 6);
    for i in [0, 1] {
        let update = stage.on(i, |gateway| gateway.update_replacing("quota: 1000", "quota: 1001"));
        assert_eq!(update, Update::Accepted);
    }
    // Answered, or closed with the listener.
    within(Duration::from_secs(20), "each to be over", || {
        waiting.iter().all(|one| one.answered()).then_some(())
    });
    stage.to_service.go_on();
    assert_eq!(count_of(&stage, "/api", &new_key(), 20), 20);
    stage.assert_no_trap();
}

/// If the answers are given one within the other, some 500 fill the VM's stack.
#[test]
fn a_crowd_that_waits_in_an_outage_is_answered_and_no_vm_traps() {
    const CROWD: usize = 800;
    let policy = by_path(&[("api", "quota: 1000, window: 1h", DENY)]);
    let stage = plan(policy).envoys(1).change(|setup| setup.workers(1)).unjoined().start();
    let key = new_key();
    stage.to_service.stop();
    let waiting: Vec<_> = (0..CROWD).map(|_| stage.get(0, "/api").key(&key).begin()).collect();
    for request in waiting {
        let response = request.response();
        assert_eq!((response.status, response.retry_after()), (503, 1));
    }
    stage.assert_no_trap();
    stage.to_service.go_on();
    within(Duration::from_secs(20), "the service to be back", || {
        (stage.get(0, "/api").key(new_key()).send().status == 200).then_some(())
    });
}

#[test]
fn requests_that_wait_in_a_vm_that_traps_end_with_the_shipped_request_timeout() {
    let files = crate::harness::Files::new();
    let module = trap::module_that_traps(&files);
    let policy = by_path(&[("api", "quota: 1000, window: 1h", DENY)]);
    let change = move |setup: Setup| {
        let shipped = crate::harness::module().display().to_string();
        setup.replacing(&shipped, &module).replacing("request_timeout: 30s", "request_timeout: 3s")
    };
    let stage = plan(policy).envoys(1).change(change).start();
    stage.to_service.stop();
    let begin = Instant::now();
    let waiting: Vec<_> = (0..12).map(|_| stage.get(0, "/api").key(new_key()).begin()).collect();
    thread::sleep(Duration::from_millis(100));
    // No policy applies: it goes on to the upstream, and its response traps. Both workers get some.
    (0..12).for_each(|_| drop(stage.get(0, "/other").begin().response()));
    assert!(stage.envoy_logs().contains("Function: proxy_on_response_headers"), "a trap");
    let statuses: Vec<_> = waiting.into_iter().map(|request| request.response().status).collect();
    println!("{statuses:?} after {:?}", begin.elapsed());
    assert!(statuses.iter().all(|status| [408, 503, 504].contains(status)), "{statuses:?}");
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
    // The module is loaded again, joins, and limits.
    stage.to_service.go_on();
    within(Duration::from_secs(20), "a new VM to serve", || {
        let response = stage.get(0, "/api").key(new_key()).begin().response();
        // Its response traps again, after the module has decided.
        (stage.upstream.requests_for("/api") > 0 || response.status == 200).then_some(())
    });
}

/// How each `on_outage` decides at once where there is no service at all.
fn assert_decided_at_once(change: impl Fn(Setup) -> Setup + 'static) {
    let hour = "quota: 4, window: 1h";
    let policy = by_path(&[
        ("deny", hour, DENY),
        ("local", hour, "on_outage: local"),
        ("allow", hour, "on_outage: allow"),
    ]);
    let stage = plan(policy).change(change).unjoined().start();
    let key = new_key();
    for round in 0..3 {
        for n in 0..12 {
            let status = |path: &str| {
                let begin = Instant::now();
                let status = stage.get(n % 2, path).key(&key).send().status;
                assert!(begin.elapsed() < Duration::from_secs(5), "{path} took {:?}", begin.elapsed());
                status
            };
            assert_eq!((status("/deny"), status("/allow")), (503, 200), "{round}");
            // Nobody knows of the others: each Envoy for itself.
            assert_eq!(status("/local"), if round == 0 && n < 8 { 200 } else { 429 }, "{round} {n}");
        }
        // Ticks and probes, too.
        thread::sleep(Duration::from_millis(700));
    }
    stage.assert_no_trap();
}

#[test]
fn a_cluster_that_does_not_exist_is_an_outage_at_once() {
    assert_decided_at_once(|setup| setup.replacing("cluster: tollgate-fleet, name", "cluster: nobody, name"));
}

#[test]
fn a_cluster_without_endpoints_is_an_outage_at_once() {
    assert_decided_at_once(|setup| {
        setup.replacing("type: STRICT_DNS", "type: STATIC").without_endpoints("tollgate-fleet")
    });
}

#[test]
fn a_cluster_that_refuses_connections_is_an_outage_at_once() {
    let free = free_address().port();
    assert_decided_at_once(move |setup| setup.endpoint("tollgate-fleet", free));
}

/// The list of docs/security.md, and what a fleet needs besides.
fn allowed_but(without: &str) -> String {
    let page = std::fs::read_to_string(in_repository("docs/security.md")).expect("the page");
    let (_, rest) = page.split_once("allowed_capabilities:\n").expect("the list");
    let listed = rest.lines().map_while(|line| line.trim().strip_suffix(": {}"));
    let fleet = [
        "proxy_http_call",
        "proxy_on_http_call_response",
        "proxy_set_effective_context",
        "proxy_continue_stream",
        "proxy_get_buffer_bytes",
        "proxy_on_done",
    ];
    let mut calls: Vec<_> = listed.chain(fleet).filter(|call| *call != without).collect();
    calls.sort_unstable();
    calls.dedup();
    let calls: Vec<_> = calls.iter().map(|call| format!("{call}: {{}}")).collect();
    format!("capability_restriction_config: {{ allowed_capabilities: {{ {} }} }}", calls.join(", "))
}

/// Envoy 1.36 applies what a module may call when it starts, and not when its configuration changes. So there a missing
/// call is an error at the start alone.
fn restrictions_need_a_restart() -> bool {
    let said = std::process::Command::new(crate::harness::envoy()).arg("--version").output().expect("Envoy");
    String::from_utf8_lossy(&said.stdout).contains("/1.36.")
}

#[test]
fn without_a_call_that_a_fleet_needs_the_configuration_is_an_error_and_the_old_one_serves_on() {
    const ANCHOR: &str = "failure_policy: FAIL_RELOAD";
    let stage =
        plan(by_path(&[("api", "quota: 1000, window: 1h", DENY)])).envoys(1).change(Setup::live).start();
    let put = |option: &str| format!("{ANCHOR}\n                        {option}");
    let key = new_key();
    for without in ["proxy_http_call", "proxy_set_effective_context", "proxy_continue_stream"] {
        let update = stage.on(0, |gateway| gateway.update_replacing(ANCHOR, &put(&allowed_but(without))));
        if restrictions_need_a_restart() {
            assert_eq!(update, Update::Accepted, "{without}");
            assert_eq!(stage.get(0, "/api").key(&key).send().status, 200, "{without}");
            continue;
        }
        assert_eq!(update, Update::Rejected, "{without}");
        assert!(
            stage.envoy_logs().contains("a host that does not let this module pause requests"),
            "{without}"
        );
        assert_eq!(stage.get(0, "/api").key(&key).send().status, 200, "{without}");
    }
    let update = stage.on(0, |gateway| gateway.update_replacing(ANCHOR, &put(&allowed_but("nothing"))));
    assert_eq!(update, Update::Accepted);
    eventually("the new configuration to serve", || {
        (stage.get(0, "/api").key(&key).send().status == 200).then_some(())
    });
    assert_eq!(stage.get(0, "/api").key(&key).admitted_of(20), 20);
    stage.assert_no_trap();
}
