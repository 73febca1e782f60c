//! Whatever dies, stands still or is cut while a caller floods both Envoys, the bound holds.

use std::thread;
use std::time::Duration;

use crate::harness::{eventually, new_key};
use crate::stage::{Link, Record, Redis, Stage, Value, by_path_in, start};

const FIVE: Duration = Duration::from_secs(5);
const QUOTA: usize = 100;
const FEW: usize = 2;

/// Workers as the service counts them: two Envoys with two each, and a VM in each main thread.
const WORKERS: usize = 6;

/// How long a fault lasts: longer than it takes to notice it.
const FAULT: Duration = Duration::from_millis(2_500);

/// Longer than a fleet takes to come back, most of the time.
const PEACE: Duration = Duration::from_millis(2_000);

struct Flooded {
    stage: Stage,
    deny: Record,
    local: Record,
    few: Record,
}

/// Floods three callers, one for each `on_outage` and one with a quota below the number of workers, while this is
/// done.
fn flooded(faults: impl FnOnce(&Stage)) -> Flooded {
    let fleet = "fleet: { cluster: tollgate-fleet, name: test, timeout: 200ms }\n";
    let stage = start(by_path_in(
        fleet,
        &[
            ("deny", &format!("quota: {QUOTA}, window: 5s"), "on_outage: deny"),
            ("local", &format!("quota: {QUOTA}, window: 5s"), "on_outage: local"),
            ("few", &format!("quota: {FEW}, window: 5s"), "on_outage: local"),
        ],
    ));
    let over = std::sync::Barrier::new(4);
    let flood = |path: &str| {
        stage.flood(path, &new_key(), Duration::ZERO, || {
            over.wait();
        })
    };
    let (deny, local, few) = thread::scope(|scope| {
        let floods = ["/deny", "/local", "/few"].map(|path| scope.spawn(move || flood(path)));
        thread::sleep(PEACE);
        // The floods have to end, whatever comes of it.
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| faults(&stage)));
        over.wait();
        let [deny, local, few] = floods.map(|flood| flood.join().expect("a flood"));
        done.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (deny, local, few)
    });
    Flooded { stage, deny, local, few }
}

impl Flooded {
    fn assert_bounds(&self, new_workers: usize) {
        for (name, record) in [("deny", &self.deny), ("local", &self.local), ("few", &self.few)] {
            let (worst, upstream) = (record.worst(FIVE), record.worst_at_upstream(FIVE));
            println!("{name}: {worst}, at the upstream {upstream}, {:?}", record.statuses());
        }
        assert!(self.deny.worst(FIVE) <= QUOTA, "deny: {:?}", self.deny.statuses());
        assert!(self.local.worst(FIVE) < 2 * QUOTA, "local: {:?}", self.local.statuses());
        assert!(self.few.worst(FIVE) <= FEW + WORKERS + new_workers, "few: {:?}", self.few.statuses());
        // An Envoy that is killed gives no answer.
        assert_eq!(self.local.count(503) + self.few.count(503), 0, "nobody is sent away");
        self.stage.assert_no_trap();
    }
}

/// Once more, after a fault, units have been given out.
fn assert_back(record: &Record, after: Duration) {
    let passed = record.outcomes.iter().filter(|outcome| outcome.status == 200);
    assert!(passed.filter(|outcome| record.at(outcome.sent) > after).count() > 0, "{:?}", record.statuses());
}

#[test]
fn kills_of_redis_the_service_and_an_envoy_break_no_bound() {
    let flooded = flooded(|stage| {
        stage.kill_redis();
        thread::sleep(FAULT);
        stage.start_redis();
        thread::sleep(PEACE);
        stage.kill_service();
        thread::sleep(FAULT);
        stage.start_service();
        thread::sleep(PEACE);
        stage.kill_envoy(1);
        thread::sleep(FAULT);
        stage.start_envoy(1);
        thread::sleep(FIVE);
    });
    flooded.assert_bounds(3);
    assert_back(&flooded.deny, PEACE + FAULT * 3 + PEACE * 2);
}

#[test]
fn processes_that_stand_still_break_no_bound() {
    let flooded = flooded(|stage| {
        for _ in 0..2 {
            stage.redis.signal("STOP");
            thread::sleep(FAULT);
            stage.redis.signal("CONT");
            thread::sleep(PEACE);
            stage.service.signal("STOP");
            thread::sleep(FAULT);
            stage.service.signal("CONT");
            thread::sleep(PEACE);
        }
        thread::sleep(FIVE);
    });
    flooded.assert_bounds(0);
    assert_back(&flooded.deny, (FAULT + PEACE) * 4 + PEACE);
}

#[test]
fn links_that_stop_delay_and_break_break_no_bound() {
    let flooded = flooded(|stage| {
        for link in [&stage.to_redis, &stage.to_service] {
            link.stop();
            thread::sleep(FAULT);
            link.go_on();
            thread::sleep(PEACE);
            link.delay(Duration::from_millis(200));
            thread::sleep(FAULT);
            link.go_on();
            for _ in 0..20 {
                link.reset();
                thread::sleep(Duration::from_millis(100));
            }
        }
        thread::sleep(FIVE);
    });
    flooded.assert_bounds(0);
    assert_back(&flooded.deny, (FAULT * 2 + PEACE * 2) * 2 + PEACE);
}

/// What the replica had not received may be admitted again. On one machine that is hardly ever anything.
#[test]
fn a_replica_that_is_promoted_goes_on_with_the_counts() {
    let replica = Redis::start();
    let flooded = flooded(|stage| {
        let primary = Link::to(stage.redis.address());
        let port = primary.address().port().to_string();
        assert_eq!(replica.ask(&["REPLICAOF", "127.0.0.1", &port]), Value::Text("OK".to_owned()));
        let synced = || replica.ask(&["INFO", "replication"]).text().contains("master_link_status:up");
        eventually("the replica to have everything", || synced().then_some(()));
        thread::sleep(PEACE);
        stage.kill_redis();
        replica.ask(&["REPLICAOF", "NO", "ONE"]);
        stage.to_redis.lead_to(replica.address());
        thread::sleep(FIVE * 2);
    });
    assert!(flooded.deny.worst(FIVE) < 2 * QUOTA, "{:?}", flooded.deny.statuses());
    println!("{} with {QUOTA}", flooded.deny.worst(FIVE));
    assert_back(&flooded.deny, FIVE + PEACE * 2);
    assert!(!flooded.stage.service.log().contains("lost its data"));
}
