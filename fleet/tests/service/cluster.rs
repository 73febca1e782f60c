//! Three servers of a Cluster.

use crate::support::{Fleet, RedisServer, caller, claim_of, eventually, free_address, limit, options_of};
use std::process::Command;
use std::time::Duration;
use tollgate::time::SECOND;
use tollgate_fleet::engine::{Engine, Mode, Redis};

fn cluster() -> Vec<RedisServer> {
    let server = || {
        // Its nodes talk to each other on a port of their own.
        let bus = free_address().port().to_string();
        let settings = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-port", &bus];
        RedisServer::with(&settings)
    };
    let servers: Vec<RedisServer> = (0..3).map(|_| server()).collect();
    let addresses = servers.iter().map(|server| format!("127.0.0.1:{}", server.port));
    let mut create = Command::new("redis-cli");
    create.args(["--cluster", "create"]).args(addresses).arg("--cluster-yes");
    let created = create.output().unwrap();
    assert!(created.status.success(), "{}", String::from_utf8_lossy(&created.stdout));
    eventually("the Cluster is up", Duration::from_secs(20), || {
        servers.iter().all(|server| server.cli(&["CLUSTER", "INFO"]).contains("cluster_state:ok"))
    });
    servers
}

#[test]
fn records_are_spread_over_the_servers_and_each_caller_has_its_quota() {
    let servers = cluster();
    // One URL is enough: it knows the others.
    let settings = options_of(&[servers[0].url()], Mode::Cluster).settings().unwrap();
    let fleet = Fleet::on(Engine::Redis(Redis::new(settings)));
    let limits = [limit(3, 3_600 * SECOND)];
    let mut workers = [fleet.worker(), fleet.worker()];
    for number in 0..30 {
        let claim = claim_of(caller(number), &limits);
        let admitted: u32 = workers.iter_mut().map(|worker| worker.admitted(&claim, 2)).sum();
        assert_eq!(admitted, 3, "caller {number}");
    }
    let counts: Vec<usize> = servers.iter().map(|server| server.records().len()).collect();
    assert_eq!(counts.iter().sum::<usize>(), 30);
    assert!(counts.iter().all(|count| *count > 2), "{counts:?}");
}

#[test]
fn a_slot_that_has_moved_is_followed() {
    let servers = cluster();
    let settings = options_of(&[servers[0].url()], Mode::Cluster).settings().unwrap();
    let fleet = Fleet::on(Engine::Redis(Redis::new(settings)));
    let limits = [limit(10, 3_600 * SECOND)];
    let claim = claim_of(caller(1), &limits);
    assert_eq!(fleet.worker().admitted(&claim, 6), 6);
    let from = servers.iter().find(|server| !server.records().is_empty()).unwrap();
    let to = servers.iter().find(|server| server.port != from.port).unwrap();
    let slot = from.cli(&["CLUSTER", "KEYSLOT", &from.records()[0]]);
    let (from_id, to_id) = (from.cli(&["CLUSTER", "MYID"]), to.cli(&["CLUSTER", "MYID"]));
    to.cli(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from_id]);
    from.cli(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to_id]);
    for key in from.cli(&["CLUSTER", "GETKEYSINSLOT", &slot, "100"]).lines() {
        assert_eq!(from.cli(&["MIGRATE", "127.0.0.1", &to.port.to_string(), key, "0", "1000"]), "OK");
    }
    servers.iter().for_each(|server| drop(server.cli(&["CLUSTER", "SETSLOT", &slot, "NODE", &to_id])));
    assert_eq!(fleet.worker().admitted(&claim, 6), 4);
}
