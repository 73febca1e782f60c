//! The compose file's profile `fleet`: two Envoys that share their limits, with the service and Redis.

use std::fs;
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use crate::engine::{engine, file, output};
use crate::harness::admin::Admin;
use crate::harness::request::Request;
use crate::harness::response::Response;
use crate::harness::wait::within;
use crate::project::Project;

const ENVOYS: [&str; 2] = ["envoy", "envoy-2"];
const SERVICES: [&str; 4] = ["redis", "tollgate-fleet", "envoy", "envoy-2"];

/// The quota of `envoy/policies/fleet.yaml` in five minutes.
const QUOTA: usize = 50;

/// A busy machine may take long for what starts containers.
const PATIENCE: Duration = Duration::from_secs(60);

/// The workers report their counts once a second.
const REPORT: Duration = Duration::from_millis(1_500);

struct Fleet {
    project: Project,
    /// Where each Envoy is reached, and its admin interface.
    envoys: [(SocketAddr, Admin); 2],
}

impl Fleet {
    fn start(on_outage: &str) -> Self {
        let on_outage = format!("on_outage: {on_outage}");
        let project = Project::start(
            "fleet",
            &[
                // Clients have addresses of their own, as behind a load balancer.
                (
                    "use_remote_address: true\n",
                    "use_remote_address: true\n                xff_num_trusted_hops: 1\n",
                ),
                ("on_outage: local", &on_outage),
                // A busy machine is no outage.
                ("timeout: 50ms", "timeout: 1s"),
            ],
            &SERVICES,
        );
        let envoys = ENVOYS.map(|envoy| reached(&project, envoy));
        let fleet = Self { project, envoys };
        fleet.until_ready();
        fleet
    }

    /// The Envoys have started before the service, so they may think that it is down, for some seconds.
    fn until_ready(&self) {
        let operator = Admin(self.project.published("tollgate-fleet", 7_071));
        within(PATIENCE, "the service to be ready", || operator.try_page("/readyz").map(|_| ()));
        self.until_asking();
    }

    /// Waits until no worker takes the service for down.
    fn until_asking(&self) {
        let mut client = 0;
        within(PATIENCE, "the Envoys to ask it", || {
            client += 1;
            let before = self.decided_alone();
            let statuses = self.statuses(&format!("192.0.2.{client}"), 12); // for each worker some
            thread::sleep(REPORT);
            (statuses == [200; 12] && self.decided_alone() == before).then_some(())
        });
    }

    /// How many decisions both Envoys have made without the service.
    fn decided_alone(&self) -> u64 {
        [0, 1].map(|envoy| self.metric(envoy, "fleet.alone")).iter().sum()
    }

    /// A request of a client, to one Envoy.
    fn send(&self, envoy: usize, client: &str) -> Response {
        Request::new(self.envoys[envoy].0, "GET", "/").header("x-forwarded-for", client).send()
    }

    /// The statuses of so many requests, to both Envoys in turn.
    fn statuses(&self, client: &str, count: usize) -> Vec<u16> {
        (0..count).map(|n| self.send(n % 2, client).status).collect()
    }

    fn metric(&self, envoy: usize, name: &str) -> u64 {
        self.envoys[envoy].1.statistic(&format!("wasmcustom.tollgate.{name}"))
    }

    /// Asks with new clients until all of the last answers have this status.
    fn until_all_are(&self, status: u16, what: &str) {
        let mut client = 0;
        within(PATIENCE, what, || {
            client += 1;
            let client = format!("198.51.100.{client}");
            self.statuses(&client, 12).iter().all(|one| *one == status).then_some(())
        });
    }
}

fn reached(project: &Project, envoy: &str) -> (SocketAddr, Admin) {
    let admin = project.admin_of(envoy);
    (project.published(envoy, 10_000), admin)
}

fn admitted(statuses: &[u16]) -> usize {
    statuses.iter().filter(|status| **status == 200).count()
}

#[test]
fn two_envoys_share_their_counts_exactly_and_a_restarted_one_has_forgotten_nothing() {
    let mut fleet = Fleet::start("local");
    let (client, alone) = ("203.0.113.1", fleet.decided_alone());
    let mut expected = vec![200; QUOTA];
    expected.extend([429; 10]);
    assert_eq!(fleet.statuses(client, QUOTA + 10), expected);
    thread::sleep(REPORT);
    assert_eq!(fleet.decided_alone(), alone);
    for envoy in [0, 1] {
        assert!(fleet.metric(envoy, "fleet.calls") > 0, "{} asked nobody", ENVOYS[envoy]);
    }

    fleet.project.tell(ENVOYS[1], "restart");
    fleet.envoys[1] = reached(&fleet.project, ENVOYS[1]); // on another free port
    assert_eq!(fleet.send(1, client).status, 429);
    assert_eq!(fleet.send(1, "203.0.113.2").status, 200);

    // Nor has Redis, whose data is in a volume.
    fleet.project.tell("redis", "restart");
    fleet.until_asking();
    assert_eq!(fleet.statuses(client, 4), [429; 4]);
}

#[test]
fn without_redis_each_worker_admits_its_share_if_the_policy_says_local() {
    let fleet = Fleet::start("local");
    // So that the workers know of each other.
    assert_eq!(admitted(&fleet.statuses("203.0.113.1", 12)), 12);
    let alone = fleet.decided_alone();
    fleet.project.tell("redis", "stop");
    let statuses = fleet.statuses("203.0.113.2", QUOTA + 10);
    let admitted = admitted(&statuses);
    assert!((1..=QUOTA).contains(&admitted), "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 429].contains(status)), "{statuses:?}");
    within(PATIENCE, "decisions without the service", || (fleet.decided_alone() > alone).then_some(()));

    // What was admitted is counted afterwards.
    fleet.project.tell("redis", "start");
    let mut total = admitted;
    within(PATIENCE, "the rest of the quota", || {
        let more = self::admitted(&fleet.statuses("203.0.113.2", 6));
        total += more;
        (more == 0 && fleet.send(0, "203.0.113.3").status == 200).then_some(())
    });
    assert!(total <= QUOTA, "{total} of {QUOTA}");
}

#[test]
fn without_redis_requests_are_answered_with_503_if_the_policy_says_deny() {
    let fleet = Fleet::start("deny");
    assert_eq!(fleet.statuses("203.0.113.1", 2), [200; 2]);
    fleet.project.tell("redis", "stop");
    fleet.until_all_are(503, "both Envoys to notice");
    assert_eq!(fleet.statuses("203.0.113.2", 4), [503; 4]);
    fleet.project.tell("redis", "start");
    fleet.until_all_are(200, "both Envoys to be served again");
}

#[test]
fn nothing_of_the_fleet_has_a_privilege_a_writable_file_system_or_a_secret_in_its_settings() {
    let fleet = Fleet::start("local");
    let secrets =
        ["fleet-token", "redis-password"].map(|name| fs::read_to_string(file(name)).expect("a secret"));
    for service in SERVICES {
        assert_eq!(fleet.project.inspected(service, "{{.HostConfig.ReadonlyRootfs}}"), ["true"], "{service}");
        assert_ne!(fleet.project.inspected(service, "{{.HostConfig.CapDrop}}"), ["[]"], "{service}");
        let user = fleet.project.inspected(service, "{{.Config.User}}");
        assert!(["65534:65534", "999:999"].contains(&user[0].as_str()), "{service}: {user:?}");
        let all = output(engine().args(["inspect", &fleet.project.id(service)]));
        let all = String::from_utf8_lossy(&all);
        assert!(secrets.iter().all(|secret| !all.contains(secret)), "{service}");
    }
    // Only the Envoys reach the service, and only the service reaches Redis.
    for (service, port) in [("tollgate-fleet", "7070"), ("redis", "6379")] {
        let port = engine().args(["port", &fleet.project.id(service), port]).output().expect("an answer");
        assert!(port.stdout.is_empty(), "{service}: {port:?}");
    }
}
